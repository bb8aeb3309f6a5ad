"""S3 and DynamoDB over a real socket, emulated by moto."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.server import MotoRequestHandler
from werkzeug.serving import make_server
from werkzeug.wsgi import get_input_stream


class OneByOne:
    """An application that answers one request at a time.

    DynamoDB carries out its writes one after the other; moto does not by itself: a transaction that is refused puts
    back the whole table as it was when it began, and what others wrote meanwhile is lost. A request is read before its
    turn comes: one whose sender stands still, in the middle of it, holds up nobody else.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._turn = threading.Lock()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"] = io.BytesIO(get_input_stream(environ).read())
        with self._turn:
            answer: Iterable[bytes] = self._application(environ, start_response)
        return answer


class Quiet(MotoRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing: a thousand requests would bury what a test that fails has to say."""


@contextmanager
def emulating() -> Iterator[str]:
    """An emulator, and its address."""
    application = OneByOne(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, name="moto")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
