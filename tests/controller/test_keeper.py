"""The keeper: nobody is told of a thing before it is kept."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from controller.keeper import Keeper
from controller.painting import Painting
from gallery import opened
from model.recipe import Recipe
from tests.loop import run


def test_a_painting_is_ending_until_the_gallery_knows_that_it_is_finished(tmp_path: Path) -> None:
    place = opened(str(tmp_path))
    room, note = threading.Event(), place.note

    def late(painting: str, facts: dict[str, Any]) -> None:
        assert room.wait(10)
        note(painting, facts)

    place.note = late  # type: ignore[method-assign]

    async def keep() -> None:
        keeper = Keeper(lambda: place, lambda id, refusal: None)
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
