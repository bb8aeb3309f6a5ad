"""The limits, each hit at a real server: a code, a sentence with the numbers, and nobody else is troubled."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gallery
from tests.server.process import Refused, Server, get, refused, send, serving
from tests.server.viewer import base64_of, in_loop, picture, viewing

pytestmark = pytest.mark.slow

LITTLE = {
    "message": "0.1",
    "pixels": "0.01",
    "paintings": "2",
    "sockets": "3",
    "rate": "2",
    "idle": "4",
}
TINY = {"content_image": base64_of(picture(64, 48)), "style_image": base64_of(picture(48, 48, 1))}


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    """A server that allows little, and need not have an easel that paints."""
    with serving(*(part for name, value in LITTLE.items() for part in (f"--limit-{name}", value))) as server:
        server.wait(lambda: server.json("healthz")["easels"])
        yield server


def ask(server: Server, **fields: Any) -> Refused:
    """The refusal of an order."""
    return refused(server.post, {**TINY, **fields})


def test_pixels(strict: Server) -> None:
    told = ask(strict, content_image=base64_of(picture(150, 100)))
    assert (told.status, told.code) == (413, "picture_too_large")
    assert told.envelope["data"]["message"] == "photo: The picture has 150×100 pixels, 0.015 megapixels."


def test_size_of_an_upload(strict: Server) -> None:
    told = refused(send, "POST", strict.url + "paintings", bytes(200_000))
    assert (told.status, told.code) == (413, "message_large")
    assert told.envelope["data"]["message"] == "The upload has 0.2 MiB; 0.1 are taken here."


@in_loop
async def test_size_of_a_message(strict: Server) -> None:
    async with viewing(strict.socket) as viewer:
        await viewer.socket.write_message("x" * 110_000)
        assert await viewer.until("closed") == ("closed", 1009)
        assert viewer.socket.close_reason == "message too big"


def test_paintings_of_one_address(strict: Server) -> None:
    accepted = [strict.post({**TINY, "iterations": 10_000}) for _ in range(2)]
    told = ask(strict)
    assert (told.status, told.code) == (429, "paintings_many")
    assert told.envelope["data"]["message"] == "2 paintings of yours are unfinished; 2 may be."
    assert told.headers["Retry-After"] == "30"
    for each in accepted:
        strict.delete(**each)
    strict.delete(**strict.post(TINY))


@in_loop
async def test_rate(strict: Server) -> None:
    async with viewing(strict.socket) as viewer:
        begun = time.monotonic()
        for _ in range(60):  # which takes half a minute to be let pass
            await viewer.send("pause")
        told = [(await viewer.until("error"))[1] for _ in range(60)]
        codes = [each["code"] for each in told]
        assert set(codes) == {"move_illegal", "messages_many"}
        assert codes[:4] == ["move_illegal"] * 4
        assert codes.count("move_illegal") <= 4 + 2 * (time.monotonic() - begun)
        assert told[codes.index("messages_many")]["message"] == "More than 2 messages a second came."
        await asyncio.sleep(0.8)
        await viewer.send("pause")
        assert (await viewer.until("error"))[1]["code"] == "move_illegal", "it may go on, more slowly"


@in_loop
async def test_sockets_of_one_address_and_idle_ones(strict: Server) -> None:
    begun = time.monotonic()
    async with viewing(strict.socket) as one, viewing(strict.socket) as two, viewing(strict.socket) as three:
        async with viewing(strict.socket) as four:
            told = (await four.until("error"))[1]
            assert told["code"] == "sockets_many"
            assert told["message"] == "3 sockets of yours are open; no more are taken."
            assert await four.until("closed") == ("closed", 1008)
            assert four.socket.close_reason == "sockets_many"
        for each in (one, two, three):
            assert await each.until("closed") == ("closed", 1008)
            assert each.socket.close_reason == "idle"
        assert time.monotonic() - begun >= 4
    async with viewing(strict.socket) as again:
        assert (await again.hear())[0] == "model_loading"


def test_queue() -> None:
    with serving("--limit-queue", "1") as server:

        def order_more() -> None:
            for _ in range(3):  # one is painted, or will be
                server.post({**TINY, "iterations": 10_000})

        told = refused(order_more)
        assert (told.status, told.code) == (503, "queue_full")
        waiting, _, words = told.envelope["data"]["message"].partition(" ")
        assert int(waiting) in {1, 2}, "as long as the easel loads, another waits for it"
        assert words == "paintings wait already; more are not taken."
        assert told.headers["Retry-After"] == "30"


def test_room(tmp_path: Path) -> None:
    place = tmp_path / "gallery"
    with serving("--limit-disk", "0.001", gallery=place) as server:
        large = {**TINY, "content_image": base64_of(picture(640, 480)), "size": 1024}
        told = ask(server, **large)
        assert (told.status, told.code) == (507, "disk_full")
        assert told.envelope["data"]["message"] == "The gallery is full: it may take 0.001 GiB, and has 0."
        server.post({**TINY, "size": 64})  # of which little is kept, should it be painted at once
        assert sum(each.stat().st_size for each in place.rglob("*") if each.is_file()) < 2**20


def test_age(tmp_path: Path) -> None:
    place = tmp_path / "gallery"
    with serving(gallery=place) as server:
        server.loaded()
        for id in ("old", "new"):
            server.post({**TINY, "size": 32, "iterations": 1, "painting": id})
        server.wait(lambda: all(server.state(id) == "finished" for id in ("old", "new")))
    aged = time.time() - 2 * 86_400
    facts = place / "paintings" / "old" / "facts.json"
    told = json.loads(facts.read_text())
    facts.write_text(json.dumps({**told, "created": aged}))
    for each in facts.parent.rglob("*"):
        os.utime(each, (aged, aged))
    for each in place.glob("gallery.sqlite*"):
        each.unlink()
    with serving("--limit-age", "1", gallery=place) as server:
        server.wait(lambda: 'event="painting let go" painting=old' in server.said())
        assert refused(get, server.url + "paintings/old").code == "painting_unknown"
        assert server.state("new") == "finished"
    kept = gallery.opened(str(place))
    assert kept.facts("old") is None
    kept.close()
