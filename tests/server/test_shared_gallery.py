"""Two studios with one gallery in the cloud: each painting is one's at a time, and goes on when that one is gone.

Real servers and real signals, and an emulated S3 and DynamoDB. A claim lives a few seconds here.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import quote

import boto3
import numpy as np
import pytest
from PIL import Image

from gallery.table import TABLE
from tests.gallery.emulator import emulating
from tests.server.process import Server, get, refused, serving
from tests.server.viewer import Viewer, in_loop, order, viewing

pytestmark = pytest.mark.slow

LIFE = 6.0
ITERATIONS, CHECKPOINT = 48, 7
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


@pytest.fixture
def gallery(endpoint: str) -> str:
    """The address of a new gallery."""
    name = f"shared-{next(NUMBERS)}"
    place = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name, CreateBucketConfiguration=place)
    boto3.client("dynamodb", endpoint_url=endpoint).create_table(TableName=name, **TABLE)
    return f"s3://{name}/kept?table={name}&endpoint={quote(endpoint)}&life={LIFE}"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The pixels of the painting that all of these tests order, painted by one studio in peace."""
    with serving(gallery=tmp_path_factory.mktemp("gallery")) as server:
        server.loaded().post(ours("alone"))
        server.wait(lambda: server.state("alone") == "finished")
        return pixels(server, "alone")


@contextmanager
def studios(gallery: str, *names: str) -> Iterator[list[Server]]:
    """Studios of these names, which can paint."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serving("--studio", name, gallery=gallery, env=dict(os.environ))) for name in names
        ]
        yield [server.loaded() for server in servers]


def ours(painting: str, **more: Any) -> dict[str, Any]:
    """The order of the painting."""
    return order(painting=painting, key=f"key-of-{painting}", **{"size": 320, "iterations": ITERATIONS, **more})


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


async def begun(viewer: Viewer, other: Server) -> None:
    """Order the painting, and look on until a checkpoint is in the gallery, so that another studio knows of it."""
    await viewer.send("request_image", ours("one"))
    await viewer.until("painting")
    while (await asyncio.to_thread(other.json, "paintings/one"))["iteration"] < CHECKPOINT:
        await viewer.until("end_iteration")


@in_loop
async def test_a_studio_that_is_ended_hands_its_painting_over(gallery: str, undisturbed: bytes) -> None:
    with studios(gallery, "one", "two") as (one, two):
        async with viewing(one.socket) as viewer:
            await begun(viewer, two)
            one.process.send_signal(signal.SIGTERM)
            await viewer.until("moved")
            assert await viewer.until("closed") == ("closed", 1013)
            last = viewer.frames[-1].iteration
        async with watching(two, "one") as viewer:  # as the page does, at once
            await viewer.until("end", seconds=LIFE + 60)
            assert viewer.frames[-1].iteration == ITERATIONS - 1
        assert await asyncio.to_thread(one.process.wait, 10) == 0
        assert "Traceback" not in one.said() + two.said()
        assert await asyncio.to_thread(pixels, two, "one") == undisturbed
        assert await asyncio.to_thread(steps, two) < ITERATIONS - last, "it went on from where it was"


@in_loop
async def test_a_studio_that_vanishes_is_waited_for_and_then_replaced(gallery: str, undisturbed: bytes) -> None:
    with studios(gallery, "one", "two") as (one, two):
        async with viewing(one.socket) as viewer:
            await begun(viewer, two)
            one.process.kill()
            await viewer.until("closed")
        async with watching(two, "one", key="key-of-one") as viewer:
            _, told = await viewer.until("recovering")
            assert 0 < told["begins"] <= LIFE
            assert told["reason"].startswith("Another studio has it.")
            assert (await asyncio.to_thread(two.json, "paintings/one"))["state"] == "painting"
            await viewer.send("pause")
            _, refusal = await viewer.until("error")
            assert refusal["code"] == "painting_elsewhere"
            await viewer.until("end", seconds=LIFE + 60)
        assert await asyncio.to_thread(pixels, two, "one") == undisturbed
        assert await asyncio.to_thread(steps, two) < ITERATIONS - CHECKPOINT


def test_what_a_studio_leaves_behind_is_finished_though_nobody_asks(gallery: str, undisturbed: bytes) -> None:
    with studios(gallery, "one", "two") as (one, two):
        one.post(ours("one"))
        one.wait(lambda: one.json("paintings/one")["iteration"] >= CHECKPOINT)
        one.process.kill()
        two.wait(lambda: "painting found" in two.said(), 3 * LIFE + 30)
        two.wait(lambda: two.state("one") == "finished")
        assert pixels(two, "one") == undisturbed


@in_loop
async def test_one_id_asked_for_at_both_at_once_is_painted_once(gallery: str) -> None:
    with studios(gallery, "one", "two") as pair:
        async with viewing(pair[0].socket) as first, viewing(pair[1].socket) as second:
            viewers = first, second
            for viewer in viewers:
                await viewer.send("request_image", ours("one", iterations=20))
            for viewer in viewers:
                assert (await viewer.until("painting"))[1] == {"painting": "one", "key": "key-of-one"}
            for viewer in viewers:
                await viewer.until("end")
                assert viewer.frames[-1].iteration == 19
        assert sorted([await asyncio.to_thread(steps, server) for server in pair]) == [0, 20]


@in_loop
async def test_another_studios_painting_is_seen_as_it_is_kept_and_left_alone(gallery: str) -> None:
    with studios(gallery, "one", "two") as (one, two):
        async with viewing(one.socket) as owner, viewing(two.socket) as afar:
            await begun(owner, two)
            await afar.send("watch", {"painting": "one", "from": 0})
            await afar.until("recovering")
            await reached(afar, 8)
            for viewer in (owner, afar):
                await viewer.until("end", seconds=120)
            assert [frame.iteration for frame in afar.frames] == sorted({frame.iteration for frame in afar.frames})
            assert afar.frames[-1].iteration == ITERATIONS - 1
        assert await asyncio.to_thread(steps, two) == 0


@in_loop
async def test_a_studio_that_was_out_for_too_long_has_lost_its_painting(gallery: str, undisturbed: bytes) -> None:
    with studios(gallery, "one", "two") as (one, two):
        async with viewing(one.socket) as owner:
            await begun(owner, two)
            os.kill(one.process.pid, signal.SIGSTOP)
            async with watching(two, "one") as viewer:
                await viewer.until("queued", "start_iteration", seconds=LIFE + 60)
                os.kill(one.process.pid, signal.SIGCONT)
                assert (await owner.until("moved"))[1] is None
                await owner.until("closed")
                await viewer.until("end", seconds=120)
        assert await asyncio.to_thread(pixels, two, "one") == undisturbed
        assert await asyncio.to_thread(pixels, one, "one") == undisturbed
        assert "painting lost to another studio" in one.said()
        assert "Traceback" not in one.said() + two.said()


@in_loop
async def test_what_is_at_rest_goes_on_wherever_its_owner_asks(gallery: str) -> None:
    with studios(gallery, "one", "two") as (one, two):
        async with viewing(one.socket) as owner:
            await begun(owner, two)
            await owner.send("pause")
            _, paused = await owner.until("paused")
            async with watching(two, "one", key="key-of-one") as again:
                await again.until("paused")
                await again.send("resume")
                await again.until("queued", "error")
                assert again.states[-1][0] == "queued"
                state, _ = await owner.until("recovering", "end")
                assert state == "recovering", "who looks on at the first is told"
                await again.send("finish")
                _, ended = await again.until("end")
                await owner.until("end")
                assert ended["iterations"] > paused["iteration"] + 1
        assert (await asyncio.to_thread(one.json, "paintings/one"))["of"] == ended["iterations"]
        async with watching(one, "one", key="key-of-one") as back:
            await back.until("end")
            await back.send("more", {"iterations": 5})
            _, further = await back.until("end")
            assert further["iterations"] == ended["iterations"] + 5
        await asyncio.to_thread(two.wait, lambda: two.json("paintings/one")["of"] == further["iterations"])


def test_who_forgets_a_painting_is_heard_where_it_is(gallery: str) -> None:
    with studios(gallery, "one", "two") as (one, two):
        one.post(ours("one", iterations=2000))
        one.wait(lambda: one.state("one") == "painting")
        told = refused(two.delete, "one", "key-of-one")
        assert (told.status, told.code, told.headers["Retry-After"]) == (409, "painting_elsewhere", "10")
        one.delete("one", "key-of-one")
        assert refused(two.json, "paintings/one").code == "painting_unknown"
