"""The socket: one viewer, who may be the owner of what is painted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from controller import Cut, Painting, Refusal
from server import metrics, requests
from server.entrance import Entrance
from server.errors import envelope, unexpected
from server.handlers import Handler
from server.limits import Rate
from server.packets import mark, packet

logger = logging.getLogger(__name__)

LARGE = 64 << 10
"""Bytes of a message beyond which it is read in a thread."""

MOST_UNSENT = 1 << 20
"""Bytes of answers that may wait for a client that asks on and on and does not read them."""

POLICY, TRY_LATER = 1008, 1013  # why a socket is closed, in WebSocket's own numbers

# What the original protocol knows; whoever asks for no more than this is promised each iteration.
ORIGINAL_FIELDS = {"content_image", "style_image", "iterations"}


class StyleTransferSocket(Handler, WebSocketHandler):
    """Speaks the protocol of `docs/protocol.md` with one client."""

    def initialize(self, entrance: Entrance) -> None:
        super().initialize(entrance)
        self._painting: Painting | None = None
        self._owner = False
        self._counted = False
        self._stays = False  # after the end: it may ask for more
        self._ended = False
        self._farewell = 1000, ""
        self._heard = time.monotonic()
        self._flying: deque[tuple[bytes, float]] = deque()  # the mark of each frame on its way, and since when
        self._taken = 0.0  # when a frame last arrived
        self._unsent = 0  # bytes said, other than frames, since last all had been sent
        self._rate = Rate(entrance.limits.rate)
        self._ticket: str | None = None  # the painting that the ticket is for
        self._doing: asyncio.Task[None] | None = None  # what the last message asks for

    def check_origin(self, origin: str) -> bool:
        """Who may come was decided in `prepare`, for every handler alike."""
        return True

    # ---------------------------------------------------------------- coming and going

    def open(self, *_: str, **__: str) -> None:
        """Say how the model is loading, or refuse."""
        metrics.SOCKETS.inc()
        self.set_nodelay(True)
        self._binary = self.get_query_argument("frames", "") == "binary"
        self.entrance.sockets.add(self)
        try:
            if not self.entrance.counts.take(self.address):
                problem = f"{self.entrance.limits.sockets} sockets of yours are open; no more are taken."
                raise Refusal("sockets_many", problem, "Close some, and try again.")
            self._counted = True
            self._ticket = self.admit()
            self.entrance.acted()
        except Refusal as refusal:
            self._refuse(refusal)
            self.close(POLICY, refusal.code)
            return
        self.entrance.controller.listen(self.tell)

    def on_close(self) -> None:
        """The painting goes on without this viewer."""
        metrics.SOCKETS.dec()
        self.entrance.sockets.discard(self)
        self.entrance.controller.deafen(self.tell)
        if self._counted:
            self.entrance.counts.release(self.address)
        if self._painting:
            self.entrance.controller.leave(self, self._painting)

    def check(self, now: float) -> None:
        """Close the socket if it is idle, or leaves its frames unread."""
        limits = self.entrance.limits
        if (self._painting is None or self._ended) and now - self._heard > limits.idle:
            self.close(POLICY, "idle")
        if self._flying and now - max(self._taken, self._flying[0][1]) > limits.unread:
            logger.info("viewer does not read", extra={"facts": self._facts()})
            self.abort()

    def abort(self) -> None:
        """End the connection without a farewell, which the other end would not read either."""
        if self.ws_connection:
            self.ws_connection._abort()

    # ---------------------------------------------------------------- what it hears

    async def on_message(self, message: str | bytes) -> None:
        """Let a message be answered when the one before it is. Signs of life are heard even while that takes long."""
        if self._doing:
            await asyncio.wait([self._doing])
        self._doing = asyncio.create_task(self._answer(message))

    async def _answer(self, message: str | bytes) -> None:
        """Do what a message says, or answer why not."""
        if self.ws_connection is None or self.ws_connection.is_closing():
            return  # tornado reads on until the other end has closed, too: whoever was refused is not to be heard
        self._heard = time.monotonic()
        metrics.RECEIVED.inc(len(message))
        try:
            if not self._rate.take():
                problem = f"More than {self.entrance.limits.rate:g} messages a second came."
                raise Refusal("messages_many", problem, "Wait a second, and send fewer.")
            large = len(message) > LARGE
            read = await asyncio.to_thread(requests.message_in, message) if large else requests.message_in(message)
            self.entrance.acted()
            await self._do(read, large)
        except Refusal as refusal:
            self._refuse(refusal)
        except Exception:  # whatever it is, it is no visitor's business and ends nobody's painting
            logger.exception("a message could not be handled", extra={"facts": self._facts()})
            self._refuse(unexpected())

    async def _do(self, message: requests.Message, large: bool) -> None:
        controller, data = self.entrance.controller, message.data
        match message.action:
            case "close":
                self.close(1000)
            case "request_image":
                await self._request(data, large)
            case "watch":
                self._check_free()
                cut = requests.cut_in(data, self._binary)
                since = None if data.get("from") is None else requests.whole_in(data, "from", 0)
                key = "" if data.get("key") is None else requests.key_in(data["key"])
                id = requests.id_in(data.get("painting"))
                self.check_ticket(self._ticket, id)
                painting = await controller.find(id)
                if key:
                    controller.own(painting, key)
                self._stays = bool(key)
                self._attach(painting, cut, owner=bool(key), since=since)
            case "steer":
                await controller.steer(self._own(), data)
            case "pause":
                await controller.pause(self._own())
            case "resume":
                await controller.resume(self._own())
            case "finish":
                await controller.finish(self._own())
            case "more":
                await controller.more(self._own(), data.get("iterations"))
            case "rewind":
                await controller.rewind(self._own(), requests.whole_in(data, "iteration", 0))

    async def _request(self, data: Mapping[str, Any], large: bool) -> None:
        self._check_free()
        cut = requests.cut_in(data, self._binary)
        arguments = data, self.entrance.artworks, self.address
        order = await asyncio.to_thread(requests.order_in, *arguments) if large else requests.order_in(*arguments)
        self.check_ticket(self._ticket, order.painting)
        painting, key = await self.entrance.controller.request(order)
        every = not self._binary and data.keys() <= ORIGINAL_FIELDS
        self.tell("painting", {"painting": painting.id, "key": key or None})
        self._attach(painting, cut, owner=bool(key), every=every)

    def _attach(self, painting: Painting, cut: Cut, owner: bool, every: bool = False, since: int | None = None) -> None:
        if self.ws_connection is None or self.ws_connection.is_closing():
            return  # it went while its painting was accepted, which is painted all the same
        self._painting, self._owner = painting, owner  # it is told at once how the painting stands
        self._painting = self.entrance.controller.watch(self, painting, cut, every, since)

    def _check_free(self) -> None:
        if self._painting:
            problem = f"This socket shows the painting {self._painting.id}."
            raise Refusal("painting_busy", problem, "Open another socket for another painting.")

    def _own(self) -> Painting:
        if self._painting is None:
            problem = "This socket has no painting."
            raise Refusal("move_illegal", problem, "Request one, or watch one with its key, first.")
        if not self._owner:
            problem = "Only its owner may do this with a painting."
            raise Refusal("key_wrong", problem, "Watch it with the key that came with it.")
        return self._painting

    # ---------------------------------------------------------------- what it says

    def tell(self, state: str, data: Mapping[str, Any] | None) -> None:
        """Say something other than a frame; after the end there is no more to say."""
        if state == "error" and data:
            metrics.ERRORS.labels(data["code"]).inc()
        elif state == "end":
            self.entrance.acted()
            data = {**(data or {}), **(self.entrance.works(self._painting) if self._painting else {})}
        self._write(json.dumps({"state": state, "data": data}, separators=(",", ":"), allow_nan=False).encode())
        # Not "finished": where that cannot be kept yet, an error says so, and the end is still to come.
        over = self._painting is not None and self._painting.state in ("failed", "cancelled")
        if state == "moved":
            self.close(TRY_LATER)
        elif state == "end" or (state == "error" and over):
            self._ended = True
            self._farewell = (1000, "") if state == "end" else (POLICY, data["code"] if data else "")
            self._close_when_read()

    def show(self, iteration: int, message: bytes) -> None:
        """Show a frame, and ask for a sign that it has arrived: the pong that every client sends by itself."""
        self._ended = False
        if self.ws_connection is None or self.ws_connection.is_closing():
            return
        stream = self.ws_connection.stream
        assert stream
        self._flying.append((mark(iteration), time.monotonic()))
        metrics.FRAMES_SENT.inc()
        metrics.SENT.inc(len(message))
        with contextlib.suppress(StreamClosedError):
            stream.write(packet(iteration, message, self._binary))

    def on_pong(self, data: bytes) -> None:
        """A frame has arrived, and all before it."""
        if not any(known == data for known, _ in self._flying):
            return
        now = self._taken = time.monotonic()
        arrived = b""
        while arrived != data:
            arrived, since = self._flying.popleft()
            metrics.SEND.observe(now - since)
            if self._painting:
                self.entrance.controller.taken(self, self._painting, now - since)
        self._close_when_read()

    def _close_when_read(self) -> None:
        """Close after the end, but not while frames are still on their way: on a slow link they take their time."""
        if self._ended and not self._flying and not self._stays:
            self.close(*self._farewell)

    def _refuse(self, refusal: Refusal) -> None:
        told = envelope(refusal)
        self.tell(told["state"], told["data"])

    def _write(self, message: bytes) -> None:
        stream = self.ws_connection.stream if self.ws_connection else None
        self._unsent = self._unsent + len(message) if stream and stream.writing() else 0
        if self._unsent > MOST_UNSENT:
            self.abort()
            return
        try:
            self.write_message(message).add_done_callback(_look_away)
        except WebSocketClosedError:
            return
        metrics.SENT.inc(len(message))

    def _facts(self) -> dict[str, Any]:
        return {"painting": self._painting.id if self._painting else None, "address": self.address}


def _look_away(future: asyncio.Future[None]) -> None:
    """A write that fails is the end of the connection, which `on_close` is told of."""
    if not future.cancelled():
        future.exception()
