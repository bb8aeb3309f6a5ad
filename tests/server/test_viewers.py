"""Viewers: many, slow, silent and vanished ones, and what they cost the others."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.server.link import link
from tests.server.process import Server, serving
from tests.server.viewer import Viewer, base64_of, in_loop, order, picture, viewing

pytestmark = pytest.mark.slow

BINARY = "?frames=binary"
ENCODED = "visualneurons_frames_encoded_total"
STEPS = "visualneurons_steps_total"


@pytest.fixture(scope="module")
def impatient() -> Iterator[Server]:
    """A server that gives a viewer three seconds to take a frame."""
    with serving("--limit-unread", "3") as server:
        yield server.loaded()


def counted(studio: Server, name: str) -> float:
    """What is counted under a name, whatever the labels."""
    return sum(value for key, value in studio.metrics().items() if key.partition("{")[0] == name)


def finish(studio: Server, painting: str) -> None:
    """Wait until a painting is finished."""
    studio.wait(lambda: studio.state(painting) == "finished", 120)


async def watch(viewer: Viewer, painting: str, format: str = "png") -> None:
    await viewer.send("watch", {"painting": painting, "format": format})


# ---------------------------------------------------------------- what is encoded


def test_with_no_viewer_no_frame_is_encoded(studio: Server) -> None:
    encoded, steps = counted(studio, ENCODED), counted(studio, STEPS)
    finish(studio, studio.post(order(80, size=64))["painting"])
    assert counted(studio, STEPS) == steps + 80
    assert counted(studio, ENCODED) == encoded


@in_loop
async def test_a_frame_is_encoded_once_for_all_viewers_of_its_format(studio: Server) -> None:
    for number in (1, 10):
        async with AsyncExitStack() as stack:
            viewers = [await stack.enter_async_context(viewing(studio.socket + BINARY)) for _ in range(number)]
            owner = viewers[0]
            painting, _ = await owner.request(iterations=5000, size=128, format="png", seed=number)
            await owner.send("pause")  # until all are there
            await owner.until("paused")
            for viewer in viewers[1:]:
                await watch(viewer, painting)
                await viewer.until("paused")
            await asyncio.to_thread(studio.rested)
            encoded, steps = counted(studio, ENCODED), counted(studio, STEPS)
            seen = sum(len(viewer.frames) for viewer in viewers)
            hearing = [asyncio.create_task(viewer.until("end")) for viewer in viewers]
            await owner.send("resume")
            await asyncio.to_thread(studio.wait, lambda steps=steps: counted(studio, STEPS) >= steps + 120)
            await owner.send("finish")
            await asyncio.gather(*hearing)
            assert len({viewer.frames[-1].iteration for viewer in viewers}) == 1
            made, painted = counted(studio, ENCODED) - encoded, counted(studio, STEPS) - steps
            shown = sum(len(viewer.frames) for viewer in viewers) - seen
        assert 10 < made <= painted + 2
        assert shown > 5 * made if number == 10 else made - 3 <= shown <= made + 3


# ---------------------------------------------------------------- viewers that do not behave


def frame(opcode: int, payload: bytes) -> bytes:
    """A frame as a client sends it, masked with zeros."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else struct.pack(">BH", 0x80 | 126, len(payload))
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


@contextmanager
def bare(studio: Server, painting: str) -> Iterator[socket.socket]:
    """A socket that watches a painting, and reads no more than it is made to."""
    url = urlsplit(studio.url)
    with socket.socket() as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        end.settimeout(30)
        end.connect((url.hostname, url.port))
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        end.sendall(
            f"GET /styletransfer?frames=binary HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b" 101 " in end.recv(512)
        end.sendall(frame(1, json.dumps({"action": "watch", "data": {"painting": painting}}).encode()))
        yield end


def memory(process: int) -> float:
    """What a process keeps in memory, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.alone
@in_loop
async def test_viewers_that_never_read_cost_the_others_nothing_and_are_closed(impatient: Server) -> None:
    async with viewing(impatient.socket + BINARY) as good, AsyncExitStack() as stack:
        painting, _ = await good.request(iterations=1000, size=512, format="png")
        while len(good.frames) < 10:
            await good.until("end_iteration")
        before, memories = len(good.frames), [memory(impatient.process.pid)]
        begun = time.monotonic()
        idle = [await asyncio.to_thread(stack.enter_context, bare(impatient, painting)) for _ in range(10)]
        while time.monotonic() < begun + 5:
            await good.until("end_iteration")
            memories.append(memory(impatient.process.pid))
        shown = len(good.frames) - before
        gaps = [after.facts["at"] - earlier.facts["at"] for earlier, after in pairwise(good.frames)]
        assert shown > 10
        assert max(gaps) < 2
        # Each may have two frames on the way, of less than 1 MiB.
        assert max(memories) - memories[0] < 40, memories
        while impatient.json("healthz")["viewers"] > 1:
            await good.until("end_iteration")
        for end in idle:
            with suppress(ConnectionResetError):
                while await asyncio.to_thread(end.recv, 1 << 20):
                    pass
        assert impatient.said().count(f'event="viewer does not read" painting={painting}') == 10
        await good.send("finish")
        await good.until("end")


@in_loop
async def test_viewers_may_leave_in_the_middle_of_a_frame(studio: Server) -> None:
    async with viewing(studio.socket + BINARY) as good:
        painting, _ = await good.request(iterations=1000, size=384, format="jpeg")
        await good.until("end_iteration")
        for number in range(20):
            with bare(studio, painting) as end:
                await asyncio.to_thread(end.recv, 1 + 500 * number)
                if number % 2:  # with a reset, not a farewell
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        reached = good.frames[-1].iteration
        while good.frames[-1].iteration < reached + 10:
            await good.until("end_iteration")
        await good.send("finish")
        await good.until("end")
    await asyncio.to_thread(studio.wait, lambda: studio.metrics()["visualneurons_viewers"] == 0)
    assert "traceback" not in studio.said()
    assert "level=error" not in studio.said()


@in_loop
async def test_a_viewer_that_vanishes_without_a_word_is_closed_in_time(impatient: Server) -> None:
    posted = impatient.post(order(10_000, size=64))
    async with link(impatient.socket + BINARY) as wire, viewing(wire.address) as viewer:
        await watch(viewer, posted["painting"], "jpeg")
        await viewer.until("end_iteration")
        assert impatient.json("healthz")["viewers"] == 1
        wire.cut()
        begun = time.monotonic()
        await asyncio.to_thread(impatient.wait, lambda: impatient.json("healthz")["viewers"] == 0)
        assert time.monotonic() - begun < 20
        wire.restore()
    assert impatient.state(posted["painting"]) == "painting", "it goes on"
    impatient.delete(**posted)


@in_loop
async def test_a_silent_socket_that_vanishes_is_found_by_its_missing_signs_of_life() -> None:
    with serving(changed="import server.application; server.application.PING_EVERY = 4.0") as server:
        async with link(server.socket) as wire, viewing(wire.address) as viewer, viewing(server.socket) as idle:
            await viewer.until("model_loading")
            hearing = asyncio.create_task(idle.until("closed"))
            wire.cut()
            await asyncio.to_thread(server.wait, lambda: server.metrics()["visualneurons_sockets"] == 1)
            wire.restore()
            await idle.send("close")
            assert await hearing == ("closed", 1000), "who is silent, but there, stays"


# ---------------------------------------------------------------- slow links


def quality(picture: Any) -> int:
    """How coarse a JPEG is."""
    return sum(sum(table) for table in picture.quantization.values())


@pytest.mark.alone
@in_loop
async def test_a_slow_link_shows_fewer_frames_but_fresh_ones_and_the_last(studio: Server) -> None:
    async with (
        viewing(studio.socket + BINARY) as quick,
        link(studio.socket + BINARY, rate=100_000) as wire,
        viewing(wire.address) as slow,
    ):
        painting, _ = await quick.request(iterations=80, size=512, format="jpeg")
        await watch(slow, painting, "jpeg")

        ages, longest = [], 0.0

        async def look() -> None:
            nonlocal longest
            while (await slow.until("end_iteration", "end"))[0] != "end":
                ages.append(time.time() - slow.frames[-1].facts["at"])
                longest = max(longest, len(slow.frames[-1].image) / 100_000)

        await asyncio.gather(quick.until("end"), look())
        assert slow.frames[-1].iteration == 79
        shown = [each.iteration for each in slow.frames]
        assert shown == sorted(set(shown))
        assert await slow.hear() == ("closed", 1000)
    assert len(slow.frames) < len(quick.frames)
    # A frame waits for the one before it, is made, and then takes its time.
    assert max(ages) < 3 * longest + 1.5, (ages, longest)
    full = [each.picture for each in slow.frames if each.facts["width"] == 512]
    assert quality(full[-1]) > quality(quick.frames[-1].picture), "its frames are coarser"


@in_loop
async def test_who_still_looks_back_at_the_end_sees_the_last_frame_and_then_the_end(studio: Server) -> None:
    async with viewing(studio.socket + BINARY) as owner, viewing(studio.socket + BINARY) as late:
        painting, _ = await owner.request(iterations=100, size=256, format="jpeg")
        while not owner.frames or owner.frames[-1].iteration < 20:
            await owner.hear()
        await late.send("watch", {"painting": painting, "from": 0, "format": "jpeg"})
        await owner.send("finish")  # while the other takes none of the frames that were kept
        await owner.until("end")
        await late.until("end")
        assert late.frames[-1].iteration == owner.frames[-1].iteration
        assert await late.hear() == ("closed", 1000)


@in_loop
async def test_who_asks_as_in_the_original_has_every_iteration_on_a_slow_link_too(impatient: Server) -> None:
    async with link(impatient.socket, rate=100_000) as wire, viewing(wire.address) as viewer:
        begun = time.monotonic()
        await viewer.request(iterations=20, content_image=base64_of(picture(160, 16)))
        _, end = await viewer.until("end")
        assert time.monotonic() - begun > end["elapsed"] + 3, "it lags further behind than a viewer may leave a frame"
        assert [each.iteration for each in viewer.frames] == list(range(20))
        assert await viewer.hear() == ("closed", 1000)
