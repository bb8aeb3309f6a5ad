"""A studio as ``visualneurons serve`` starts it, what is painted in it, and the viewers who look on."""

from __future__ import annotations

import asyncio
import base64
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.studies import ARTWORK, PHOTO, ROOT
from tests.server.process import Server, serving
from tests.server.viewer import viewing

MOST_SOCKETS = 1000
LOOK_EVERY = 0.5  # seconds between two questions whether a painting is finished
TRIES = 5  # to have a short painting looked at on a busy machine, before it is finished

Times = Mapping[int, float]  # when an iteration was finished, by its number


@dataclass(frozen=True)
class Seen:
    """What a crowd of viewers has seen of a painting, from when all had settled."""

    ages: list[float]  # seconds from the end of an iteration until its frame was read
    rates: list[float]  # frames a second of each viewer
    slow_rates: list[float]  # of each that reads slowly, whose frames' ages do not count
    load: float  # processors that the viewers themselves kept busy
    open: int  # sockets still open at the end
    answered: int  # pings that each of them has answered, at least


@dataclass(frozen=True)
class Painted:
    """A painting that was finished."""

    at: Times
    since: float  # when all viewers had settled
    seen: Seen | None = None

    @property
    def _known(self) -> list[int]:
        return [iteration for iteration, at in self.at.items() if at >= self.since]

    @property
    def was_watched(self) -> bool:
        """Whether its viewers saw some of it after all had settled."""
        return len(self._known) >= 2 and self.seen is not None and bool(self.seen.ages)

    @property
    def span(self) -> tuple[int, int]:
        """The first iteration that is known since then, and the last."""
        known = self._known
        if len(known) < 2:
            raise RuntimeError("The painting was finished before its viewers had settled: give it more iterations.")
        return known[0], known[-1]

    @property
    def pace(self) -> float:
        """Seconds from one iteration to the next, meanwhile."""
        return pace(self.at, *self.span)


def pace(at: Times, first: int, last: int) -> float:
    """Seconds from one iteration to the next, on the clock on the wall."""
    return (at[last] - at[first]) / (last - first)


class Crowd:
    """Viewers, in one process of their own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._told()

    def watch(self, painting: str) -> float:
        """Let them all look at a painting; return when they had settled."""
        assert self._process.stdin
        print(painting, file=self._process.stdin, flush=True)
        settled: float = self._told()["settled"]
        return settled

    def leave(self) -> Seen:
        """Let them go, and hear what they have seen."""
        assert self._process.stdin
        self._process.stdin.close()
        return Seen(**self._told())

    def _told(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The viewers have ended before their time; what they said is above.")
        told: dict[str, Any] = json.loads(line)
        return told


class Studio:
    """A server in a process of its own, with an easel that can paint."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def paint(self, recipe: Mapping[str, Any], viewers: int = 0, slow: int | None = None) -> Painted:
        """Paint the sample photo before so many viewers, of whom so many read slowly, else one in ten."""
        if not viewers:
            return Painted(self.finished(self.begin(recipe)), since=0)
        for _ in range(TRIES):
            with self.crowd(viewers, viewers // 10 if slow is None else slow) as crowd:
                painting = self.begin(recipe)
                since = crowd.watch(painting)
                painted = Painted(self.finished(painting), since, crowd.leave())
            if painted.was_watched:
                break
        return painted

    def begin(self, recipe: Mapping[str, Any]) -> str:
        """Ask for a painting of the sample photo; return its id."""
        photo = base64.b64encode(PHOTO.read_bytes()).decode()
        order = {"content_image": photo, "artwork": ARTWORK.stem, **recipe}
        painting: str = self._server.post(order)["painting"]
        return painting

    def done(self, painting: str) -> bool:
        """Whether a painting is finished."""
        state = self._server.state(painting)
        if state not in ("queued", "painting", "finished"):
            raise RuntimeError(f"The painting is {state}; the server said:\n{self._server.said()}")
        return state == "finished"

    def finished(self, painting: str) -> Times:
        """Wait for the end of a painting; return when the iterations that were kept of it were finished."""
        while not self.done(painting):
            time.sleep(LOOK_EVERY)
        return asyncio.run(self._look_back(painting))

    async def _look_back(self, painting: str) -> Times:
        async with viewing(f"{self._server.socket}?frames=binary") as viewer:
            await viewer.send("watch", {"painting": painting, "from": 0, "format": "jpeg"})
            await viewer.until("end")
            return {frame.iteration: frame.facts["at"] for frame in viewer.frames}

    @contextmanager
    def crowd(self, viewers: int, slow: int = 0) -> Iterator[Crowd]:
        """So many viewers, connected until the block is left."""
        address = urlsplit(self._server.url)
        arguments = [address.hostname, address.port, viewers, slow]
        command = [sys.executable, "-m", "benchmarks.crowd", *map(str, arguments)]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield Crowd(process)
            finally:
                process.kill()

    def memory(self) -> float:
        """MiB of the server's resident memory, its easel's not counted."""
        status = Path(f"/proc/{self._server.process.pid}/status")
        if status.exists():
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
            return float(fields["VmRSS"].split()[0]) / 1024
        asked = ["ps", "-o", "rss=", "-p", str(self._server.process.pid)]
        return float(subprocess.run(asked, capture_output=True, check=True).stdout) / 1024


@contextmanager
def studio(engine: str = "patches") -> Iterator[Studio]:
    """A studio that is ready to paint, until the block is left."""
    least = 2 * MOST_SOCKETS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < least:
        resource.setrlimit(resource.RLIMIT_NOFILE, (least, hard))  # for what is started from here
    with serving("--limit-sockets", str(MOST_SOCKETS), "--engine", engine, "--weights", "random") as server:
        yield Studio(server.loaded())
