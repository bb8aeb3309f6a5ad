"""A link between a viewer and a server, which a test makes slow or lets fall silent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SMALL = 16 << 10  # bytes that a link holds on to in each direction, so that it is the link that waits


@dataclass
class Link:
    """Passes on what comes, `rate` bytes a second towards the viewer."""

    server: tuple[str, int]
    rate: float | None
    address: str = ""
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def cut(self) -> None:
        """Pass nothing on any more, and tell neither end."""
        self._open.clear()

    def restore(self) -> None:
        """Pass on again."""
        self._open.set()

    async def accept(self, listening: socket.socket) -> None:
        """Serve viewers until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            viewer, _ = await loop.sock_accept(listening)
            server = _small(socket.socket())
            await loop.sock_connect(server, self.server)
            for work in (self._pass(viewer, server, None), self._pass(server, viewer, self.rate)):
                self._tasks.add(asyncio.create_task(work))

    async def _pass(self, source: socket.socket, target: socket.socket, rate: float | None) -> None:
        loop = asyncio.get_running_loop()
        with source, contextlib.suppress(OSError):
            while data := await loop.sock_recv(source, 4096):
                await self._open.wait()
                await loop.sock_sendall(target, data)
                if rate:
                    await asyncio.sleep(len(data) / rate)
            target.shutdown(socket.SHUT_WR)

    async def close(self) -> None:
        """End all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def link(address: str, rate: float | None = None) -> AsyncIterator[Link]:
    """A link to the socket at `address`."""
    url = urlsplit(address)
    assert url.hostname
    assert url.port
    made = Link((url.hostname, url.port), rate)
    made.restore()
    with _small(socket.create_server(("127.0.0.1", 0))) as listening:
        made.address = url._replace(netloc=f"127.0.0.1:{listening.getsockname()[1]}").geturl()
        accepting = asyncio.create_task(made.accept(listening))
        try:
            yield made
        finally:
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
            await made.close()


def _small(end: socket.socket) -> socket.socket:
    """An end with small buffers."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    end.setblocking(False)
    return end
