"""A crowd of viewers, raw and cheap: ``python -m benchmarks.crowd HOST PORT VIEWERS SLOW``.

Each reads what it is sent as the page does (binary messages, JPEG), answers every ping, and looks no further into a
frame than its header. The last SLOW of them take 32 KiB a second and no more. They are not made nice: a viewer that
waited for its turn at the processor would ask for fewer frames and spare the server, so what they take of the machine
is rather told, and counts against the painting.

Says on stdout, in JSON, `connected` when all are; after a line with a painting's id on stdin they watch it, and
`settled`, the time since when all but the slow ones have seen a frame; at the end of stdin, what they have seen.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from typing import Any, NoReturn

SLOW_RATE = 32 << 10  # bytes a second
SLOW_BUFFER = 16 << 10  # bytes that the system takes in meanwhile
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
HANDSHAKE = (
    "GET /styletransfer?frames=binary HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Viewer(asyncio.Protocol):
    """One end of a WebSocket."""

    def __init__(self, crowd: Crowd, slow: bool) -> None:
        self.slow, self.open = slow, False
        self.frames = self.answered = 0
        self._welcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits = True  # for its welcome, or for its first frame
        self._crowd = crowd
        self._came = bytearray()

    async def connect(self, host: str, port: int) -> None:
        """Open the socket, and wait until the model is loaded."""
        loop = asyncio.get_running_loop()
        plain = socket.socket()
        plain.setblocking(False)
        if self.slow:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER)
        await loop.sock_connect(plain, (host, port))
        await loop.create_connection(lambda: self, sock=plain)
        await self._welcome

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        host, port = transport.get_extra_info("peername")
        transport.write(HANDSHAKE.format(host=host, port=port).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        """The server has closed it, or it broke."""
        self.open = False
        if self._waits:
            give_up("a socket was closed before it had heard what it waited for")

    def watch(self, painting: str) -> None:
        """Look at a painting."""
        self._waits = True
        message = {"action": "watch", "data": {"painting": painting, "format": "jpeg"}}
        self._send(TEXT, json.dumps(message).encode())

    def data_received(self, data: bytes) -> None:
        """Read what is whole."""
        came = self._came
        came += data
        if not self.open:
            end = came.find(b"\r\n\r\n")
            if end < 0:
                return
            if not came.startswith(b"HTTP/1.1 101"):
                give_up(f"the server answered {bytes(came[:200])!r}")
            self.open = True
            del came[: end + 4]
        while len(came) >= 2:
            start, length = 2, came[1]
            if length >= 126:
                start = 4 if length == 126 else 10
                length = int.from_bytes(came[2:start], "big") if len(came) >= start else 1 << 62
            if len(came) < start + length:
                break
            self._heard(came[0] & 0xF, bytes(came[start : start + length]))
            del came[: start + length]
        if self.slow:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(len(data) / SLOW_RATE, self._transport.resume_reading)

    def _heard(self, kind: int, message: bytes) -> None:
        if kind == PING:
            self._send(PONG, message)
            self.answered += 1
        elif kind == BINARY:
            end = 4 + int.from_bytes(message[:4], "big")
            self.frames, self._waits = self.frames + 1, False
            self._crowd.saw(self, json.loads(message[4:end])["data"]["at"])
        elif kind == CLOSE:
            self._transport.close()
        elif not message.startswith(b'{"state":"start_iteration"'):
            told = json.loads(message)
            if told["state"] == "model_loaded":
                self._waits = False
                self._welcome.set_result(None)
            elif told["state"] == "error":
                give_up(told["data"]["message"])

    def _send(self, kind: int, message: bytes) -> None:
        """Send a short message, masked with zeros, which changes nothing."""
        size = bytes((0x80 | len(message),)) if len(message) < 126 else b"\xfe" + len(message).to_bytes(2, "big")
        self._transport.write(bytes((0x80 | kind,)) + size + bytes(4) + message)


class Crowd:
    """All viewers, and what they have seen since they had settled."""

    def __init__(self) -> None:
        self.viewers: list[Viewer] = []
        self.ages: list[float] = []  # seconds from an iteration's end until its frame was read, of the quick viewers
        self._settled: tuple[float, float] | None = None  # time, and processor time
        self._last = 0.0, 0.0
        self._earlier: list[int] = []  # frames of each before they had settled

    async def connect(self, host: str, port: int, viewers: int, slow: int) -> None:
        """Open all sockets, one after the other."""
        for number in range(viewers):
            viewer = Viewer(self, slow=number >= viewers - slow)
            await viewer.connect(host, port)
            self.viewers.append(viewer)

    def saw(self, viewer: Viewer, at: float) -> None:
        """A viewer has read a frame of the iteration that was finished at this time."""
        now = self._last = time.time(), time.process_time()
        if self._settled and not viewer.slow:
            self.ages.append(now[0] - at)
        elif not self._settled and all(each.frames for each in self.viewers if not each.slow):
            self._settled, self._earlier = now, [each.frames for each in self.viewers]
            say(settled=now[0])

    def report(self) -> dict[str, Any]:
        """What they have seen, and what it took."""
        began, busy = self._settled or self._last
        seconds = self._last[0] - began
        seen = zip(self.viewers, self._earlier, strict=False)
        rates = [(viewer.slow, (viewer.frames - before) / seconds) for viewer, before in seen] if seconds else []
        return {
            "ages": [round(age, 4) for age in self.ages],
            "rates": [rate for slow, rate in rates if not slow],
            "slow_rates": [rate for slow, rate in rates if slow],
            "load": (self._last[1] - busy) / seconds if seconds else 0.0,
            "open": sum(viewer.open for viewer in self.viewers),
            "answered": min(viewer.answered for viewer in self.viewers),
        }


def say(**facts: object) -> None:
    """Tell who has started this."""
    print(json.dumps(facts), flush=True)


def give_up(why: str) -> NoReturn:
    """End at once, also where the loop would wait for a thread that reads stdin."""
    print(f"The viewers gave up: {why}", file=sys.stderr, flush=True)
    os._exit(1)


async def main(host: str, port: str, viewers: str, slow: str) -> None:
    """Watch until stdin ends."""
    crowd = Crowd()
    await crowd.connect(host, int(port), int(viewers), int(slow))
    say(connected=len(crowd.viewers))
    while painting := (await asyncio.to_thread(sys.stdin.readline)).strip():
        for viewer in crowd.viewers:
            viewer.watch(painting)
    say(**crowd.report())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
