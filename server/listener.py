"""The listener: takes connections, but not more than one address should need."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

from server.limits import Counts

MOST_CONNECTIONS = 64
"""Connections that one address may have without having opened a socket on them: a browser has six."""


class Listener(HTTPServer):
    """An HTTP server that closes what one address has too many of. Behind an edge that is no visitor's address."""

    def initialize(self, *arguments: Any, behind_edge: bool = False, **options: Any) -> None:
        """Make the server; it may be behind an edge, by way of which everybody comes."""
        self._counts = Counts(sys.maxsize if behind_edge else MOST_CONNECTIONS)
        super().initialize(*arguments, **options)

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Take a connection, or close it."""
        if self._counts.take(str(address[0])):
            super().handle_stream(stream, address)
        else:
            stream.close()

    def on_close(self, server_conn: object) -> None:
        """A connection is closed, or has become a socket, which is counted by others."""
        assert isinstance(server_conn, HTTP1ServerConnection)
        super().on_close(server_conn)
        context: Any = server_conn.context
        self._counts.release(str(context.address[0]))


def raise_file_limit() -> None:
    """Let the process have as many connections and files as the system allows it."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
