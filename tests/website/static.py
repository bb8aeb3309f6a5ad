"""A bare file server for the site: what it is with nothing behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WEBSITE = Path(__file__).resolve().parents[2] / "website"


class _Files(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the browser complains of what is missing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that is closed leaves its connections as they are."""


@contextmanager
def served(folder: Path = WEBSITE) -> Iterator[str]:
    """Serve a folder on this machine; give the address, without a slash at its end."""
    server = _Server(("127.0.0.1", 0), lambda *each: _Files(*each, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
