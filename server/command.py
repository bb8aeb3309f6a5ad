"""``visualneurons serve``: the page, on this machine."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
import webbrowser
from collections.abc import Sequence

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from server.application import make_application

EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``serve`` to `parser`."""
    parser.add_argument(
        "--address", default="127.0.0.1", help="name or number of the interface to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=_port, default=8000, help="port to listen on, 0 for any free one (default: %(default)s)"
    )
    parser.add_argument("--open", action="store_true", help="open the page in your browser")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit code."""
    try:
        sockets = bind_sockets(arguments.port, arguments.address)
    except OSError as error:
        print(
            f"VisualNeurons cannot listen on {arguments.address}, port {arguments.port}: {error.strerror}. "
            "Choose another with --port or --address.",
            file=sys.stderr,
        )
        return 1
    asyncio.run(_serve(sockets, open_page=arguments.open))
    return 0


async def _serve(sockets: Sequence[socket.socket], *, open_page: bool) -> None:
    """Serve on `sockets` until the process is asked to end."""
    asked_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not loop.add_signal_handler: Windows has none.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(asked_to_end.set))

    server = HTTPServer(make_application())
    server.add_sockets(sockets)
    url = _url(sockets[0])
    print(f"VisualNeurons is at {url} (Ctrl-C ends it)", flush=True)
    if open_page:
        await asyncio.to_thread(webbrowser.open, url)

    await asked_to_end.wait()
    server.stop()
    await server.close_all_connections()


def _url(listening: socket.socket) -> str:
    """Return the address of the page for a browser on this machine."""
    address, port = listening.getsockname()[:2]
    host = EVERY_INTERFACE.get(address, address)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _port(text: str) -> int:
    """Read a port number."""
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: it must be a whole number from 0 to 65535")
    return int(text)
