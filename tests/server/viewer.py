"""A viewer, as a test plays it: a socket that keeps what it is told."""

from __future__ import annotations

import asyncio
import base64
import functools
import io
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec

import numpy as np
from PIL import Image
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.loop import run

P = ParamSpec("P")


def in_loop(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Let a test be a coroutine."""

    @functools.wraps(test)
    def play(*arguments: P.args, **named: P.kwargs) -> None:
        run(asyncio.wait_for(test(*arguments, **named), 240))

    return play


def picture(width: int = 96, height: int = 64, seed: int = 0) -> bytes:
    """A PNG of coloured stripes and noise."""
    chance = np.random.default_rng(seed)
    stripes = np.indices((height, width)).sum(axis=0)[..., None] // 8 % 2 * [160, 90, 40]
    pixels = (stripes + chance.integers(0, 80, (height, width, 3))).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def order(iterations: int = 10, seed: int = 0, **more: Any) -> dict[str, Any]:
    """The data of a request for a small painting."""
    return {
        "content_image": base64_of(picture(seed=seed)),
        "style_image": base64_of(picture(64, 64, seed + 1)),
        "iterations": iterations,
        **more,
    }


@dataclass
class Frame:
    """An iteration as the viewer sees it."""

    facts: dict[str, Any]
    image: bytes

    @property
    def iteration(self) -> int:
        number: int = self.facts["iteration"]
        return number

    @property
    def picture(self) -> Image.Image:
        return Image.open(io.BytesIO(self.image))


@dataclass
class Viewer:
    """One end of a socket."""

    socket: WebSocketClientConnection
    states: list[tuple[str, Any]] = field(default_factory=list)  # all but frames
    frames: list[Frame] = field(default_factory=list)
    closed: bool = False

    async def send(self, action: str, data: Any = None) -> None:
        await self.socket.write_message(json.dumps({"action": action, "data": data}))

    async def hear(self, seconds: float = 120) -> tuple[str, Any]:
        """The next message; ("closed", code) at the end."""
        message = await asyncio.wait_for(self.socket.read_message(), seconds)
        if message is None:
            self.closed = True
            return "closed", self.socket.close_code
        if isinstance(message, bytes):
            length = struct.unpack(">I", message[:4])[0]
            told = json.loads(message[4 : 4 + length])
            image = message[4 + length :]
        else:
            told = json.loads(message)
            image = None
        state, data = told["state"], told["data"]
        if state == "end_iteration":
            if image is None:
                image = base64.b64decode(data.pop("image"), validate=True)
            self.frames.append(Frame(data, image))
        else:
            self.states.append((state, data))
        return state, data

    async def until(self, *states: str, seconds: float = 120) -> tuple[str, Any]:
        """Hear until one of these states comes."""
        while True:
            state, data = await self.hear(seconds)
            if state in states:
                return state, data
            assert state != "closed", f"closed with {data} instead of {states}, after {self.states[-5:]}"

    async def request(self, **fields: Any) -> tuple[str, str]:
        """Ask for a painting; returns its id and key."""
        await self.send("request_image", order(**fields))
        _, data = await self.until("painting", "error")
        assert "painting" in data, data
        return data["painting"], data["key"]

    async def close(self) -> None:
        """Close the socket, and wait until the other end has."""
        self.socket.close()
        while not self.closed:
            await self.hear(30)


@asynccontextmanager
async def viewing(address: str, **options: Any) -> AsyncIterator[Viewer]:
    """Connect to a server's socket."""
    socket = await websocket_connect(address, max_message_size=100 << 20, **options)
    viewer = Viewer(socket)
    try:
        yield viewer
    finally:
        await viewer.close()
