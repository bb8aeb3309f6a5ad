"""The queue: whose turn it is, and when."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import groupby, pairwise
from typing import Any

import pytest

from tests.server.process import Held, Server, held, serving
from tests.server.viewer import Viewer, in_loop, viewing

pytestmark = pytest.mark.slow

WORK: dict[str, Any] = {"iterations": 60, "size": 256, "format": "jpeg"}


@pytest.fixture(scope="module")
def easels() -> Iterator[Held]:
    """The easels of `pair`, which load when they are let."""
    with held() as made:
        yield made


@pytest.fixture(scope="module")
def pair(easels: Held) -> Iterator[Server]:
    """A studio with two easels."""
    with serving("--easels", "2", env=os.environ | easels.env) as server:
        yield server


class Asker:
    """Somebody who asks for a painting, and notes when what happens to it."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.told: list[tuple[float, dict[str, Any]]] = []  # its place in the queue, and when that was said
        self.began = self.ended = 0.0

    async def ask(self, **fields: Any) -> None:
        """Send the request, and wait until it is in the queue."""
        await self.viewer.request(**fields)

    async def look(self) -> None:
        """Look on until the end."""
        await self.look_until("end")

    async def look_until(self, last: str) -> None:
        """Look on until this is told."""
        state = ""
        while state != last:
            state, data = await self.viewer.hear()
            now = time.monotonic()
            if state == "queued":
                self.told.append((now, data))
            elif state == "start_iteration" and not self.began:
                self.began = now
            elif state == "end":
                self.ended = now
            assert state not in ("closed", "error"), data

    @property
    def positions(self) -> list[int]:
        """Its places in the queue, one after the other."""
        return [position for position, _ in groupby(data["position"] for _, data in self.told)]


async def askers(stack: AsyncExitStack, studio: Server, number: int) -> list[Asker]:
    return [Asker(await stack.enter_async_context(viewing(studio.socket + "?frames=binary"))) for _ in range(number)]


@pytest.mark.alone
@in_loop
async def test_who_waits_is_told_the_position_and_when_it_will_be_and_that_comes_true(studio: Server) -> None:
    async with AsyncExitStack() as stack:
        first, *others = await askers(stack, studio, 5)
        await first.ask(**WORK)  # from which the studio learns what such a painting takes
        await first.look()
        for each in others:
            await each.ask(**WORK)
        await asyncio.gather(*(each.look() for each in others))

    # The first begins at once, and each of the others goes up one by one, to the front.
    assert [each.positions for each in others] == [[], [1], [2, 1], [3, 2, 1]]
    ends = [each.ended for each in others]
    assert ends == sorted(ends)
    for before, after in pairwise(others):
        assert after.viewer.frames[0].facts["at"] > before.viewer.frames[-1].facts["at"]

    # A machine that does other things meanwhile changes its pace, which nobody can foretell: as much is granted.
    paces = [each.ended - each.began for each in (first, *others)]
    within = 1.3 * max(paces) / min(paces)
    for each in others:
        for moment, told in each.told:
            for name, came in (("begins", each.began), ("eta", each.ended)):
                seconds = came - moment
                assert seconds / within - 0.3 < told[name] < seconds * within + 0.3, (name, told, seconds, paces)


@in_loop
async def test_an_order_may_come_before_the_model_is_loaded(pair: Server, easels: Held) -> None:
    async with AsyncExitStack() as stack:
        early, *_ = await askers(stack, pair, 1)
        assert (await early.viewer.hear())[0] == "model_loading"
        await early.ask(**WORK)
        await early.look_until("queued")
        easels.let()
        await early.look()
    states = [state for state, _ in early.viewer.states]
    assert states.index("queued") < states.index("model_loaded") < states.index("start_iteration")
    assert early.positions == [1]


@in_loop
async def test_two_easels_paint_two_at_once(pair: Server, easels: Held) -> None:
    easels.let()
    await asyncio.to_thread(pair.rested)
    async with AsyncExitStack() as stack:
        three = await askers(stack, pair, 3)
        for each, iterations in zip(three, (2000, 2000, 60), strict=True):
            await each.ask(**WORK | {"iterations": iterations})
        looking = asyncio.gather(*(each.look() for each in three))
        while not (three[0].began and three[1].began):
            await asyncio.sleep(0.02)
        assert [each["state"] for each in pair.json("healthz")["easels"]] == ["painting", "painting"]
        for each in three[:2]:
            await each.viewer.send("finish")
        await looking
    assert [each.positions for each in three] == [[], [], [1]]
    frames = [each.viewer.frames for each in three]
    assert frames[2][0].facts["at"] > min(each[-1].facts["at"] for each in frames[:2])


@in_loop
async def test_who_leaves_the_queue_lets_the_others_go_up(pair: Server, easels: Held) -> None:
    easels.let()
    await asyncio.to_thread(pair.rested)
    async with AsyncExitStack() as stack:
        *busy, gone, last = await askers(stack, pair, 4)
        for each in busy:
            await each.ask(iterations=10_000, size=64, format="jpeg")
        painting, key = await gone.viewer.request(**WORK)
        await gone.viewer.until("queued")
        await last.ask(iterations=5, size=64, format="jpeg")
        assert (await last.viewer.until("queued"))[1]["position"] == 2
        await asyncio.to_thread(pair.delete, painting, key)
        assert (await gone.viewer.until("error"))[1]["code"] == "painting_cancelled"
        assert await gone.viewer.until("closed") == ("closed", 1008)
        while (await last.viewer.until("queued"))[1]["position"] > 1:
            pass
        await busy[0].viewer.send("pause")  # which lets the easel go
        await last.look()
        for each in busy:
            await each.viewer.send("finish")
            await each.viewer.until("end")
