"""A real server in a process of its own."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SERVE = [sys.executable, "-m", "visualneurons", "serve"]

# Python itself imports it first, in an easel as in every process; an easel ends with its server, held or not.
HOLD = """
import os, sys, time

if any("spawn_main" in word for word in sys.orig_argv):
    server = os.getppid()
    while not os.path.exists(os.environ["MAY_LOAD"]):
        if os.getppid() != server:
            os._exit(0)
        time.sleep(0.02)
"""


@dataclass(frozen=True)
class Server:
    """A server that has said its address."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    @property
    def socket(self) -> str:
        """The address of its socket."""
        return self.url.replace("http", "ws", 1) + "styletransfer"

    def said(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(encoding="utf-8")

    def json(self, path: str) -> Any:
        """What it answers with at a path."""
        with get(self.url + path) as answer:
            return json.load(answer)

    def metrics(self) -> dict[str, float]:
        """What it has counted, by name and labels as they are written."""
        with get(self.url + "metrics") as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}

    def post(self, fields: Mapping[str, Any], path: str = "paintings", **headers: str) -> Any:
        """Ask for a painting in JSON; what it answers with."""
        body = json.dumps(fields).encode()
        with send("POST", self.url + path, body, Content_Type="application/json", **headers) as answer:
            return json.load(answer)

    def delete(self, painting: str, key: str) -> None:
        """Cancel a painting."""
        with send("DELETE", f"{self.url}paintings/{painting}", None, Authorization=f"Bearer {key}") as answer:
            assert answer.status == 204

    def state(self, painting: str) -> str:
        """The state of a painting."""
        state: str = self.json(f"paintings/{painting}")["state"]
        return state

    def wait(self, what: Callable[[], Any], seconds: float = 120) -> Any:
        """Wait until something is so, and return it."""
        until = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < until, f"waited in vain for {seconds} s; the server said:\n{self.said()}"
            assert self.process.poll() is None, f"the server ended:\n{self.said()}"
            time.sleep(0.05)  # to ask costs the server time, too
        return found

    def loaded(self) -> Server:
        """Wait until an easel can paint."""
        self.wait(lambda: any("engine" in easel for easel in self.json("healthz")["easels"]), 240)
        return self

    def rested(self) -> Server:
        """Wait until its easels are at nothing."""
        self.wait(lambda: {easel["state"] for easel in self.json("healthz")["easels"]} == {"free"}, 240)
        return self

    def easels(self) -> list[int]:
        """The process numbers of its easels."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                try:
                    stat, command = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
                except OSError:
                    continue
                if int(stat.rpartition(")")[2].split()[1]) == self.process.pid and b"spawn_main" in command:
                    found.append(int(folder.name))
        return found


@dataclass(frozen=True)
class Refused:
    """A refusal over HTTP."""

    status: int
    headers: Mapping[str, str]
    envelope: Any

    @property
    def code(self) -> str:
        code: str = self.envelope["data"]["code"]
        return code


def refused(asking: Callable[..., object], *arguments: Any, **named: Any) -> Refused:
    """What is answered to a request that has to be refused."""
    try:
        asking(*arguments, **named)
    except urllib.error.HTTPError as error:
        with error:
            told = Refused(error.code, dict(error.headers), json.load(error))
        assert told.envelope["state"] == "error"
        assert told.envelope["data"].keys() == {"code", "message", "hint"}
        return told
    raise AssertionError("it was not refused")


@contextmanager
def serving(
    *options: str,
    gallery: Path | str | None = None,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    changed: str = "",
) -> Iterator[Server]:
    """Run ``visualneurons serve`` with patches on a free port, and a gallery of its own, until the block is left.

    `changed` is Python that sets another length of time than the program has.
    """
    with tempfile.TemporaryDirectory(prefix="studio-", ignore_cleanup_errors=True) as folder:
        log = Path(folder, "log")
        place = ["--gallery", str(gallery or Path(folder, "gallery"))]
        script = f"import sys, visualneurons\n{changed}\nsys.exit(visualneurons.main())"
        serve = [sys.executable, "-c", script, "serve"] if changed else SERVE
        command = [*serve, "--port", "0", "--engine", "patches", *place, *options]
        with (
            log.open("w") as stderr,
            subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
        ):
            try:
                assert process.stdout
                said = process.stdout.readline()
                address = re.search(r"https?://\S+", said)
                assert address, f"the server said {said!r} instead of its address, and {log.read_text()!r}"
                yield Server(process, address[0], log)
            finally:
                process.kill()


@dataclass(frozen=True)
class Held:
    """Easels that load their model when they are let, and not before."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """What is to be in the environment of their server."""
        return {"PYTHONPATH": str(self.folder), "MAY_LOAD": str(self.folder / "may-load")}

    def hold(self) -> None:
        """Let those that start from now on wait."""
        (self.folder / "may-load").unlink()

    def let(self) -> None:
        """Let them load."""
        (self.folder / "may-load").touch()


@contextmanager
def held() -> Iterator[Held]:
    """Easels that are held as yet."""
    with tempfile.TemporaryDirectory(prefix="held-") as folder:
        Path(folder, "sitecustomize.py").write_text(HOLD)
        yield Held(Path(folder))


def get(url: str, **headers: str) -> HTTPResponse:
    """Ask for `url`, whatever proxies the machine is set up with."""
    return send("GET", url, None, **headers)


def send(method: str, url: str, body: bytes | None, **headers: str) -> HTTPResponse:
    """Send a request; a header's name has _ for -."""
    context = ssl._create_unverified_context() if url.startswith("https") else None
    handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, method=method, headers=named)
    answer: HTTPResponse = urllib.request.build_opener(*handlers).open(request, timeout=120)
    return answer
