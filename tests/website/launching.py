"""A site with a launcher: the real edge, with real studios behind it, and a launcher that a test plays."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambda_launcher import tickets
from rehearsal.edge import Edge
from tests.gallery.emulator import emulating
from tests.server.process import Server, get, serving
from tests.website.static import WEBSITE

KEY = "an-example-of-a-key-that-is-64-characters-long-as-the-template-s"
REGION, NAME = "us-east-1", "d111111abcdef8.cloudfront.net"
HOST = "ec2-203-0-113-25.compute-1.amazonaws.com"
STUDIO = "studio0123456789"
GALLERY = "launched-paintings"  # the emulator is the whole process's

Json = dict[str, Any]


def refusal(code: str, message: str, hint: str = "Do something else.") -> Json:
    """A refusal as it is sent."""
    return {"state": "error", "data": {"code": code, "message": message, "hint": hint}}


@dataclass
class Launcher:
    """What the launcher answers, and what it was asked."""

    server: Server
    s3: Any
    asked: list[str] = field(default_factory=list)
    phases: list[Json] = field(default_factory=list)
    """What is said of the studio, one after the other; when none is left, it is ready."""
    refusals: list[tuple[int, Json, dict[str, str]]] = field(default_factory=list)
    """What is said to those who want to launch, before anything else."""
    known: dict[str, Json] = field(default_factory=dict)
    """What is said of paintings; of others, what the studio knows, which has them."""
    age: float = 0.0
    """How old the next ticket is, in seconds."""

    def count(self, what: str) -> int:
        """How often something was asked."""
        return sum(each.startswith(what) for each in self.asked)

    def keep(self, painting: str, **facts: Any) -> None:
        """The gallery has what the studio has painted by now; no studio has the painting any more."""
        self.known[painting] = self._has(painting) | facts

    def put(self, key: str, data: bytes) -> str:
        """Keep a file in the gallery; return its address."""
        self.s3.put_object(Bucket=GALLERY, Key=f"gallery/table/{key}", Body=data)
        return f"/gallery/table/{key}"

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Json, dict[str, str]]:
        """What is answered to a request."""
        self.asked.append(f"{method} {path}")
        if path == "/api/launch":
            assert body["key"] == body["painting"]
            return self.refusals.pop(0) if self.refusals else self._studio(body["painting"])
        if found := re.fullmatch(rf"/api/studios/{STUDIO}\?painting=(.*)", path):
            return self._studio(found[1])
        painting = path.removeprefix("/api/paintings/")
        found = self._found(painting)
        if not found:
            return 404, refusal("painting_unknown", "There is no such painting."), {}
        if method == "DELETE":
            self.known.pop(painting, None)
            return 200, {"painting": painting, "state": None}, {}
        return 200, found, {}

    def _has(self, painting: str) -> Json:
        told: Json = self.server.json(f"paintings/{painting}")
        picture = None
        if told["state"] == "finished":
            with get(self.server.url + f"paintings/{painting}/picture") as answer:
                picture = self.put(f"{painting}/1/picture", answer.read())
        return {**told, "picture": picture, "timelapse": None, "studio": None}

    def _found(self, painting: str) -> Json | None:
        if found := self.known.get(painting):
            return found
        with contextlib.suppress(OSError):
            return self._has(painting) | {"studio": STUDIO}
        return self.known.get(painting)  # its studio has gone, and it was kept meanwhile

    def _studio(self, painting: str) -> tuple[int, Json, dict[str, str]]:
        told = {"id": STUDIO, "type": "g6.xlarge", "dns": None, "eta": 0, "ticket": None, "url": None}
        if self.phases:
            phase = self.phases.pop(0)
            if "data" in phase:
                return 410, phase, {}
            return 202, {**told, **phase}, {}
        age, self.age = self.age, 0.0
        ticket = tickets.signed(KEY, HOST, painting, time.time() - age)
        return 200, {**told, "state": "ready", "dns": HOST, "ticket": ticket, "url": "/ws/styletransfer"}, {}


_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


class _Handler(BaseHTTPRequestHandler):
    launcher: Launcher

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        status, said, headers = self.launcher.answer(self.command, self.path, body)
        data = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - their names at http.server


@contextmanager
def studio(folder: Path) -> Iterator[Server]:
    """A studio that is entered by tickets, with its gallery in a folder."""
    key = folder / "ticket.key"
    key.touch(mode=0o600)
    key.write_text(KEY)
    options = ("--ticket-key", str(key), "--host", HOST, "--origin", f"https://{NAME}")
    with serving(*options, gallery=folder / "gallery") as server:
        yield server


@contextmanager
def paintings() -> Iterator[Any]:
    """A gallery in the cloud, emulated: what reads and writes it."""
    with emulating() as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("NO_PROXY", "*")):
            patch.setenv(name, value)
        s3 = boto3.client("s3", REGION, endpoint_url=aws)
        s3.create_bucket(Bucket=GALLERY)
        yield s3


def site(folder: Path) -> Path:
    """The site as it is deployed, in a folder."""
    shutil.copytree(WEBSITE, folder, dirs_exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"launcher": "/api", "days": 30}))
    return folder


@contextmanager
def launching(site: Path, s3: Any, server: Server) -> Iterator[tuple[str, Launcher]]:
    """A site with a launcher that has a studio which is ready: its address, and what the launcher does."""
    launcher = Launcher(server, s3)
    handler = type("Handler", (_Handler,), {"launcher": launcher})
    api = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=api.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        with _edging(site, f"http://127.0.0.1:{api.server_address[1]}", launcher) as address:
            yield f"{address}/", launcher
    finally:
        api.shutdown()
        thread.join()
        api.server_close()


@contextmanager
def _edging(site: Path, api: str, launcher: Launcher) -> Iterator[str]:
    """The edge, in a thread with a loop of its own: the test's thread has the browser's."""

    def lookup(host: str) -> tuple[str, int] | None:
        return ("127.0.0.1", int(launcher.server.url.strip("/").rpartition(":")[2])) if host == HOST else None

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    edge = Edge(
        port=0,
        site=site,
        gallery=GALLERY,
        s3=launcher.s3,
        api=api,
        key=KEY,
        region=REGION,
        name=NAME,
        lookup=lookup,
    )
    try:
        yield asyncio.run_coroutine_threadsafe(edge.start(), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(edge.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
