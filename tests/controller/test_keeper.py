"""The keeper: nobody is told of a thing before it is kept, and what is another studio's is left alone."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import boto3
import pytest

from controller.keeper import Keeper
from controller.messages import Checkpointed, Rested, Saved
from controller.painting import Painting
from gallery import Full, Gallery, Taken, opened
from gallery.table import TABLE
from model.recipe import Recipe
from tests.gallery.emulator import emulating
from tests.loop import run

NUMBERS = itertools.count()


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a gallery in the cloud, without the life of a claim."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("NO_PROXY", "*")
    with emulating() as endpoint:
        name = f"keeper-{next(NUMBERS)}"
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name)
        boto3.client("dynamodb", endpoint_url=endpoint).create_table(TableName=name, **TABLE)
        yield f"s3://{name}/kept?table={name}&endpoint={quote(endpoint)}"


def test_of_what_another_studio_has_taken_nothing_more_is_kept(shared: str) -> None:
    other = opened(shared, "other")
    lost: list[str] = []

    async def keep() -> None:
        keeper = Keeper(lambda: opened(f"{shared}&life=0.2", "one"), lambda id, refusal: None, lost.append)
        await keeper.open()
        painting = Painting("one", Recipe(), "lock", 32, 32, of=10, order=0)
        assert await keeper.add(painting, {"photo": b"x"})
        assert keeper.held == {"one"}
        while "held" in (await asyncio.to_thread(other.claim, "one") or {}):
            time.sleep(0.02)
        kept = other.facts("one"), other.names("one")

        painting.state, painting.iteration = "finished", 9
        told: list[str] = []
        keeper.save(painting, Saved(1, 5, b"a frame"))
        keeper.checkpoint(painting, Checkpointed(1, 5, b"a checkpoint"), lambda: told.append("checkpoint"))
        keeper.rest(
            painting, Rested(1, 9, (), b"a checkpoint", b"the picture", b"a frame"), lambda: told.append("rest")
        )
        keeper.note(painting)
        async with keeper.inside("one"):
            assert await keeper.material(painting) is None
        assert (other.facts("one"), other.names("one")) == kept
        assert (lost, told, keeper.held) == (["one"], ["checkpoint", "rest"], set())

        assert "held" in (await keeper.claim("one") or {})
        other.release("one")
        assert "held" not in (await keeper.claim("one") or {"held": 1})
        keeper.note(painting)
        async with keeper.inside("one"):
            assert (other.facts("one") or {})["state"] == "finished"
            await keeper.release("one")
        assert "held" not in (other.claim("one") or {"held": 1})
        assert await keeper.close(10)

    run(asyncio.wait_for(keep(), 60))
    other.close()


def test_a_lane_is_had_by_one_at_a_time(tmp_path: Path) -> None:
    said: list[str] = []

    async def keep() -> None:
        keeper = Keeper(lambda: opened(str(tmp_path)), lambda id, refusal: None, lambda id: None)
        await keeper.open()

        async def inside(name: str) -> None:
            async with keeper.inside("p"):
                said.append(f"{name} begins")
                await asyncio.sleep(0.01)
                said.append(f"{name} ends")

        first, gone, last = (asyncio.create_task(inside(name)) for name in ("first", "gone", "last"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(first, gone, last, return_exceptions=True)
        assert said == ["first begins", "first ends", "last begins", "last ends"]
        assert await keeper.close(10)

    run(asyncio.wait_for(keep(), 20))


def test_claims_are_renewed_however_long_uploads_take(tmp_path: Path) -> None:
    place, room, renewed = opened(str(tmp_path)), threading.Event(), threading.Event()
    slow(place, room)
    place.renew = lambda: renewed.set() or []  # type: ignore[method-assign, func-returns-value]

    async def keep() -> None:
        keeper = Keeper(lambda: place, lambda id, refusal: None, lambda id: None)
        await keeper.open()
        paintings = [Painting(name, Recipe(), "lock", 32, 32, of=9, order=0) for name in "abcdefgh"]
        for painting in paintings:
            assert await keeper.add(painting, {})
        for painting in paintings:
            keeper.save(painting, Saved(1, 5, b"a frame"))
        await asyncio.sleep(0.05)
        try:
            await asyncio.wait_for(keeper.renew(), 5)
            assert renewed.is_set()
        finally:
            room.set()
        assert await keeper.close(10)

    run(asyncio.wait_for(keep(), 20))


def test_a_studio_that_closes_lets_go_of_what_it_could_not_keep_in_time(shared: str) -> None:
    other, place, room = opened(shared, "other"), opened(shared, "one"), threading.Event()
    slow(place, room)
    written: list[type[Exception]] = []

    async def keep() -> None:
        keeper = Keeper(lambda: place, lambda id, refusal: None, lambda id: None)
        await keeper.open()
        painting = Painting("one", Recipe(), "lock", 32, 32, of=10, order=0)
        assert await keeper.add(painting, {"photo": b"x"})
        keeper.rest(painting, Rested(1, 4, (), b"a checkpoint", None, b"a frame"), lambda: None)
        await asyncio.sleep(0.05)
        assert not await keeper.close(0.1)
        assert "held" not in (other.claim("one") or {"held": 1})

    def late() -> None:
        try:
            place.write("one", "frames/000004", b"a frame")
        except Taken as error:
            written.append(type(error))

    try:
        run(asyncio.wait_for(keep(), 60))
    finally:
        room.set()
    late()
    assert written == [Taken], "what is kept late is refused"
    assert other.names("one") == ["photo"]
    other.close()


def test_frames_that_have_piled_up_keep_nobody_from_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.keeper.PILED_UP", 0.1)
    place, room = opened(str(tmp_path)), threading.Event()
    slow(place, room)

    async def keep() -> None:
        keeper = Keeper(lambda: place, lambda id, refusal: None, lambda id: None)
        await keeper.open()
        painting = Painting("one", Recipe(), "lock", 32, 32, of=9, order=0, iteration=8)
        assert await keeper.add(painting, {})
        for iteration in range(8):
            keeper.save(painting, Saved(1, iteration, b"a frame"))
        kept = asyncio.Event()
        await asyncio.sleep(0.2)
        keeper.rest(painting, Rested(1, 8, (), b"a checkpoint", b"the picture", b"a frame"), kept.set)
        room.set()
        await asyncio.wait_for(kept.wait(), 10)
        assert await keeper.frames(painting) == [0, 8], "the first was on its way, the last has to come"
        keeper.save(painting, Saved(2, 7, b"a frame"))
        await asyncio.sleep(0.2)
        assert await keeper.close(10)
        assert "frames/000007" in opened(str(tmp_path)).names("one"), "nothing waits for what comes after"

    run(asyncio.wait_for(keep(), 20))


def test_the_last_frame_is_kept_before_anybody_is_told_of_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.keeper.RETRY_EVERY", 0.01)
    place, failures = opened(str(tmp_path)), [Full("no room"), Full("no room")]
    write = place.write

    def full(painting: str, name: str, data: bytes) -> None:
        if name.startswith("frames/") and failures:
            raise failures.pop()
        write(painting, name, data)

    place.write = full  # type: ignore[method-assign]

    async def keep() -> None:
        keeper = Keeper(lambda: place, lambda id, refusal: None, lambda id: None)
        await keeper.open()
        painting = Painting("one", Recipe(), "lock", 32, 32, of=9, order=0, iteration=8)
        assert await keeper.add(painting, {})
        kept = asyncio.Event()
        keeper.rest(painting, Rested(1, 8, (), b"a checkpoint", b"the picture", b"a frame"), kept.set)
        await asyncio.wait_for(kept.wait(), 10)
        assert await keeper.frames(painting) == [8]
        assert await keeper.close(10)

    run(asyncio.wait_for(keep(), 20))


def slow(place: Gallery, room: threading.Event) -> None:
    """Let a gallery keep frames only when there is room."""
    write = place.write

    def late(painting: str, name: str, data: bytes) -> None:
        assert not name.startswith("frames/") or room.wait(30)
        write(painting, name, data)

    place.write = late  # type: ignore[method-assign]
