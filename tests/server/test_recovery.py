"""Easels and servers that die, hang, or are asked to leave: the paintings go on.

Real processes and real signals. The paintings are small, so that an iteration takes some ten milliseconds.
"""

from __future__ import annotations

import asyncio
import io
import os
import random
import resource
import signal
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import numpy as np
import pytest
from PIL import Image
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.websocket import WebSocketError

from gallery import opened
from tests import loop
from tests.server.process import Server, get, held, serving
from tests.server.viewer import Viewer, base64_of, in_loop, order, picture, viewing

pytestmark = pytest.mark.slow

CANCELLED = {
    "code": "painting_cancelled",
    "message": "The painting was cancelled by its owner.",
    "hint": "Start another one.",
}

GONE = (OSError, HTTPException, HTTPStreamClosedError, WebSocketError)  # what a client meets whose server is killed

KILLS = 20
MEETINGS = {"queued", "begun", "finished"}  # the paintings that kills of servers are to meet with
# A server that waits on and on before it leaves, if there is anything that it waits for.
PATIENT = "import server.command; server.command.CLOSING = 1000.0"
DEADLINE = 8  # seconds for which an easel at work may say nothing


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a painting in its gallery that cannot be read."""
    gallery = tmp_path_factory.mktemp("gallery")
    place = opened(str(gallery))
    assert place.add("strange", {"done": False, "recipe": {"nonsense": 1}}, {"photo": b"x"})
    place.close()
    with serving(gallery=gallery) as running:
        yield running.loaded()


def painted(server: Server, painting: str) -> bytes:
    """The pixels of a finished painting."""
    with get(f"{server.url}paintings/{painting}/picture") as answer:
        assert answer.headers["Content-Type"] == "image/png"
        return np.asarray(Image.open(io.BytesIO(answer.read()))).tobytes()


def ask(server: Server, painting: str, **fields: Any) -> Any:
    """Order a painting over HTTP."""
    return server.post(order(painting=painting, key=f"key-of-{painting}", **fields))


def finished(server: Server, painting: str) -> bool:
    return server.state(painting) == "finished"


def checkpoints(gallery: Path, painting: str) -> list[int]:
    """The iterations of which a checkpoint lies in the folder of a gallery."""
    return sorted(int(path.name) for path in gallery.glob(f"paintings/{painting}/checkpoints/*"))


async def loaded(server: Server) -> None:
    """Wait until an easel can paint."""
    async with viewing(server.socket) as viewer:
        await viewer.until("model_loaded")


async def reached(viewer: Viewer, iteration: int) -> None:
    """Hear until this iteration has been seen."""
    while not viewer.frames or viewer.frames[-1].iteration < iteration:
        await viewer.until("end_iteration")


async def goes_on(viewer: Viewer) -> None:
    """Hear until a frame is shown that was painted from now on."""
    now = time.time()
    while not viewer.frames or viewer.frames[-1].facts["at"] < now:
        await viewer.until("end_iteration")


def saw_the_whole(viewer: Viewer, iterations: int, every: bool = False) -> None:
    """What was painted again after a death was not shown again."""
    seen = [frame.iteration for frame in viewer.frames]
    assert seen == (list(range(iterations)) if every else sorted(set(seen)))
    assert seen[-1] == iterations - 1


def outlived(easels: list[int]) -> list[int]:
    """Which of these processes are still there, and are easels."""
    still = []
    for easel in easels:
        try:
            command = Path(f"/proc/{easel}/cmdline").read_bytes()
        except OSError:
            continue
        if b"spawn_main" in command:
            still.append(easel)
    return still


# ---------------------------------------------------------------- easels


async def survive(server: Server, gallery: Path, chance: random.Random, kills: int) -> None:
    """Let a server's easel be killed at random iterations, at most twice in each painting."""
    iterations = 140
    await loaded(server)
    async with viewing(server.socket) as viewer:
        alone, _ = await viewer.request(size=96, iterations=iterations)
        await viewer.until("end")
    undisturbed = await asyncio.to_thread(painted, server, alone)
    number = 0
    while kills:
        number += 1
        async with viewing(server.socket) as viewer:
            await viewer.request(size=96, iterations=iterations, painting=f"p{number}")
            for low, high in ((0, 35), (40, 75))[:kills]:
                await goes_on(viewer)
                await reached(viewer, chance.randint(low, high))
                (easel,) = server.easels()
                os.kill(easel, signal.SIGKILL)
                state, data = await viewer.until("recovering", "end")
                if state == "end":  # it was painted before the kill
                    break
                assert "SIGKILL" in data["reason"]
                told = await asyncio.to_thread(server.json, f"paintings/p{number}")
                assert told["state"] in {"recovering", "painting"}
                kept = max(checkpoints(gallery, f"p{number}"), default=-1)
                seconds = {frame.iteration: frame.facts["elapsed"] for frame in viewer.frames}
                since = max((value for at, value in seconds.items() if at <= kept), default=0.0)
                assert told["iteration"] - kept <= 25 or told["elapsed"] - since <= 10
                kills -= 1
            else:
                _, data = await viewer.until("end")
            assert data["iterations"] == iterations
            saw_the_whole(viewer, iterations)
        assert await asyncio.to_thread(painted, server, f"p{number}") == undisturbed


@pytest.mark.timeout(900)  # on a busy machine
def test_easels_killed_at_random_iterations_lose_little_and_change_nothing(tmp_path: Path) -> None:
    with serving(gallery=tmp_path) as server:
        loop.run(survive(server, tmp_path, random.Random(20), KILLS))


@in_loop
async def test_a_painting_that_kills_three_easels_is_given_up_and_the_others_go_on(server: Server) -> None:
    async with viewing(server.socket) as viewer, viewing(server.socket) as other:
        _, key = await viewer.request(size=96, iterations=2000, painting="deadly")
        await other.request(size=96, iterations=20, painting="behind")
        for death in range(3):
            await goes_on(viewer)
            (easel,) = server.easels()
            os.kill(easel, signal.SIGKILL)
            state, data = await viewer.until("recovering", "error")
            assert state == ("recovering" if death < 2 else "error")
        assert data["code"] == "painting_deadly"
        assert "3 times its easel died. The last time: The easel was ended by SIGKILL." in data["message"]
        assert "resume" in data["hint"]
        await other.until("end")
        saw_the_whole(other, 20)
        told = await asyncio.to_thread(server.json, "paintings/deadly")
        assert (told["state"], told["error"]) == ("failed", data)
    async with viewing(server.socket) as owner:
        await owner.send("watch", {"painting": "deadly", "key": key})
        await owner.until("error")
        await owner.send("resume")
        await reached(owner, viewer.frames[-1].iteration + 1)
        assert "error" not in await asyncio.to_thread(server.json, "paintings/deadly")
        await owner.send("finish")
        _, data = await owner.until("end")
        assert owner.frames[-1].iteration == data["iterations"] - 1


@in_loop
async def test_an_easel_that_hangs_or_runs_out_of_memory_is_replaced() -> None:
    with serving("--deadline", str(DEADLINE)) as server:
        await loaded(server)
        async with viewing(server.socket) as viewer:
            large = base64_of(picture(192, 128))
            await viewer.request(iterations=400, content_image=large)  # as the original did: each is promised
            await reached(viewer, 5)
            (hanging,) = server.easels()
            os.kill(hanging, signal.SIGSTOP)
            _, data = await viewer.until("recovering", seconds=DEADLINE + 10)
            assert data["reason"].startswith("The easel hung: it said nothing for ")
            await reached(viewer, viewer.frames[-1].iteration + 1)
            (greedy,) = server.easels()
            resource.prlimit(greedy, resource.RLIMIT_AS, (1 << 20, resource.RLIM_INFINITY))
            _, data = await viewer.until("recovering")
            assert data["reason"]
            await reached(viewer, viewer.frames[-1].iteration + 1)
            await viewer.send("finish")
            _, data = await viewer.until("end")
            saw_the_whole(viewer, data["iterations"], every=True)
        assert outlived([hanging, greedy]) == []


# ---------------------------------------------------------------- servers


@pytest.mark.timeout(900)  # on a busy machine
def test_servers_killed_at_random_moments_lose_no_painting_and_paint_none_twice(tmp_path: Path) -> None:
    loop.run(kill_servers(tmp_path / "gallery", random.Random(4)))


async def kill_servers(gallery: Path, chance: random.Random) -> None:
    """Kill servers over one gallery, with paintings queued, being painted and being finished."""
    accepted: set[str] = set()
    asked: set[str] = set()
    done: dict[str, bytes] = {}  # pixels of those that were told to be finished
    met: set[str] = set()  # what the kills have met with

    async def look(server: Server) -> None:
        """Hold the gallery to all that was promised."""
        for painting in sorted(accepted):
            told = await asyncio.to_thread(server.json, f"paintings/{painting}")
            assert told["state"] in {"queued", "painting", "finished"}
            if painting in done or told["state"] == "finished":
                assert told["state"] == "finished"
                pixels = await asyncio.to_thread(painted, server, painting)
                assert done.setdefault(painting, pixels) == pixels
            met.add("begun" if told["state"] == "queued" and told["iteration"] >= 0 else told["state"])

    async def demand(server: Server, painting: str, pause: float) -> None:
        """Ask for a painting, by socket or over HTTP, and look on until it is finished or all is over."""
        await asyncio.sleep(pause)
        asked.add(painting)
        fields = {"size": 96, "iterations": chance.choice([10, 60]), "seed": len(asked)}
        if chance.random() < 0.5:
            await asyncio.to_thread(ask, server, painting, **fields)
            accepted.add(painting)
            return
        async with viewing(server.socket) as viewer:
            await viewer.send("request_image", order(painting=painting, key=f"key-of-{painting}", **fields))
            if (await viewer.until("painting", "closed"))[0] == "painting":
                accepted.add(painting)
                if (await viewer.until("end", "closed"))[0] == "end":
                    done[painting] = await asyncio.to_thread(painted, server, painting)

    for round in range(3 * KILLS):
        if round >= KILLS and len(accepted) >= KILLS and met >= MEETINGS:
            break
        with serving("--limit-paintings", "1000", gallery=gallery) as server:
            await look(server)
            if round % 3 == 1:  # to be loaded is most of what it costs
                await loaded(server)
            length = chance.uniform(0, 3)
            pauses = [0.0, chance.uniform(0, length)]
            demands = [asyncio.create_task(demand(server, f"p{round}-{n}", pause)) for n, pause in enumerate(pauses)]
            await asyncio.sleep(length)
            easels = server.easels()
            server.process.kill()
            server.process.wait()
            for outcome in await asyncio.gather(*demands, return_exceptions=True):
                assert outcome is None or isinstance(outcome, GONE), outcome
                assert not isinstance(outcome, HTTPError), outcome
            until = time.monotonic() + 30
            while outlived(easels):
                assert time.monotonic() < until, "easels outlive their server"
                await asyncio.sleep(0.02)

    with serving("--limit-paintings", "1000", gallery=gallery) as server:
        await look(server)
        assert met >= MEETINGS
        await asyncio.to_thread(server.wait, lambda: all(finished(server, painting) for painting in accepted), 300)
        await look(server)
        there = {path.name for path in gallery.glob("paintings/*")}
        assert accepted <= there <= asked
        assert len(accepted) >= KILLS
        for painting in sorted(asked):
            told = await asyncio.to_thread(ask, server, painting, size=96, iterations=10)
            assert told == {"painting": painting, "key": f"key-of-{painting}"}
        assert {path.name for path in gallery.glob("paintings/*")} == asked
        await look(server)
        assert "level=error" not in server.said()


# ---------------------------------------------------------------- leaving


async def leaves(server: Server) -> None:
    """Wait until a server that was asked to has ended, and find that it did so cleanly."""
    assert await asyncio.to_thread(server.process.wait, 60) == 0
    assert "Traceback" not in server.said()


@in_loop
async def test_a_server_that_leaves_loses_no_iteration_and_waits_for_no_easel_that_hangs(tmp_path: Path) -> None:
    with serving(gallery=tmp_path) as server:
        await loaded(server)
        async with viewing(server.socket) as viewer, viewing(server.socket) as other:
            await viewer.request(size=96, iterations=400, painting="one")
            await other.request(size=96, iterations=10, painting="two")
            await reached(viewer, 30)
            easels = server.easels()
            server.process.send_signal(signal.SIGTERM)
            for each in (viewer, other):
                await each.until("moved")
                assert await each.until("closed") == ("closed", 1013)
        await leaves(server)
        assert outlived(easels) == []
    last = checkpoints(tmp_path, "one")[-1]
    assert viewer.frames[-1].iteration <= last < 399
    frames = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("paintings/one/frames/*")}
    assert max(map(int, frames)) == last
    with held() as held_easels, serving(gallery=tmp_path, env=os.environ | held_easels.env) as server:
        told = await asyncio.to_thread(server.json, "paintings/one")
        assert (told["state"], told["iteration"]) == ("queued", last)
        held_easels.let()
        await asyncio.to_thread(server.wait, lambda: finished(server, "one") and finished(server, "two"))
        painted_now = (await asyncio.to_thread(server.metrics))["visualneurons_steps_total"]
        assert painted_now == 399 - last + 10, "what was painted is not painted again"
        for path in tmp_path.glob("paintings/one/frames/*"):
            if path.name in frames:
                assert path.stat().st_mtime_ns == frames[path.name], "what was kept is not kept again"
        await leaves_though_its_easel_hangs(server)


async def leaves_though_its_easel_hangs(server: Server) -> None:
    """Ask a server to leave while its easel stands still in the middle of a painting."""
    async with viewing(server.socket) as viewer, viewing(server.socket) as late:
        await viewer.request(size=96, iterations=400)
        await reached(viewer, 30)
        (easel,) = server.easels()
        os.kill(easel, signal.SIGSTOP)
        server.process.send_signal(signal.SIGTERM)
        await viewer.until("moved")
        await late.send("request_image", order(iterations=5))
        assert (await late.until("error"))[1]["code"] == "studio_leaving"
        with pytest.raises(URLError):  # nobody new is let in
            await asyncio.to_thread(get, server.url)
    await leaves(server)
    assert outlived([easel]) == []


@in_loop
async def test_a_server_that_leaves_does_not_wait_for_the_model(tmp_path: Path) -> None:
    with held() as easels, serving(gallery=tmp_path, env=os.environ | easels.env, changed=PATIENT) as server:
        async with viewing(server.socket) as viewer:
            await viewer.request(size=96, painting="one")
            server.process.send_signal(signal.SIGTERM)
            await viewer.until("moved")
        await leaves(server)
    assert [path.name for path in tmp_path.glob("paintings/*")] == ["one"]


def test_a_painting_that_cannot_be_read_keeps_no_studio_from_starting(server: Server) -> None:
    painting = server.post(order(3))["painting"]
    server.wait(lambda: server.state(painting) == "finished")
    assert 'event="a painting cannot be read" painting=strange' in server.said()


@in_loop
async def test_an_id_that_was_cancelled_can_be_used_again_whoever_still_looked_on(server: Server) -> None:
    server.loaded()
    async with viewing(server.socket) as viewer:
        _, key = await viewer.request(iterations=2000, painting="twice", size=192)
        await viewer.until("end_iteration")
        await asyncio.to_thread(server.delete, "twice", key)
        again = await asyncio.to_thread(server.post, order(5, seed=3, painting="twice"))
        assert again["painting"] == "twice"
        assert again["key"] not in (None, key)
        assert await viewer.until("error", seconds=10) == ("error", CANCELLED)
        assert (await viewer.hear())[0] == "closed"
    await asyncio.to_thread(server.wait, lambda: server.state("twice") == "finished")
    assert server.json("paintings/twice")["of"] == 5
