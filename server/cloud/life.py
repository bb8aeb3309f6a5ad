"""The life of a studio in the cloud: it tells the table how it is, looks what is wanted of it, and leaves in time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from controller import StyleTransferController
from server.cloud.notice import notice
from server.cloud.place import Place
from server.cloud.record import Record, Unreachable
from server.cloud.rules import LAST, UNHEARD, Entry, Own, farewell, over, report, unwanted

T = TypeVar("T")

logger = logging.getLogger(__name__)

RENEW = 30.0
"""Seconds after which it is told again that the studio lives."""
OFTEN = 2.0
"""Seconds between two times that something is told, at least."""
TICK = 0.25
"""Seconds between two looks at whether there is something to tell."""
GOODBYE, TAKEN_BACK = 1.0, 10.0
"""Seconds that the farewell may take: the paintings wait meanwhile to be put aside. Longer where there are minutes."""
OWN_CHOICE, NOTICED = 30.0, 50.0
"""Seconds that it may take to put the paintings aside: longer where the machine would be gone after two minutes. The
reaper, and systemd on the machine, wait for longer than that."""


class Life:
    """Tells and looks while the studio lives."""

    def __init__(
        self, place: Place, host: str, easels: int, controller: StyleTransferController, active: Callable[[], float]
    ) -> None:
        """`host` is where visitors are sent; `active` says when one last did something, by the wall clock."""
        self._place = place
        self._host = host
        self._easels = easels
        self._controller = controller
        self._active = active
        self._record = Record(place.table, place.studio)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="table")
        self._entry: Entry | None = None  # as it was last read or written
        self._told: Own | None = None
        self._tried = self._renewed = -RENEW
        self._heard = time.monotonic()  # when the table last answered
        self._is_heard = True

    async def live(self) -> tuple[str, float]:
        """Live until it is time to leave; return why, and in how many seconds the paintings have to be put aside."""
        beating = asyncio.create_task(self._beat_on())
        noticing = asyncio.create_task(notice(self._place.metadata))
        try:
            await asyncio.wait((beating, noticing), return_when=asyncio.FIRST_COMPLETED)
            if beating.done():
                return beating.result(), OWN_CHOICE
            beating.cancel()
            await self._say_farewell(TAKEN_BACK)
            return f"its machine is taken back: {noticing.result()}", NOTICED
        finally:
            beating.cancel()
            noticing.cancel()

    async def leave(self) -> None:
        """Have nobody sent here any more, unless that is so already."""
        await self._say_farewell(GOODBYE)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _beat_on(self) -> str:
        reason = ""
        while not reason:
            if self._is_due():
                reason = await self._beat()
            if self._entry and time.time() >= self._entry.deadline - LAST:
                self._controller.close_to_all_but(self._entry.coming)
            await asyncio.sleep(TICK)
        return reason

    def _is_due(self) -> bool:
        """Whether there is something to tell, or to look at once more before it is done."""
        now = time.monotonic()
        if now - self._tried < OFTEN:
            return False
        return now - self._renewed >= RENEW or self._own() != self._told or bool(self._over())

    async def _beat(self) -> str:
        """Tell how the studio is; return why it has to leave, if it has to."""
        self._tried = time.monotonic()
        try:
            entry = await self._threaded(self._record.read)
            if entry is None or not entry.is_of(self._place.instance):
                return unwanted(entry)
            own, now = self._own(), time.time()
            reason = over(entry, own, now, self._place.idle_stop)
            values, came = report(entry, own, now)
            if reason:
                values |= farewell(now)
            written = await self._threaded(self._record.write, entry, values, came)
        except Unreachable as error:
            return self._unheard(str(error))
        self._heard, self._is_heard = time.monotonic(), True
        if written is None:  # what was decided upon is no longer so
            return ""
        self._entry, self._told, self._renewed = written, own, self._tried
        return reason

    def _unheard(self, error: str) -> str:
        """The table cannot be reached. Painting goes on for a while; the deadline counts all the same."""
        silent = time.monotonic() - self._heard
        if self._is_heard:
            self._is_heard = False
            logger.warning("the table cannot be reached", extra={"facts": {"error": error}})
        return f"the table could not be reached for {silent:.0f} s" if silent > UNHEARD else self._over()

    async def _say_farewell(self, within: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._write_farewell(), within)

    async def _write_farewell(self) -> None:
        with contextlib.suppress(Unreachable):
            while (entry := await self._threaded(self._record.read)) and entry.is_of(self._place.instance):
                if await self._threaded(self._record.write, entry, farewell(time.time())):
                    return

    def _over(self) -> str:
        """Why it is time to leave, by what is known of the table."""
        return over(self._entry, self._own(), time.time(), self._place.idle_stop) if self._entry else ""

    def _own(self) -> Own:
        controller = self._controller
        return Own(
            instance=self._place.instance,
            dns=self._host,
            easels=self._easels,
            is_loaded=controller.is_loaded,
            problem=controller.broken,
            busy=controller.busy,
            active=self._active(),
            paintings=controller.here,
        )

    async def _threaded(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
