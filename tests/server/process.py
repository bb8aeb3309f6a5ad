"""A real server in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SERVE = [sys.executable, "-m", "visualneurons", "serve"]


@dataclass(frozen=True)
class Server:
    """A server that has said its address."""

    process: subprocess.Popen[str]
    url: str


@contextmanager
def serving(*options: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run ``visualneurons serve`` on a free port until the block is left."""
    command = [*SERVE, "--port", "0", *options]
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            address = re.search(r"http://\S+", said)
            assert address, f"the server said {said!r} instead of its address"
            yield Server(process, address[0])
        finally:
            process.kill()


def get(url: str) -> HTTPResponse:
    """Ask for `url`, whatever proxies the machine is set up with."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    answer: HTTPResponse = opener.open(url, timeout=10)
    return answer
