"""The metadata service of a machine (IMDSv2), as far as a studio asks it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def telling(facts: Mapping[str, str]) -> Iterator[str]:
    """Serve `facts`, as they are at the moment, by their paths below /latest/meta-data/; the service's address."""
    token = secrets.token_urlsafe()

    class Metadata(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            asked = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
            self.answer(200 if asked else 400, token)

        def do_GET(self) -> None:
            if self.headers["X-aws-ec2-metadata-token"] != token:
                return self.answer(401, "")
            fact = facts.get(self.path.removeprefix("/latest/meta-data/"))
            return self.answer(404, "") if fact is None else self.answer(200, fact)

        def answer(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="metadata")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
