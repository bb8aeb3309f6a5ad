"""A rehearsal in a thread of its own, since a browser that tests share keeps the main one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from rehearsal.plan import Plan
from rehearsal.rehearsal import Rehearsal, rehearsing
from rehearsal.view import View

T = TypeVar("T")

SOON = {"Deadline": "900", "IdleStop": "5", "IdleEnd": "0"}
"""Seconds: a test does not want to wait for the end of a studio for longer than it has to."""
PAUSE = 0.5  # seconds between two looks: who looks all the time takes the time of those that work


class UnderWay:
    """A rehearsal that visitors can come to."""

    def __init__(self, rehearsal: Rehearsal, loop: asyncio.AbstractEventLoop) -> None:
        self.rehearsal = rehearsal
        self.url = rehearsal.url
        self._loop = loop
        self._ec2 = rehearsal.cloud.client("ec2")
        self._lambda = rehearsal.cloud.client("lambda")

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns in the rehearsal's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def strike(self, fault: str) -> None:
        """Let something go wrong as soon as it matters."""
        self._loop.call_soon_threadsafe(self.rehearsal.strike, fault)

    @property
    def view(self) -> View:
        """What there is."""
        return self.do(self.rehearsal.look())

    def phases(self) -> dict[str, str]:
        """The phase of each studio that there has been."""
        return {each.id: each.phase for each in self.view.studios}

    def reap(self) -> None:
        """Have the reaper come, which the schedule has come but once a minute."""
        answer = self._lambda.invoke(FunctionName=self.rehearsal.stack.reaper)
        assert "FunctionError" not in answer, answer["Payload"].read()

    def alive(self) -> set[str]:
        """The instances that EC2 has not ended."""
        reservations = self._ec2.describe_instances()["Reservations"]
        machines = [each for reservation in reservations for each in reservation["Instances"]]
        return {each["InstanceId"] for each in machines if each["State"]["Name"] != "terminated"}

    def kept(self) -> dict[str, set[str]]:
        """The names of the files in the gallery's bucket, by their paintings."""
        listed = self.rehearsal.cloud.client("s3").list_objects_v2(Bucket=self.rehearsal.stack.gallery)
        files: dict[str, set[str]] = {}
        for each in listed.get("Contents", []):
            *_, painting, _, name = each["Key"].split("/")
            files.setdefault(painting, set()).add(name)
        return files

    def wait(self, what: Callable[[], T], seconds: float = 120) -> T:
        """Wait until something is so, and return it."""
        until = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < until, f"waited in vain for {seconds} s; there is {self.view}"
            time.sleep(PAUSE)
        return found

    def over(self, seconds: float = 120) -> None:
        """Wait until no instance is left, nothing is reserved, and all machines are off."""

        def is_over() -> bool:
            self.reap()
            view = self.view
            ended = all(each.phase == "ended" for each in view.studios)
            return ended and not view.reserved and not self.alive() and not list(self.rehearsal.machines)

        self.wait(is_over, seconds)


@contextmanager
def under_way(**plan: Any) -> Iterator[UnderWay]:
    """A rehearsal whose machines boot in a second, until the block is left."""
    begun = Future[UnderWay]()
    over = threading.Event()

    async def rehearse() -> None:
        chosen = Plan(**{"port": 0, "boot_seconds": 1.0, "parameters": SOON, **plan})
        async with rehearsing(chosen, lambda said: None) as rehearsal:
            begun.set_result(UnderWay(rehearsal, asyncio.get_running_loop()))
            await asyncio.to_thread(over.wait)

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(asyncio.run, rehearse())
        running.add_done_callback(lambda done: begun.set_exception(done.exception()) if not begun.done() else None)
        try:
            yield begun.result(90)
        finally:
            over.set()
            running.result(60)
