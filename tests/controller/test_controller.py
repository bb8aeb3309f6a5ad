"""The controller, with a real gallery, and with an easel whose process a test plays by hand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from controller import Setup, StyleTransferController, messages
from controller.easels import BROKEN, Easels
from controller.frame import KEPT, Cut, message
from controller.order import Order
from gallery import Gallery, opened
from model import pictures
from server.cloud.rules import BOOT
from server.limits import Limits
from tests.loop import run
from tests.model.studies import artwork, photo

CUT = Cut("jpeg", text=False)
ORDER = Order(
    pictures.encode(photo(), "png"),
    [("night", pictures.encode(artwork(64, 64), "png"))],
    {"iterations": 2, "size": 64},
    painting="one",
)


class Played:
    """An easel's process, played by hand."""

    last: Played

    def __init__(self, engine: str, weights: str, hear: Callable[[Played, Any], None], ended: object) -> None:
        Played.last = self
        self._hear = hear
        self.told: list[Any] = []
        self.killed = 0

    def send(self, message: object) -> None:
        self.told.append(message)

    def kill(self, reason: str) -> None:
        self.killed += 1

    def says(self, message: object) -> None:
        self._hear(self, message)

    async def begun(self) -> int:
        """Wait until it is given something to paint; the turn."""
        while not (begun := [each for each in self.told if isinstance(each, messages.Begin)]):
            await asyncio.sleep(0.01)
        turn: int = begun[-1].turn
        return turn

    def paints(self, turn: int, iteration: int) -> None:
        """Finish an iteration, and show it."""
        self.says(messages.Iterated(turn, facts(iteration)))
        self.says(messages.Framed(turn, CUT, iteration, frame(iteration), 0.01))

    def rests(self, turn: int, iteration: int) -> None:
        """Leave the finished picture."""
        self.says(messages.Rested(turn, iteration, (), b"a checkpoint", b"the picture", frame(iteration)))


@dataclass(eq=False)
class Onlooker:
    """A viewer."""

    place: Gallery
    told: list[tuple[str, Any]] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    known: Any = None  # what the gallery knew of the painting when its end was told

    @property
    def states(self) -> list[str]:
        return [state for state, _ in self.told]

    def tell(self, state: str, data: Mapping[str, Any] | None) -> None:
        self.told.append((state, data))
        if state == "end":
            self.known = (self.place.facts("one") or {})["state"]

    def show(self, iteration: int, message: bytes) -> None:
        self.shown.append(iteration)


def facts(iteration: int) -> dict[str, Any]:
    return {"iteration": iteration, "elapsed": 0.1, "losses": {}, "progress": 50.0, "eta": 0.1}


def frame(iteration: int) -> bytes:
    return message(facts(iteration), pictures.encode(photo(), "jpeg"), KEPT)


@asynccontextmanager
async def playing(place: Gallery, **setup: Any) -> AsyncIterator[tuple[StyleTransferController, Played]]:
    """A controller, and its easel, which can paint."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("controller.easels.EaselProcess", Played)
        controller = StyleTransferController(lambda: place, Limits(), Setup(**setup))
        await controller.open()
        easel = Played.last
        easel.says(messages.Loaded("patches", "a hand", "It was asked for.", 32, ()))
        yield controller, easel
        await controller.close(0.5)


async def until(what: Callable[[], object]) -> None:
    """Wait until something is so."""
    while not what():
        await asyncio.sleep(0.01)


def played(play: Callable[[], Any]) -> None:
    run(asyncio.wait_for(play(), 30))


def test_who_comes_when_all_is_painted_is_told_of_the_end_once_and_when_it_is_kept(tmp_path: Path) -> None:
    place, room = opened(str(tmp_path)), threading.Event()
    note = place.note

    def late(painting: str, facts: dict[str, Any]) -> None:
        assert not facts.get("done") or room.wait(20)
        note(painting, facts)

    place.note = late  # type: ignore[method-assign]
    place.key = lambda painting, name: name  # type: ignore[method-assign]

    async def play() -> None:
        async with playing(place) as (controller, easel):
            painting, _ = await controller.request(replace(ORDER, settings={"iterations": 1, "size": 64}))
            first, late = Onlooker(place), Onlooker(place)
            controller.watch(first, painting, CUT)
            turn = await easel.begun()
            easel.paints(turn, 0)
            easel.rests(turn, 0)
            await until(lambda: painting.state == "finished")
            controller.watch(late, painting, CUT)
            await until(lambda: late.shown == [0])
            await asyncio.sleep(0.05)
            assert controller.describe(painting)["state"] == "painting"
            assert (first.states, late.states) == ([], [])
            room.set()
            await until(lambda: "end" in first.states and "end" in late.states)
            assert controller.describe(painting)["state"] == "finished"
            await asyncio.sleep(0.05)
            assert (first.states, late.states) == (["end"], ["end"])
            assert (first.known, late.known) == ("finished", "finished")
            assert painting.works["picture"] == "picture"

    played(play)


def test_who_cannot_look_back_is_told_so_and_sees_what_comes(tmp_path: Path) -> None:
    place = opened(str(tmp_path))
    read = place.read

    def odd(painting: str, name: str) -> bytes | None:
        if name.startswith("frames/"):
            raise RuntimeError("an odd frame")
        return read(painting, name)

    place.read = odd  # type: ignore[method-assign]

    async def play() -> None:
        async with playing(place) as (controller, easel):
            painting, _ = await controller.request(ORDER)
            turn = await easel.begun()
            easel.says(messages.Iterated(turn, facts(0)))
            easel.says(messages.Saved(turn, 0, frame(0)))
            await until(lambda: place.names("one")[-1:] == ["photo"] and "frames/000000" in place.names("one"))
            viewer = Onlooker(place)
            controller.watch(viewer, painting, CUT, since=0)
            await until(lambda: viewer.told)
            ((state, told),) = viewer.told
            assert (state, told["code"]) == ("error", "server_error")
            easel.paints(turn, 1)
            await until(lambda: viewer.shown == [1])
            easel.rests(turn, 1)
            await until(lambda: "end" in viewer.states)

    played(play)


def test_what_another_studio_paints_keeps_nobody_busy_here(tmp_path: Path) -> None:
    place = opened(str(tmp_path))

    async def play() -> None:
        async with playing(place) as (controller, easel):
            painting, _ = await controller.request(ORDER)
            assert controller.busy == 1
            easel.rests(await easel.begun(), 1)
            await until(lambda: painting.state == "finished")
            elsewhere = replace(painting, id="two", state="painting", elsewhere=40.0)
            controller.watch(Onlooker(place), elsewhere, CUT)
            assert "two" in controller.here
            assert controller.busy == 0

    played(play)


def test_what_goes_wrong_once_ends_nothing_that_is_done_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = opened(str(tmp_path))
    calls = dict.fromkeys(("renew", "unfinished", "sweep", "facts"), 0)

    def odd(name: str) -> Callable[..., Any]:
        def work(*_: object) -> Any:
            calls[name] += 1
            raise KeyError("an odd item")

        return work

    async def play() -> None:
        async with playing(place, deadline=0.04) as (controller, easel):
            painting, _ = await controller.request(ORDER)
            await easel.begun()
            for name in calls:
                setattr(place, name, odd(name))
            controller.watch(Onlooker(place), replace(painting, id="two", elsewhere=40.0), CUT)
            await until(lambda: min(calls.values()) >= 3 and easel.killed >= 3)

    place.life = 0.03  # type: ignore[misc]
    monkeypatch.setattr("controller.style_transfer_controller.SWEEP_EVERY", 0.01)
    monkeypatch.setattr(Played, "kill", _kill_in_vain)
    played(play)
    assert {each.message for each in caplog.records if each.exc_info} == {
        "claims could not be renewed",
        "what is nobody's could not be taken over",
        "another studio's painting could not be looked after",
        "the gallery could not be swept",
        "an easel could not be minded",
    }


def _kill_in_vain(easel: Played, reason: str) -> None:
    easel.killed += 1
    if reason.startswith("The easel hung"):
        raise PermissionError("it cannot be killed")


def test_an_easel_may_load_for_as_long_as_the_disk_of_a_new_machine_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, now = list[float](), 0.0

    def clock() -> float:
        looks.append(now)
        return now

    async def play() -> None:
        nonlocal now
        easels = Easels(Setup(deadline=0.04), lambda *_: None, lambda *_: None, lambda *_: None)
        easels.open()
        minding = asyncio.create_task(easels.mind())
        now = BOOT / BROKEN + 1  # so that its machine is not given up for broken before its time is over
        await until(lambda: looks.count(now) > 3)
        assert not Played.last.killed
        now = BOOT
        await until(lambda: Played.last.killed)
        minding.cancel()

    monkeypatch.setattr("controller.easels.EaselProcess", Played)
    monkeypatch.setattr("controller.easels.time", SimpleNamespace(monotonic=clock))
    played(play)


def test_claims_are_renewed_while_what_is_nobodys_is_looked_for(tmp_path: Path) -> None:
    place, room = opened(str(tmp_path)), threading.Event()
    renewals, looks = list[int](), list[int]()

    def unfinished() -> list[tuple[str, dict[str, Any]]]:
        looks.append(1)
        assert len(looks) == 1 or room.wait(20)
        return []

    place.life = 0.06  # type: ignore[misc]
    place.renew = lambda: renewals.append(1) or []  # type: ignore[method-assign, func-returns-value]
    place.unfinished = unfinished  # type: ignore[method-assign]

    async def play() -> None:
        async with playing(place):
            await until(lambda: len(looks) == 2)
            before = len(renewals)
            await until(lambda: len(renewals) > before + 5)
            room.set()

    try:
        played(play)
    finally:
        room.set()


def test_more_that_cannot_be_painted_leaves_the_picture(tmp_path: Path) -> None:
    place = opened(str(tmp_path))

    async def play() -> None:
        async with playing(place) as (controller, easel):
            painting, _ = await controller.request(ORDER)
            turn = await easel.begun()
            easel.says(messages.Iterated(turn, facts(1)))
            easel.rests(turn, 1)
            await until(lambda: (place.facts("one") or {})["state"] == "finished")
            viewer = Onlooker(place)
            controller.watch(viewer, painting, CUT)
            await until(lambda: "end" in viewer.states)
            easel.told.clear()
            await controller.more(painting, 5)
            unfit = ("checkpoint_version", "It was made by another version.", "Paint it again.")
            easel.says(messages.Rested(await easel.begun(), -1, refusal=unfit))
            await until(lambda: viewer.states[-2:] == ["error", "end"])
            known = place.facts("one") or {}
            assert (known["state"], known["of"], known["done"]) == ("finished", 2, True)
            assert await controller.picture(painting) == (b"the picture", "png")

    played(play)


def test_who_looked_on_at_what_was_cancelled_sees_nothing_of_another_with_its_id(tmp_path: Path) -> None:
    place = opened(str(tmp_path))

    async def play() -> None:
        async with playing(place) as (controller, easel):
            painting, _ = await controller.request(ORDER)
            before = Onlooker(place)
            controller.watch(before, painting, CUT)
            turn = await easel.begun()
            easel.paints(turn, 0)
            await until(lambda: before.shown == [0])  # and has not taken it yet
            await controller.cancel(painting)
            await until(lambda: "error" in before.states)
            easel.says(messages.Rested(turn, 0))
            easel.told.clear()
            another, _ = await controller.request(ORDER)
            after = Onlooker(place)
            controller.watch(after, another, CUT)
            turn = await easel.begun()
            easel.paints(turn, 1)
            easel.rests(turn, 1)
            await until(lambda: "end" in after.states)
            controller.taken(before, painting, 0.1)
            assert after.shown == [1]
            assert (before.shown, before.states[-1]) == ([0], "error")
            controller.leave(before, painting)

    played(play)
