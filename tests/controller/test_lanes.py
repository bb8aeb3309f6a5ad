"""Lanes: in order within one, side by side across, and none stopped by what fails in it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

import pytest

from controller.lanes import Lanes
from tests import loop


async def saying(said: list[str], word: str, before: asyncio.Event | None = None) -> None:
    if before:
        await before.wait()
    said.append(word)


def test_within_a_lane_one_comes_after_the_other() -> None:
    async def run() -> None:
        lanes, said, gate = Lanes(2), list[str](), asyncio.Event()
        lanes.add("a", lambda: saying(said, "first", gate))
        second = lanes.add("a", lambda: saying(said, "second"))
        await asyncio.sleep(0.01)
        assert said == []
        gate.set()
        await second
        assert said == ["first", "second"]
        lanes.close()

    loop.run(run())


def test_lanes_do_not_wait_for_each_other() -> None:
    async def run() -> None:
        lanes, said, gate = Lanes(2), list[str](), asyncio.Event()
        lanes.add("a", lambda: saying(said, "a", gate))
        await lanes.add("b", lambda: saying(said, "b"))
        assert said == ["b"]
        gate.set()
        await lanes.idle()
        assert said == ["b", "a"]
        lanes.close()

    loop.run(run())


def test_what_fails_is_logged_and_the_lane_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def failing() -> None:
        raise ValueError("the brush broke")

    async def run() -> list[str]:
        lanes, said = Lanes(2), list[str]()
        lanes.add("a", failing)
        await lanes.add("a", lambda: saying(said, "after"))
        lanes.close()
        return said

    with caplog.at_level(logging.ERROR):
        assert loop.run(run()) == ["after"]
    assert "the brush broke" in caplog.text


def test_what_blocks_does_so_in_threads_side_by_side() -> None:
    meeting, gate = threading.Barrier(3), threading.Event()

    async def run() -> None:
        lanes = Lanes(3)

        def work(_: str) -> str:
            meeting.wait(20)
            assert gate.wait(20), "the event loop waited"
            return threading.current_thread().name

        def meet(name: str) -> Callable[[], Awaitable[None]]:
            async def met() -> None:
                names.add(await lanes.thread(work, name))

            return met

        names: set[str] = set()
        for name in "abc":
            lanes.add(name, meet(name))
        await asyncio.sleep(0.01)
        gate.set()
        await lanes.idle()
        assert len(names) == 3
        assert threading.current_thread().name not in names
        lanes.close()

    loop.run(run())


def test_idle_waits_for_what_is_added_meanwhile_and_then_nothing_is_remembered() -> None:
    async def run() -> list[str]:
        lanes, said = Lanes(1), list[str]()

        async def first() -> None:
            await asyncio.sleep(0.01)
            lanes.add("b", lambda: saying(said, "second"))
            said.append("first")

        lanes.add("a", first)
        await lanes.idle()
        await asyncio.wait_for(lanes.idle(), 1)
        lanes.close()
        return said

    assert loop.run(run()) == ["first", "second"]


def test_a_long_queue_is_worked_off_in_order() -> None:
    async def run() -> list[int]:
        lanes, done = Lanes(4), list[int]()

        async def one(number: int) -> None:
            done.append(await lanes.thread(int, number))

        for number in range(500):
            lanes.add("a", lambda number=number: one(number))  # type: ignore[misc]
        await lanes.idle()
        lanes.close()
        return done

    assert loop.run(run()) == list(range(500))
