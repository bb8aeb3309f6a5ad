"""A real easel at the other end of a real pipe, for tests to talk with."""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from controller import messages
from controller.process import EaselProcess
from model import pictures
from model.forecast import Paces
from model.recipe import Recipe
from tests.model.studies import artwork, photo

T = TypeVar("T")

WAIT = 240.0  # seconds, at most
RECIPE = Recipe(engine="patches", size=64, iterations=60)
PHOTO, ARTWORK = pictures.encode(photo(64, 48), "png"), pictures.encode(artwork(64, 48), "png")


class Unhurried(EaselProcess):
    """An easel that does not get far ahead of who hears what it says: little of it has room in its pipe."""

    def _run(self) -> None:
        with socket.socket(fileno=os.dup(self._theirs.fileno())) as end:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        super()._run()


class Talk:
    """What is said to an easel, and what it says."""

    def __init__(self, engine: str = "patches", weights: str = "auto") -> None:
        self._said = queue.SimpleQueue[Any]()
        self._taken = threading.Semaphore(0)
        self._turns = 0
        self.ends: list[str] = []  # why it ended
        self.process = Unhurried(engine, weights, self._hear, lambda _, reason: self.ends.append(reason))
        self.send = self.process.send

    def _hear(self, _: EaselProcess, message: Any) -> None:
        self._said.put(message)
        self._taken.acquire()

    def next(self) -> Any:
        """The next thing it says."""
        message = self._said.get(timeout=WAIT)
        self._taken.release()
        return message

    def until(self, kind: type[T], that: Callable[[T], bool] = lambda _: True) -> tuple[T, list[Any]]:
        """The next message of this kind that is such, and those before it."""
        before: list[Any] = []
        while not (isinstance(message := self.next(), kind) and that(message)):
            before.append(message)
        return message, before

    def ended(self) -> str:
        """Why it has ended, once it has."""
        self._taken.release(1_000_000)  # nobody takes what it may still have said
        until = time.monotonic() + WAIT
        while not self.ends and time.monotonic() < until:
            time.sleep(0.01)
        (reason,) = self.ends
        return reason

    def begin(self, recipe: Recipe = RECIPE, checkpoint: bytes | None = None, of: int = 0, **settings: Any) -> int:
        """Let it begin with a painting; the turn."""
        self._turns += 1
        of = of or recipe.iterations
        self.send(messages.Begin(self._turns, PHOTO, (ARTWORK,), recipe, checkpoint, settings, of, 64, 48, Paces()))
        return self._turns

    def rested(self) -> tuple[messages.Rested, list[Any]]:
        """How the painting ended, and all that was said before."""
        return self.until(messages.Rested)

    def paint(self, *arguments: Any, **more: Any) -> tuple[messages.Rested, list[Any]]:
        """Have it paint without a word in between."""
        self.begin(*arguments, **more)
        return self.rested()

    def at(self, iteration: int) -> None:
        """Wait until it has finished an iteration."""
        self.until(messages.Iterated, lambda said: said.facts["iteration"] >= iteration)


@contextmanager
def talking(engine: str = "patches", weights: str = "auto") -> Iterator[Talk]:
    """An easel that is ended in the end."""
    talk = Talk(engine, weights)
    try:
        yield talk
    finally:
        talk.process.kill("The test is over.")
        talk.ended()
