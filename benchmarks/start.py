"""From the command ``visualneurons serve`` to the first byte of the page, while the model is still being loaded."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from benchmarks.figure import Figure, at_most
from tests.server.process import serving

TRIES = 3  # to be asked, on a busy machine, while the model is being loaded


def figures(quick: bool) -> Iterator[Figure]:
    """The median of several starts, and the worst."""
    seconds = [start() for _ in range(2 if quick else 10)]
    yield Figure("start to first byte of the page, median", statistics.median(seconds), "s", at_most(1))
    yield Figure("start to first byte of the page, worst", max(seconds), "s", at_most(1))


def start() -> float:
    """Start a server, ask for its page as soon as it has said its address, and end it."""
    for _ in range(TRIES):
        seconds, states = _started()
        if states in ([], ["loading"]):
            return seconds
    raise RuntimeError(f"Its easels are {states}.")


def _started() -> tuple[float, list[str]]:
    """How long it took, and what the easels did then."""
    began = time.perf_counter()
    with serving() as server:
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(f"GET / HTTP/1.0\r\nHost: {address.netloc}\r\n\r\n".encode())
            answer = connection.recv(4096)
            seconds = time.perf_counter() - began
        states = [easel["state"] for easel in server.json("healthz")["easels"]]
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"It answered {answer[:60]!r}.")
        server.process.terminate()  # its easel ends with it, and does not load on beside the next start
        server.process.wait()
    return seconds, states
