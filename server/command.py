"""``visualneurons serve``: the studio, on this machine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import ssl
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

from tornado.netutil import bind_sockets

import gallery
from controller import SETTINGS, Setup, StyleTransferController
from server import limits, origins
from server.application import make_application
from server.artworks import Artworks
from server.cloud import Edge, Life, Place
from server.entrance import Entrance
from server.limits import Counts, Limits
from server.listener import Listener, raise_file_limit
from server.logs import LEVELS, configure
from server.origins import Origins, read_origin
from server.site import SITE
from server.tickets import Tickets, read_key

logger = logging.getLogger(__name__)

EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
GALLERY = "~/.visualneurons/gallery"
QUIET, UPLOADING = 75.0, 300.0
"""Seconds that a connection may take to ask for something, and that an upload may take: so none is held for nothing."""

CLOSING, GONE = 7.0, 2.5
"""Seconds after which what could not be put aside is left as its last checkpoint has it, and so many later the process
is gone. Where a studio in the cloud leaves of itself, it knows how long it may take."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``serve`` to `parser`."""
    add = parser.add_argument
    add("--address", default="127.0.0.1", help="name or number of the interface to listen on (default: %(default)s)")
    add("--port", type=_port, default=8000, help="port to listen on, 0 for any free one (default: %(default)s)")
    add("--open", action="store_true", help="open the page in your browser")
    add("--easels", type=_count, default=1, metavar="N", help="paintings painted at once (default: %(default)s)")
    add("--engine", choices=SETTINGS["engine"].choices, default="auto", help=SETTINGS["engine"].description)
    add("--weights", default="auto", metavar="FILE", help="VGG19's weights: a .h5 file, random, or auto (the default)")
    add(
        "--gallery",
        default=GALLERY,
        metavar="PLACE",
        help="where paintings are kept: a folder, for one studio at a time, or s3://BUCKET/PREFIX?table=NAME "
        "(default: %(default)s)",
    )
    add(
        "--studio",
        default=os.environ.get("STUDIO", ""),
        metavar="NAME",
        help="this studio's name among those that share a gallery, by which it finds its own again",
    )
    add(
        "--origin",
        type=read_origin,
        action="append",
        default=[],
        dest="origins",
        help="a site, such as https://example.com, whose pages may use this studio, too (can be given again)",
    )
    add("--certfile", type=Path, metavar="FILE", help="certificate, for https and wss")
    add("--keyfile", type=Path, metavar="FILE", help="the certificate's key, if it is in a file of its own")
    add("--ticket-key", type=read_key, metavar="FILE", help="let in only who has a ticket signed with the key in FILE")
    add("--host", default="", metavar="NAME", help="this studio's name in tickets")
    add(
        "--deadline",
        type=float,
        default=Setup.deadline,
        metavar="SECONDS",
        help="an easel at work that says nothing for so long is taken to hang (default: %(default)g)",
    )
    add("--log", choices=LEVELS, default="info", help="what is logged (default: %(default)s)")
    limits.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit code."""
    configure(arguments.log)
    raise_file_limit()
    with contextlib.ExitStack() as closing:
        try:
            place = _place(arguments)
            certificate = _certificate(arguments)
            sockets = bind_sockets(arguments.port, arguments.address)
            for each in sockets:
                closing.callback(each.close)
        except ssl.SSLError as error:
            problem = f"{arguments.certfile} is no certificate with its key: {error.reason}."
            return _refuse(f"{problem} Give both in PEM, the key by --keyfile if it is in a file of its own.")
        except OSError as error:
            where = f"{arguments.address}, port {arguments.port}"
            problem = f"VisualNeurons cannot listen on {where}: {error.strerror}."
            return _refuse(f"{problem} Choose another with --port or --address.")
        except ValueError as error:
            return _refuse(str(error))
        return asyncio.run(_serve(arguments, sockets, certificate, place))


async def _serve(
    arguments: argparse.Namespace,
    sockets: Sequence[socket.socket],
    certificate: ssl.SSLContext | None,
    place: Place | None,
) -> int:
    """Serve on `sockets` until the process is asked to end, or has to leave its `place`; return the exit code."""
    asked_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    until: list[float] = []  # by when what is to be put aside has to be

    def end(within: float) -> None:
        if not until:  # else it may take as long as it was told at first
            until.append(time.monotonic() + within)
            gone = threading.Timer(within + GONE, os._exit, [0])  # whatever a thread still waits for
            gone.daemon = True
            gone.start()
            loop.call_soon_threadsafe(asked_to_end.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        # Not loop.add_signal_handler: Windows has none.
        signal.signal(number, lambda *_: end(CLOSING))

    entrance = _entrance(arguments, sockets, place)
    most = int(entrance.limits.message * 2**20)
    server = Listener(
        make_application(entrance),
        behind_edge=entrance.edge is not None,
        ssl_options=certificate,
        max_body_size=most,
        max_buffer_size=most + 2**20,
        idle_connection_timeout=QUIET,
        body_timeout=UPLOADING,
    )
    server.add_sockets(sockets)
    url = _url(sockets[0], "https" if certificate else "http")
    print(f"VisualNeurons is at {url} (Ctrl-C ends it)", flush=True)
    life = place and Life(place, arguments.host, arguments.easels, entrance.controller, lambda: entrance.active)
    living = life and asyncio.create_task(_live(life, end))
    try:
        await entrance.controller.open()
    except (ValueError, gallery.Unavailable, gallery.Full) as error:
        return _refuse(f"{error} Choose another place with --gallery.")
    if arguments.open:
        await asyncio.to_thread(webbrowser.open, url)

    minding = asyncio.create_task(_mind(entrance))
    await asked_to_end.wait()
    minding.cancel()
    if life and living:
        living.cancel()
        await life.leave()
    server.stop()
    await entrance.controller.close(until[0] - time.monotonic())
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(server.close_all_connections(), 1)
    return 0


def _entrance(arguments: argparse.Namespace, sockets: Sequence[socket.socket], place: Place | None) -> Entrance:
    """What the handlers are given."""
    bounds = Limits.from_arguments(arguments)
    setup = Setup(arguments.easels, arguments.engine, arguments.weights, arguments.deadline)
    return Entrance(
        StyleTransferController(lambda: gallery.opened(arguments.gallery, arguments.studio), bounds, setup),
        bounds,
        Origins(arguments.origins, loopback=all(origins.is_loopback(each.getsockname()[0]) for each in sockets)),
        Tickets(arguments.ticket_key, arguments.host) if arguments.ticket_key else None,
        Artworks(SITE),
        Counts(bounds.sockets),
        Edge(arguments.ticket_key, arguments.host) if place else None,
    )


def _place(arguments: argparse.Namespace) -> Place | None:
    """Where the studio is, if it is in the cloud."""
    place = Place.from_environment(os.environ)
    if place and not (arguments.ticket_key and arguments.host):
        problem = "STUDIO is set, so this is a studio in the cloud, which lets in by tickets alone."
        raise ValueError(f"{problem} Give it --ticket-key and --host.")
    return place


async def _live(life: Life, end: Callable[[float], None]) -> None:
    """Have the studio end when its life in the cloud is over, or cannot be told any more."""
    within = CLOSING
    try:
        reason, within = await life.live()
        logger.info("the studio leaves", extra={"facts": {"reason": reason}})
    except Exception:  # a studio of which nobody hears is ended anyway
        logger.exception("the studio's life cannot be told")
    end(within)


async def _mind(entrance: Entrance) -> None:
    """See to it that no socket is kept for nothing."""
    while True:
        await asyncio.sleep(min(1.0, entrance.limits.idle / 2, entrance.limits.unread / 2))
        for each in list(entrance.sockets):
            try:
                each.check(time.monotonic())
            except Exception:  # the other sockets are to be minded all the same
                logger.exception("a socket could not be minded")


def _certificate(arguments: argparse.Namespace) -> ssl.SSLContext | None:
    """What wss needs, if it is asked for."""
    if not arguments.certfile:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(arguments.certfile, arguments.keyfile)
    except OSError as error:
        if isinstance(error, ssl.SSLError):
            raise
        raise ValueError(
            f"The certificate {arguments.certfile} or its key cannot be read: {error.strerror}."
        ) from error
    return context


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _count(text: str) -> int:
    """Read how many easels there are to be."""
    if not (text.isdecimal() and 1 <= int(text) <= 64):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of easels: it must be a whole number from 1 to 64")
    return int(text)


def _url(listening: socket.socket, scheme: str) -> str:
    """Return the address of the page for a browser on this machine."""
    address, port = listening.getsockname()[:2]
    host = EVERY_INTERFACE.get(address, address)
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"


def _port(text: str) -> int:
    """Read a port number."""
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: it must be a whole number from 0 to 65535")
    return int(text)
