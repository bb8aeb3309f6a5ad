"""A web server with one file, which it serves as well or as badly as it is told, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from model.download import Source


@dataclass(frozen=True)
class Behaviour:
    """How one request is answered."""

    status: int = 0  # other than zero: this status and no file
    silent: bool = False  # takes the request and never answers
    trickle: bool = False  # a byte of the status line now and then, for as long as anybody listens
    cut: int | None = None  # closes the connection after so many bytes of the body
    hang: int | None = None  # falls silent after so many bytes of the body
    ranges: bool = True
    conditions: bool = True  # heeds If-Range
    length: int | None = None  # claims this length
    seconds: float = 0.0  # spends so long on the body
    unless: Callable[[], bool] = lambda: False  # hurries with the rest of it once this is so


@dataclass
class Asked:
    """A request as it came, and how many bytes of the body went out."""

    range: str | None
    if_range: str | None
    sent: int = 0


@dataclass
class WeightsServer:
    """Serves `body` on 127.0.0.1 while the `with` lasts; each request uses up a behaviour, except the last one."""

    body: bytes
    behaviours: list[Behaviour] = field(default_factory=lambda: [Behaviour()])
    etag: str | None = '"first"'
    modified: str | None = None
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._closing = threading.Event()
        self._lock = threading.Lock()

    @property
    def source(self) -> Source:
        return Source(self.url, hashlib.md5(self.body).hexdigest())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/vgg19.h5"

    def __enter__(self) -> WeightsServer:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._serve(self)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = False  # in the end all have noted what they sent
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        asked = Asked(request.headers["Range"], request.headers["If-Range"])
        with self._lock:
            self.asked.append(asked)
            behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # The client goes when it has had enough.
            self._answer(request, behaviour, asked)

    def _answer(self, request: BaseHTTPRequestHandler, behaviour: Behaviour, asked: Asked) -> None:
        if behaviour.silent:
            self._closing.wait()
        elif behaviour.trickle:
            for byte in b"HTTP/1.1 200 " + b"O" * 1000:
                request.wfile.write(bytes([byte]))
                if self._closing.wait(0.1):
                    return
        elif behaviour.status:
            request.send_error(behaviour.status)
        else:
            self._send(request, behaviour, asked)

    def _send(self, request: BaseHTTPRequestHandler, behaviour: Behaviour, asked: Asked) -> None:
        start = 0
        unchanged = asked.if_range in (None, self.etag, self.modified) or not behaviour.conditions
        if asked.range and behaviour.ranges and unchanged:
            start = int(asked.range.removeprefix("bytes=").removesuffix("-"))
            if start >= len(self.body):
                request.send_error(416)
                return
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(self.body) - 1}/{len(self.body)}")
        else:
            request.send_response(200)
        rest = self.body[start:]
        request.send_header("Content-Length", str(behaviour.length or len(rest)))
        if self.etag:
            request.send_header("ETag", self.etag)
        if self.modified:
            request.send_header("Last-Modified", self.modified)
        request.end_headers()
        stop = next((limit for limit in (behaviour.cut, behaviour.hang) if limit is not None), len(rest))
        step = max(1, stop // 20)
        for at in range(0, stop, step):
            piece = rest[at : min(at + step, stop)]
            request.wfile.write(piece)
            asked.sent += len(piece)
            until = time.monotonic() + behaviour.seconds / 20
            while time.monotonic() < until and not behaviour.unless():
                time.sleep(0.01)
        if behaviour.hang is not None:
            self._closing.wait()
