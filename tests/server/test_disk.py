"""A disk without room, and a gallery that has as much as it may.

The first is the kernel's doing: no file that the server writes may grow beyond a size. The limit is set on the running
server from outside, and lifted again.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.process import Server, get, refused, serving
from tests.server.viewer import in_loop, order, viewing

pytestmark = pytest.mark.slow


@contextmanager
def no_room(server: Server, size: int) -> Iterator[None]:
    """Let no file of a server grow beyond so many bytes."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def files(folder: Path) -> dict[Path, bytes]:
    """All files in a folder."""
    return {path: path.read_bytes() for path in folder.glob("**/*") if path.is_file()}


def picture(server: Server, painting: str) -> bytes:
    with get(f"{server.url}paintings/{painting}/picture") as answer:
        data: bytes = answer.read()
        return data


def test_without_room_an_order_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with serving(gallery=tmp_path) as server:
        with no_room(server, 4000):
            told = refused(server.post, order(size=96, painting="one"))
            assert (told.status, told.code) == (507, "disk_full")
            assert "no room left" in told.envelope["data"]["message"]
            assert files(tmp_path / "paintings") == files(tmp_path / "staging") == {}
            assert refused(server.json, "paintings/one").code == "painting_unknown"
        assert server.post(order(size=96, painting="one"))["painting"] == "one"
        assert server.state("one") in {"queued", "painting", "finished"}


@in_loop
async def test_without_room_a_painting_goes_on_and_is_finished_when_there_is_some(tmp_path: Path) -> None:
    last = 299

    def lasting() -> dict[Path, bytes]:
        return files(tmp_path / "paintings/old") | files(tmp_path / "paintings/new/frames")

    with serving(gallery=tmp_path) as server:
        await asyncio.to_thread(server.loaded)
        async with viewing(server.socket) as viewer:
            await viewer.request(size=96, iterations=10, painting="old")
            await viewer.until("end")
        async with viewing(server.socket) as viewer:
            await viewer.request(size=96, iterations=last + 1, painting="new")
            while not viewer.frames or viewer.frames[-1].iteration < 30:
                await viewer.until("end_iteration")
            with no_room(server, 12_000):
                before = lasting()
                while viewer.frames[-1].iteration < last:
                    await viewer.until("end_iteration")
                while "error" not in dict(viewer.states):  # it may have come before the last frame
                    await viewer.hear()
                data = dict(viewer.states)["error"]
                assert data["code"] == "disk_full"
                assert "goes on by itself" in data["hint"]
                assert await asyncio.to_thread(server.state, "new") == "painting"
                assert (await asyncio.to_thread(server.json, "healthz"))["status"] == "ok"
                assert "picture" not in {path.name for path in tmp_path.glob("paintings/new/*")}
                now = lasting()
                assert {path: now[path] for path in before} == before, "what was kept is as it was"
            await viewer.until("end")
            assert viewer.frames[-1].iteration == last
        assert 'level=error event="the gallery fails" painting=new' in server.said()
        assert "Traceback" not in server.said()
        assert files(tmp_path / "staging") == {}
        pictures = {painting: await asyncio.to_thread(picture, server, painting) for painting in ("old", "new")}
    with serving(gallery=tmp_path) as server:
        for painting, data in pictures.items():
            assert await asyncio.to_thread(server.state, painting) == "finished"
            assert await asyncio.to_thread(picture, server, painting) == data


def test_finished_paintings_make_room_and_unfinished_ones_never(tmp_path: Path) -> None:
    most = 6 << 20
    limits = ("--limit-disk", f"{most / 2**30}", "--limit-paintings", "1000")

    def there(paintings: list[str]) -> list[str]:
        return [painting for painting in paintings if (tmp_path / "paintings" / painting).is_dir()]

    with serving(*limits, gallery=tmp_path) as server:
        server.loaded()
        finished: list[str] = []
        while there(finished) == finished:
            finished.append(f"finished{len(finished)}")
            server.post(order(size=96, iterations=8, painting=finished[-1]))
            server.wait(lambda: server.state(finished[-1]) == "finished")
        gone = len(finished) - len(there(finished))
        assert there(finished) == finished[gone:], "the oldest went first"
        assert gone < len(finished) / 2, "no more went than was needed"
        assert 'event="painting let go" painting=finished0' in server.said()
        assert refused(server.json, "paintings/finished0").code == "painting_unknown"

        unfinished: list[str] = []

        def order_more() -> None:
            while True:
                name = f"unfinished{len(unfinished)}"
                server.post(order(size=384, iterations=10_000, painting=name))
                unfinished.append(name)

        full = refused(order_more)
        assert (full.status, full.code) == (507, "disk_full")
        told = full.envelope["data"]["message"]
        assert told.startswith("The gallery is full: it may take 0.00586 GiB, and has 0.00")
        assert there(finished) == []
        assert there(unfinished) == unfinished != []
        assert all(server.state(painting) in {"queued", "painting"} for painting in unfinished)
