"""Two studios with one gallery in the cloud: each painting is one's at a time, and goes on when that one is gone.

Real servers and real signals, and an emulated S3 and DynamoDB. A claim lives a few seconds here. To start a studio
costs most of the time: those that go have one heir, and those that stay are the same two, with another gallery.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import quote

import boto3
import numpy as np
import pytest
from PIL import Image

from gallery.table import TABLE
from tests.gallery.emulator import emulating
from tests.server.link import link
from tests.server.process import Server, get, refused, serving
from tests.server.viewer import Viewer, in_loop, order, viewing

pytestmark = pytest.mark.slow

LIFE = 6.0
ITERATIONS, CHECKPOINT = 128, 15
NUMBERS = itertools.count()
ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "NO_PROXY": "*",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an S3 and a DynamoDB."""
    with emulating() as address, pytest.MonkeyPatch.context() as patch:
        for name, value in ACCOUNT.items():
            patch.setenv(name, value)
        yield address


def new_gallery(endpoint: str) -> str:
    """The address of a new gallery."""
    name = f"shared-{next(NUMBERS)}"
    place = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name, CreateBucketConfiguration=place)
    boto3.client("dynamodb", endpoint_url=endpoint).create_table(TableName=name, **TABLE)
    return f"s3://{name}/kept?table={name}&endpoint={quote(endpoint)}&life={LIFE}"


@contextmanager
def studio(gallery: str, name: str) -> Iterator[Server]:
    """A studio of this name, which can paint."""
    with serving("--studio", name, gallery=gallery, env=dict(os.environ)) as server:
        yield server.loaded()


@pytest.fixture(scope="module")
def pair(endpoint: str) -> Iterator[tuple[Server, Server]]:
    """Two studios with one gallery, both of which stay."""
    gallery = new_gallery(endpoint)
    with studio(gallery, "one") as one, studio(gallery, "two") as two:
        yield one, two


@pytest.fixture(scope="module")
def gallery(endpoint: str) -> str:
    """The gallery of the heir, and of one at a time that goes."""
    return new_gallery(endpoint)


@pytest.fixture(scope="module")
def heir(gallery: str) -> Iterator[Server]:
    """A studio that stays when another goes."""
    with studio(gallery, "heir") as server:
        yield server


@pytest.fixture(scope="module")
def undisturbed(heir: Server) -> bytes:
    """The pixels of the painting that all of these tests order, painted in peace."""
    heir.post(ours("alone"))
    heir.wait(lambda: heir.state("alone") == "finished")
    return pixels(heir, "alone")


def ours(painting: str, **more: Any) -> dict[str, Any]:
    """The order of the painting."""
    return order(
        painting=painting, key=f"key-of-{painting}", **{"size": 224, "scales": 1, "iterations": ITERATIONS, **more}
    )


def pixels(server: Server, painting: str) -> bytes:
    """The pixels of a finished painting."""
    with get(f"{server.url}paintings/{painting}/picture") as answer:
        assert answer.headers["Content-Type"] == "image/png"
        return np.asarray(Image.open(io.BytesIO(answer.read()))).tobytes()


def steps(server: Server) -> int:
    """How many iterations a studio has painted."""
    return int(server.metrics()["visualneurons_steps_total"])


async def reached(viewer: Viewer, iteration: int) -> None:
    """Hear until this iteration has been seen."""
    while not viewer.frames or viewer.frames[-1].iteration < iteration:
        await viewer.until("end_iteration")


@asynccontextmanager
async def watching(server: Server, painting: str, **more: Any) -> AsyncIterator[Viewer]:
    """A viewer who watches a painting."""
    async with viewing(server.socket) as viewer:
        await viewer.send("watch", {"painting": painting, **more})
        yield viewer


async def begun(viewer: Viewer, other: Server, painting: str, iterations: int = ITERATIONS) -> None:
    """Order the painting, and look on until a checkpoint is in the gallery, so that another studio knows of it."""
    await viewer.send("request_image", ours(painting, iterations=iterations))
    await viewer.until("painting")
    while (await asyncio.to_thread(other.json, f"paintings/{painting}"))["iteration"] < CHECKPOINT:
        await viewer.until("end_iteration")


# ---------------------------------------------------------------- studios that go


@in_loop
async def test_a_studio_that_is_ended_hands_its_painting_over(gallery: str, heir: Server, undisturbed: bytes) -> None:
    before = steps(heir)
    with studio(gallery, "ended") as ended:
        async with viewing(ended.socket) as viewer:
            await begun(viewer, heir, "handed")
            ended.process.send_signal(signal.SIGTERM)
            await viewer.until("moved")
            assert await viewer.until("closed") == ("closed", 1013)
            last = viewer.frames[-1].iteration
        async with watching(heir, "handed") as viewer:  # as the page does, at once
            await viewer.until("end", seconds=LIFE + 60)
            assert viewer.frames[-1].iteration == ITERATIONS - 1
        assert await asyncio.to_thread(ended.process.wait, 60) == 0
        assert "Traceback" not in ended.said() + heir.said()
    assert pixels(heir, "handed") == undisturbed
    assert steps(heir) - before < ITERATIONS - last, "it went on from where it was"


@in_loop
async def test_a_studio_that_vanishes_is_waited_for_and_then_replaced(
    gallery: str, heir: Server, undisturbed: bytes
) -> None:
    before = steps(heir)
    with studio(gallery, "vanished") as vanished:
        async with viewing(vanished.socket) as viewer:
            await begun(viewer, heir, "missed")
            vanished.process.kill()
            await viewer.until("closed")
    async with watching(heir, "missed", key="key-of-missed") as viewer:
        _, told = await viewer.until("recovering")
        assert 0 < told["begins"] <= LIFE
        assert told["reason"].startswith("Another studio has it.")
        assert (await asyncio.to_thread(heir.json, "paintings/missed"))["state"] == "painting"
        await viewer.send("pause")
        _, refusal = await viewer.until("error")
        assert refusal["code"] == "painting_elsewhere"
        await viewer.until("end", seconds=LIFE + 60)
    assert pixels(heir, "missed") == undisturbed
    assert steps(heir) - before < ITERATIONS - CHECKPOINT


def test_what_a_studio_leaves_behind_is_finished_though_nobody_asks(
    gallery: str, heir: Server, undisturbed: bytes
) -> None:
    with studio(gallery, "killed") as killed:
        killed.post(ours("left"))
        killed.wait(lambda: killed.json("paintings/left")["iteration"] >= CHECKPOINT)
        killed.process.kill()
    heir.wait(lambda: 'event="painting found" painting=left' in heir.said(), 3 * LIFE + 30)
    heir.wait(lambda: heir.state("left") == "finished")
    assert pixels(heir, "left") == undisturbed


# ---------------------------------------------------------------- studios that stay


@in_loop
async def test_one_id_asked_for_at_both_at_once_is_painted_once(pair: tuple[Server, Server]) -> None:
    before = [steps(server) for server in pair]
    async with viewing(pair[0].socket) as first, viewing(pair[1].socket) as second:
        viewers = first, second
        for viewer in viewers:
            await viewer.send("request_image", ours("twice", iterations=20))
        for viewer in viewers:
            assert (await viewer.until("painting"))[1] == {"painting": "twice", "key": "key-of-twice"}
        for viewer in viewers:
            await viewer.until("end")
            assert viewer.frames[-1].iteration == 19
    assert sorted(steps(server) - number for server, number in zip(pair, before, strict=True)) == [0, 20]


@in_loop
async def test_another_studios_painting_is_seen_as_it_is_kept_and_left_alone(pair: tuple[Server, Server]) -> None:
    one, two = pair
    before = steps(two)
    async with viewing(one.socket) as owner, viewing(two.socket) as afar:
        await begun(owner, two, "seen", iterations=2000)
        await afar.send("watch", {"painting": "seen", "from": 0})
        await afar.until("recovering")
        await reached(afar, 8)
        await owner.send("finish")
        for viewer in (owner, afar):
            await viewer.until("end", seconds=120)
        assert [frame.iteration for frame in afar.frames] == sorted({frame.iteration for frame in afar.frames})
        assert afar.frames[-1].iteration == owner.frames[-1].iteration
    assert steps(two) == before


@in_loop
async def test_a_studio_that_was_out_for_too_long_has_lost_its_painting(
    pair: tuple[Server, Server], undisturbed: bytes
) -> None:
    one, two = pair
    async with viewing(one.socket) as owner:
        await begun(owner, two, "lost")
        os.kill(one.process.pid, signal.SIGSTOP)
        async with watching(two, "lost") as viewer:
            await viewer.until("queued", "start_iteration", seconds=LIFE + 60)
            os.kill(one.process.pid, signal.SIGCONT)
            assert (await owner.until("moved"))[1] is None
            await owner.until("closed")
            await viewer.until("end", seconds=120)
    assert pixels(two, "lost") == undisturbed
    assert pixels(one, "lost") == undisturbed
    assert 'event="painting lost to another studio" painting=lost' in one.said()
    assert "Traceback" not in one.said() + two.said()


@in_loop
async def test_what_is_at_rest_goes_on_wherever_its_owner_asks(pair: tuple[Server, Server]) -> None:
    one, two = pair
    async with viewing(one.socket) as owner:
        await begun(owner, two, "at-rest", iterations=2000)
        await owner.send("pause")
        _, paused = await owner.until("paused")
        async with watching(two, "at-rest", key="key-of-at-rest") as again:
            await again.until("paused")
            await again.send("resume")
            while (await again.until("queued", "error"))[0] == "error":  # the first has not let go of it yet
                assert again.states[-1][1]["code"] == "painting_elsewhere"
                await again.send("resume")
            state, _ = await owner.until("recovering", "end")
            assert state == "recovering", "who looks on at the first is told"
            await reached(again, paused["iteration"] + 2)
            await again.send("finish")
            _, ended = await again.until("end")
            await owner.until("end")
            assert ended["iterations"] > paused["iteration"] + 1
    assert (await asyncio.to_thread(one.json, "paintings/at-rest"))["of"] == ended["iterations"]
    async with watching(one, "at-rest", key="key-of-at-rest") as back:
        await back.until("end")
        await back.send("more", {"iterations": 5})
        _, further = await back.until("end")
        assert further["iterations"] == ended["iterations"] + 5
    await asyncio.to_thread(two.wait, lambda: two.json("paintings/at-rest")["of"] == further["iterations"])


def test_who_forgets_a_painting_is_heard_where_it_is(pair: tuple[Server, Server]) -> None:
    one, two = pair
    one.post(ours("forgotten", iterations=2000))
    one.wait(lambda: one.state("forgotten") == "painting")
    told = refused(two.delete, "forgotten", "key-of-forgotten")
    assert (told.status, told.code, told.headers["Retry-After"]) == (409, "painting_elsewhere", "10")
    one.delete("forgotten", "key-of-forgotten")
    assert refused(two.json, "paintings/forgotten").code == "painting_unknown"


# ---------------------------------------------------------------- a gallery that does not answer


@in_loop
async def test_signs_of_life_are_answered_while_the_gallery_is_not(
    gallery: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with link(endpoint) as way:
        with serving(gallery=gallery.replace(quote(endpoint), quote(way.address)), env=dict(os.environ)) as server:
            async with viewing(server.socket) as viewer:
                await viewer.send("watch", {"painting": "one"})
                await viewer.until("error")
                way.cut()
                await viewer.send("watch", {"painting": "two"})
                answer = asyncio.create_task(viewer.until("error"))
                alive = asyncio.get_running_loop().create_future()
                monkeypatch.setattr(viewer.socket, "on_pong", alive.set_result)
                viewer.socket.ping(b"there?")
                assert await asyncio.wait_for(alive, 10) == b"there?"
                assert not answer.done(), "the gallery answers nothing as yet"
                way.restore()
                assert (await answer)[1]["code"] == "painting_unknown"
