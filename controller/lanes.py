"""Lanes: work that blocks, done in threads; what belongs to one painting is done in the order it was asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Lanes:
    """Runs coroutines one after the other within a lane, and side by side across lanes."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="gallery")
        self._last: dict[str, asyncio.Task[None]] = {}

    async def thread(self, work: Callable[..., T], *arguments: object) -> T:
        """Do this in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def add(self, lane: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Do this after all that was added to the lane before."""
        before = self._last.get(lane)
        task = self._last[lane] = asyncio.create_task(self._after(before, work))
        task.add_done_callback(lambda done: self._forget(lane, done))
        return task

    def is_last(self, lane: str) -> bool:
        """Whether nothing is to be done after that from within which this is asked."""
        return self._last.get(lane) is asyncio.current_task()

    async def idle(self) -> None:
        """Wait until all is done."""
        while self._last:
            await asyncio.wait(list(self._last.values()))

    async def _after(self, before: asyncio.Task[None] | None, work: Callable[[], Awaitable[None]]) -> None:
        if before:
            await asyncio.wait([before])
        try:
            await work()
        except Exception:  # what follows in the lane is not to be lost with it
            logger.exception("work for a painting failed")

    def _forget(self, lane: str, task: asyncio.Task[None]) -> None:
        if self._last.get(lane) is task:
            del self._last[lane]

    def close(self) -> None:
        """Have done with the threads."""
        self._threads.shutdown(wait=False)
