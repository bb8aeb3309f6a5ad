"""The easels' processes: started, listened to, minded, and brought back when they die."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller import messages, metrics
from controller.process import EaselProcess

logger = logging.getLogger(__name__)

BROKEN = 3
"""An easel that dies so often before it has loaded its model is not brought back by merely trying once more."""

LOADING = 300.0
"""Seconds for which an easel that loads its model may say nothing, whatever the deadline of those at work: on a machine
that has just booted, the libraries come from a disk that is still being filled."""

LONGEST_PAUSE = 30.0
"""Seconds between two tries to bring an easel back, at most."""

Onlooker = Callable[[str, Mapping[str, Any] | None], None]


@dataclass(frozen=True)
class Setup:
    """How the studio is set up."""

    easels: int = 1
    engine: str = "auto"
    weights: str = "auto"
    deadline: float = 120.0  # seconds for which an easel at work may say nothing


@dataclass
class _Easel:
    """An easel's process, and what it last said of itself."""

    process: EaselProcess
    heard: float
    busy: bool = False
    loading: messages.Loading = field(default_factory=lambda: messages.Loading("starting"))
    loaded: messages.Loaded | None = None
    failures: int = 0  # in a row, before it was loaded
    problem: str = ""

    def doing(self) -> dict[str, Any]:
        """What is told of it."""
        if self.loaded:
            known = self.loaded
            return {"state": "painting" if self.busy else "free", "engine": known.engine, "device": known.device}
        return {"state": "broken" if self.failures >= BROKEN else "loading", "phase": self.loading.phase}


class Easels:
    """All easels of the studio, by number."""

    def __init__(
        self,
        setup: Setup,
        heard: Callable[[int, Any], None],
        up: Callable[[int, messages.Loaded], None],
        down: Callable[[int, str], None],
    ) -> None:
        """`heard` is called with what an easel says of a painting, `up` when it can paint, `down` when it has died."""
        self._setup = setup
        self._heard_of, self._up, self._down = heard, up, down
        self._loop = asyncio.get_running_loop()
        self._easels: list[_Easel] = []
        self._onlookers: list[Onlooker] = []
        self._closing = False

    def open(self) -> None:
        """Start them all."""
        self._easels = [_Easel(self._start(number), time.monotonic()) for number in range(self._setup.easels)]

    def close(self) -> None:
        """End them all."""
        self._closing = True
        for easel in self._easels:
            easel.process.kill("The studio closes.")

    def send(self, number: int, message: object) -> None:
        """Say something to an easel."""
        easel = self._easels[number]
        if isinstance(message, messages.Begin):
            easel.heard, easel.busy = time.monotonic(), True
        easel.process.send(message)

    # ---------------------------------------------------------------- what is told of them

    @property
    def loaded(self) -> dict[str, Any] | None:
        """The engine and its device, once an easel can paint."""
        for easel in self._easels:
            if known := easel.loaded:
                return {"engine": known.engine, "device": known.device, "reason": known.reason}
        return None

    @property
    def loading(self) -> dict[str, Any]:
        """What the first easel does until it can paint."""
        if not self._easels:
            return {"phase": "starting"}
        first = self._easels[0]
        facts: dict[str, Any] = {"phase": first.loading.phase}
        if first.loading.total:
            facts |= {"done": first.loading.done, "total": first.loading.total}
        return facts | ({"problem": first.problem} if first.problem else {})

    @property
    def broken(self) -> str:
        """Why no easel can be brought back, if none can."""
        if self._easels and all(easel.failures >= BROKEN for easel in self._easels):
            return self._easels[0].problem
        return ""

    def doing(self) -> list[dict[str, Any]]:
        """What each of them does."""
        return [easel.doing() for easel in self._easels]

    def counted(self) -> dict[str, int]:
        """How many there are in each state."""
        states = [easel["state"] for easel in self.doing()]
        return {state: states.count(state) for state in ("loading", "free", "painting", "broken")}

    def listen(self, onlooker: Onlooker) -> None:
        """Tell this one how the model is loading, until it is loaded."""
        onlooker("model_loading", self.loading)
        if loaded := self.loaded:
            onlooker("model_loaded", loaded)
        else:
            self._onlookers.append(onlooker)

    def deafen(self, onlooker: Onlooker) -> None:
        """Tell this one no more."""
        with contextlib.suppress(ValueError):
            self._onlookers.remove(onlooker)

    # ---------------------------------------------------------------- their lives

    async def mind(self) -> None:
        """See to it that none hangs."""
        while True:
            await asyncio.sleep(min(1.0, self._setup.deadline / 4))
            for easel in self._easels:
                try:
                    self._look_after(easel)
                except Exception:  # the other easels are to be minded all the same
                    logger.exception("an easel could not be minded")

    def _look_after(self, easel: _Easel) -> None:
        silent = time.monotonic() - easel.heard
        deadline = self._setup.deadline if easel.loaded else max(LOADING, self._setup.deadline)
        if silent > deadline and (easel.busy or not easel.loaded):
            easel.heard = time.monotonic()
            easel.process.kill(f"The easel hung: it said nothing for {silent:.0f} s.")

    def _start(self, number: int) -> EaselProcess:
        def hear(process: EaselProcess, message: Any) -> None:
            self._call(self._heard, number, process, message)

        def ended(process: EaselProcess, reason: str) -> None:
            self._call(self._ended, number, process, reason)

        return EaselProcess(self._setup.engine, self._setup.weights, hear, ended)

    def _call(self, method: Callable[..., None], *arguments: object) -> None:
        """Call this in the event loop, from a thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and all is over
            self._loop.call_soon_threadsafe(method, *arguments)

    def _heard(self, number: int, process: EaselProcess, message: Any) -> None:
        easel = self._easels[number]
        if easel.process is not process:
            return
        easel.heard = time.monotonic()
        match message:
            case messages.Loading():
                easel.loading = message
                self._announce("model_loading", self.loading)
            case messages.Loaded():
                easel.loaded, easel.failures, easel.problem = message, 0, ""
                facts = {"easel": number, "engine": message.engine, "device": message.device, "reason": message.reason}
                logger.info("easel loaded", extra={"facts": facts})
                self._announce("model_loaded", self.loaded)
                self._onlookers.clear()
                self._up(number, message)
            case messages.Unloadable():
                easel.failures = max(easel.failures, BROKEN)
                easel.problem = f"{message.message} {message.hint}".strip()
                self._announce("model_loading", self.loading)
            case _:
                if isinstance(message, messages.Rested):
                    easel.busy = False
                self._heard_of(number, message)

    def _announce(self, state: str, data: Mapping[str, Any] | None) -> None:
        for onlooker in list(self._onlookers):
            onlooker(state, data)

    def _ended(self, number: int, process: EaselProcess, reason: str) -> None:
        easel = self._easels[number]
        if easel.process is not process or self._closing:
            return
        metrics.DEATHS.inc()
        if not easel.loaded:
            easel.failures += 1
            easel.problem = easel.problem or reason
        logger.error("easel died", extra={"facts": {"easel": number, "reason": reason, "failures": easel.failures}})
        easel.loaded, easel.busy, easel.loading = None, False, messages.Loading("starting")
        self._down(number, reason)
        pause = min(LONGEST_PAUSE, 2.0 ** min(easel.failures, 10)) if easel.failures else 0.0
        self._loop.call_later(pause, self._bring_back, number)

    def _bring_back(self, number: int) -> None:
        if not self._closing:
            easel = self._easels[number]
            easel.process, easel.heard = self._start(number), time.monotonic()
