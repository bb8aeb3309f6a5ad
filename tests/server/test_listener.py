"""The listener: so many connections for one address, unless that is the edge's."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.testing import bind_unused_port
from tornado.web import Application

from server.listener import MOST_CONNECTIONS, Listener
from tests.loop import run


async def answered(listener: Listener, connections: int) -> int:
    """How many of so many connections at once are answered."""
    socket, port = bind_unused_port()
    listener.add_socket(socket)
    count = 0
    async with AsyncExitStack() as stack:
        stack.callback(listener.stop)
        for _ in range(connections):
            stream = await TCPClient().connect("127.0.0.1", port)
            stack.callback(stream.close)
            try:
                await stream.write(b"GET / HTTP/1.1\r\nHost: studio\r\n\r\n")
                count += (await stream.read_until(b"\r\n")).startswith(b"HTTP/1.1 404")
            except StreamClosedError:
                pass
    await listener.close_all_connections()
    return count


@pytest.mark.parametrize(("behind_edge", "most"), [(False, MOST_CONNECTIONS), (True, MOST_CONNECTIONS + 9)])
def test_one_address_has_so_many_connections_unless_strangers_share_it(behind_edge: bool, most: int) -> None:
    async def serve() -> int:
        return await answered(Listener(Application(), behind_edge=behind_edge), MOST_CONNECTIONS + 9)

    assert run(asyncio.wait_for(serve(), 20)) == most
