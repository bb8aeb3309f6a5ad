"""A wall clock that jumps, ahead and back, under a running server.

To set the machine's own clock takes its owner, and would move it for all. So the server and its easels run with a
`sitecustomize`, which Python itself imports first, that adds to what `time.time` says as many seconds as a file says.
It changes the wall clock and nothing else; the steady clock is the kernel's, as it is when somebody sets the time.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest

from tests.server.process import Server, serving
from tests.server.viewer import in_loop, order, viewing

pytestmark = pytest.mark.slow

HOUR, DAY, YEAR = 3600.0, 86_400.0, 365 * 86_400.0

SITECUSTOMIZE = """
import os, time

def shifted(now=time.time, file=os.environ["CLOCK"]):
    with open(file) as said:
        return now() + float(said.read())

time.time = shifted
time.time_ns = lambda: int(shifted() * 1e9)
"""


@dataclass(frozen=True)
class Clock:
    """The server's wall clock."""

    file: Path

    def jump(self, seconds: float) -> None:
        """Let it be so far ahead of the true time."""
        part = self.file.with_suffix(".part")
        part.write_text(str(seconds))
        part.replace(self.file)


@contextmanager
def clocked(folder: Path, *options: str) -> Iterator[tuple[Server, Clock]]:
    """A server, and its clock."""
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
    clock = Clock(folder / "clock")
    clock.jump(0)
    env = {**os.environ, "PYTHONPATH": str(folder), "CLOCK": str(clock.file)}
    with serving(*options, gallery=folder / "gallery", env=env) as server:
        yield server, clock


@in_loop
async def test_a_clock_that_jumps_changes_neither_paintings_nor_sockets_nor_the_queue(tmp_path: Path) -> None:
    with clocked(tmp_path) as (server, clock):
        await asyncio.to_thread(server.loaded)
        async with viewing(server.socket) as idle, viewing(server.socket) as viewer:
            begun = time.monotonic()
            await viewer.request(size=96, iterations=3000, painting="first")
            for number, jump in enumerate([0.0, -YEAR, YEAR, -DAY]):
                clock.jump(jump)
                await asyncio.to_thread(server.post, order(size=96, iterations=20, painting=f"next{number}"))
                await asyncio.sleep(1.2)  # sockets are looked at each second
            waiting = [await asyncio.to_thread(server.json, f"paintings/next{number}") for number in range(4)]
            assert [each["position"] for each in waiting] == [1, 2, 3, 4], "first come, first served"
            assert all(0 < each["begins"] < each["eta"] < 300 for each in waiting)
            await viewer.send("finish")
            await viewer.until("end")
            seconds = time.monotonic() - begun
            elapsed = [frame.facts["elapsed"] for frame in viewer.frames]
            assert elapsed == sorted(elapsed)
            assert 0 < elapsed[0] <= elapsed[-1] <= seconds
            assert all(0 <= frame.facts["eta"] < 300 for frame in viewer.frames if frame.facts["eta"] is not None)
            await idle.send("no such action")
            assert (await idle.until("error"))[1]["code"] == "action_unknown", "it is still open"
        await asyncio.to_thread(server.wait, lambda: server.state("next3") == "finished")
        assert 0 < (await asyncio.to_thread(server.json, "healthz"))["uptime"] < 300
        told = [line for line in server.said().splitlines() if "painting finished" in line]
        names = ["first", *(f"next{number}" for number in range(4))]
        assert [line.partition("painting=")[2].split()[0] for line in told] == names
        assert "Traceback" not in server.said()


def test_a_clock_that_jumps_ahead_makes_no_painting_old(tmp_path: Path) -> None:
    most = 6 << 20
    with clocked(tmp_path, "--limit-disk", f"{most / 2**30}") as (server, clock):
        server.loaded()
        paintings: list[str] = []

        def there() -> list[str]:
            return [painting for painting in paintings if (tmp_path / "gallery/paintings" / painting).is_dir()]

        clock.jump(-DAY)  # it was wrong before, too
        while there() == paintings:
            paintings.append(f"p{len(paintings)}")
            server.post(order(size=96, iterations=8, painting=paintings[-1]))
            server.wait(lambda: server.state(paintings[-1]) == "finished")
            clock.jump(len(paintings) * YEAR)
        gone = len(paintings) - len(there())
        assert there() == paintings[gone:], "the oldest made room"
        assert gone < len(paintings) / 2, "and no others went"


@in_loop
async def test_tickets_count_by_the_wall_clock_and_once(tmp_path: Path) -> None:
    key = "k" * 64
    (tmp_path / "key").write_text(key)
    (tmp_path / "key").chmod(0o600)

    async def enter(ticket: str) -> str:
        async with viewing(f"{server.socket}?ticket={ticket}") as viewer:
            state, data = await viewer.until("error", "model_loading")
            return str(data["code"]) if state == "error" else "welcome"

    def ticket(name: str) -> str:
        now = time.time()
        return jwt.encode({"jti": name, "iat": now, "exp": now + 60}, key, "HS256")

    with clocked(tmp_path, "--ticket-key", str(tmp_path / "key")) as (server, clock):
        one, other = ticket("one"), ticket("other")
        async with viewing(f"{server.socket}?ticket={ticket('in')}") as viewer:
            await viewer.until("model_loading")
            for jump, told in [(HOUR, "ticket_expired"), (-HOUR, "ticket_invalid"), (0, "welcome")]:
                clock.jump(jump)
                assert await enter(one) == told
            for jump, told in [(HOUR, "ticket_expired"), (-HOUR, "ticket_invalid"), (0, "ticket_used")]:
                clock.jump(jump)
                assert await enter(one) == told
            assert await enter(other) == "welcome"
            await viewer.send("no such action")
            assert (await viewer.until("error"))[1]["code"] == "action_unknown", "it is still open"
        assert "Traceback" not in server.said()
