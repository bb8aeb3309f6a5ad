"""The links between viewers and studios: bytes are passed on as they come, by nobody read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from tornado.gen import with_timeout
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.util import TimeoutError as Late

from rehearsal.edge.distribution import Origin

CHUNK = 64 << 10  # bytes that are passed on at a time: no more wait here, whichever end is slow


class Unreachable(Exception):
    """The studio cannot be reached; with the status that CloudFront answers then."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Tunnels:
    """All the links that there are."""

    def __init__(self, lookup: Callable[[str], tuple[str, int] | None]) -> None:
        """`lookup` says where the machine with a name listens."""
        self._lookup = lookup
        self._open: dict[asyncio.Task[None], tuple[IOStream, IOStream]] = {}

    async def connect(self, host: str, origin: Origin) -> tuple[IOStream, str]:
        """A connection to a studio, and what its address is."""
        place = self._lookup(host)
        if place is None:
            raise Unreachable(HTTPStatus.BAD_GATEWAY)  # there is no such name
        try:
            studio = await TCPClient().connect(*place, timeout=timedelta(seconds=origin.connecting))
        except Late as error:
            raise Unreachable(HTTPStatus.GATEWAY_TIMEOUT) from error
        except (OSError, StreamClosedError) as error:
            raise Unreachable(HTTPStatus.BAD_GATEWAY) from error
        studio.set_nodelay(True)
        return studio, f"{place[0]}:{place[1]}"

    def join(self, viewer: IOStream, studio: IOStream, head: bytes, length: int | None, origin: Origin) -> None:
        """Send a request's head to the studio, then `length` bytes of the viewer's; pass on the answer.

        Without a length it is for a WebSocket: if the studio agrees, all that the viewer sends is passed on.
        """
        viewer.set_nodelay(True)
        viewer.set_close_callback(studio.close)
        task = asyncio.create_task(_link(viewer, studio, head, length, origin.answering))
        self._open[task] = viewer, studio
        task.add_done_callback(self._open.pop)

    def drop(self) -> int:
        """Cut all links; return how many there were."""
        ends = list(self._open.values())
        for viewer, studio in ends:
            viewer.close()
            studio.close()
        return len(ends)


async def _link(viewer: IOStream, studio: IOStream, head: bytes, length: int | None, patience: float) -> None:
    """Serve one request to its end."""
    passing: asyncio.Task[None] | None = None
    try:
        with contextlib.suppress(StreamClosedError):
            answer = await _answer(viewer, studio, head, length, patience)
            if answer is None:
                await viewer.write(failure(HTTPStatus.GATEWAY_TIMEOUT))
                return
            if length is None and answer.startswith(b"HTTP/1.1 101 "):
                passing = asyncio.create_task(_pass(viewer, studio))
            await viewer.write(answer)
            await _pass(studio, viewer)
    finally:
        viewer.close()
        studio.close()
        if passing:
            await passing


async def _answer(viewer: IOStream, studio: IOStream, head: bytes, length: int | None, patience: float) -> bytes | None:
    """The beginning of a studio's answer to a request; None if it does not come in time."""
    try:
        beginning = studio.read_bytes(CHUNK, partial=True)
        with contextlib.suppress(StreamClosedError):  # it may answer, and hang up, before it has all
            await studio.write(head)
            await _send(viewer, studio, length or 0)
        late = timedelta(seconds=patience)
        answer: bytes = await with_timeout(late, beginning, quiet_exceptions=StreamClosedError)
    except StreamClosedError:
        return failure(HTTPStatus.BAD_GATEWAY)
    except Late:
        return None
    return answer


async def _send(source: IOStream, target: IOStream, length: int) -> None:
    """Pass on so many bytes."""
    while length:
        data = await source.read_bytes(min(CHUNK, length), partial=True)
        length -= len(data)
        await target.write(data)


async def _pass(source: IOStream, target: IOStream) -> None:
    """Pass on all that comes, each part once the one before it is gone; then close what it goes to."""
    try:
        while True:
            await target.write(await source.read_bytes(CHUNK, partial=True))
    except StreamClosedError:
        target.close()


def failure(status: HTTPStatus) -> bytes:
    """An answer of the edge's own, after which it hangs up."""
    body = page(status)
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/html\r\nConnection: close"
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def page(status: HTTPStatus) -> str:
    """What CloudFront shows where it has no answer: nothing that a program could read."""
    return f"<html><head><title>ERROR</title></head><body><h1>{status.value} {status.phrase}</h1></body></html>"
