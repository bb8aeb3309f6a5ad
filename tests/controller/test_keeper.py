"""The keeper: nobody is told of a thing before it is kept, and what is another studio's is left alone."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest

from controller.keeper import Keeper
from controller.messages import Checkpointed, Rested, Saved
from controller.painting import Painting
from gallery import opened
from gallery.table import TABLE
from model.recipe import Recipe
from tests.gallery.emulator import emulating
from tests.loop import run


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a gallery in the cloud, without the life of a claim."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("NO_PROXY", "*")
    with emulating() as endpoint:
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="shared")
        boto3.client("dynamodb", endpoint_url=endpoint).create_table(TableName="shared", **TABLE)
        yield f"s3://shared/kept?table=shared&endpoint={quote(endpoint)}"


def test_a_painting_is_ending_until_the_gallery_knows_that_it_is_finished(tmp_path: Path) -> None:
    place = opened(str(tmp_path))
    room, note = threading.Event(), place.note

    def late(painting: str, facts: dict[str, Any]) -> None:
        assert room.wait(10)
        note(painting, facts)

    place.note = late  # type: ignore[method-assign]

    async def keep() -> None:
        keeper = Keeper(lambda: place, lambda id, refusal: None, lambda id: None)
        await keeper.open()
        painting = Painting("one", Recipe(), "lock", 32, 32, of=1, order=0)
        assert await keeper.add(painting, {"photo": b"x"})
        keeper.note(painting)
        assert keeper.ending == set(), "it is only begun"
        painting.state = "finished"
        keeper.note(painting)
        await asyncio.sleep(0.1)
        assert keeper.ending == {"one"}
        assert (await keeper.facts("one") or {})["state"] == "queued"
        room.set()
        while keeper.ending:
            await asyncio.sleep(0.01)
        assert (await keeper.facts("one") or {})["state"] == "finished"
        assert await keeper.close(10)

    run(asyncio.wait_for(keep(), 20))


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
        assert (lost, told, keeper.held, keeper.ending) == (["one"], ["checkpoint", "rest"], set(), set())

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
