"""Paintings over HTTP: ask for one, leave, and find it later."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.httputil import HTTPHeaders, HTTPServerRequest, parse_body_arguments

from controller import Refusal
from server import requests
from server.handlers import Handler

MOST_DRAINED = 4
"""An upload is read to its end if it is at most so many times larger than what is taken."""

MEDIA = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "mp4": "video/mp4",
    "webp": "image/webp",
    "gif": "image/gif",
}


@tornado.web.stream_request_body
class PaintingsHandler(Handler):
    """``/paintings``."""

    def prepare(self) -> None:
        """Decide whether the upload is taken.

        One that is refused is read all the same, unless it is very large: who is still sending does not hear an answer.
        """
        self._body: list[bytes] = []
        self._refused: Refusal | None = None
        try:
            super().prepare()
            self._check_size()
        except Refusal as refusal:
            self._refused = refusal

    def _check_size(self) -> None:
        most = int(self.entrance.limits.message * 2**20)
        text = self.request.headers.get("Content-Length", "0")
        length = int(text) if text.isdecimal() else 0
        if length > most:
            problem = f"The upload has {length / 2**20:.1f} MiB; {self.entrance.limits.message:g} are taken here."
            refusal = Refusal("message_large", problem, "Make the pictures smaller, and try again.")
            if length > MOST_DRAINED * most:
                self.set_header("Connection", "close")
                self.refuse(refusal)
            else:
                self.request.connection.set_max_body_size(length)  # type: ignore[union-attr]
                raise refusal

    def data_received(self, chunk: bytes) -> None:
        """Collect the upload, whose size the server bounds."""
        if not self._refused:
            self._body.append(chunk)

    async def post(self) -> None:
        """Accept an order, as a multipart form or as JSON; answer with the id and the owner's key."""
        if self._refused:
            raise self._refused
        kind = self.request.headers.get("Content-Type", "")
        ticket = self.admit()
        self.entrance.acted()
        data = await asyncio.to_thread(_data, kind, b"".join(self._body))
        self._body.clear()
        order = await asyncio.to_thread(requests.order_in, data, self.entrance.artworks, self.address)
        self.check_ticket(ticket, order.painting)
        accepted, key = await self.entrance.controller.request(order)
        self.set_status(201)
        self.set_header("Location", f"/paintings/{accepted.id}")
        self.set_header("Cache-Control", "no-store")
        self.finish({"painting": accepted.id, "key": key or None})


class OnePaintingHandler(Handler):
    """What is asked of one painting. Behind the edge this, too, takes a ticket for it."""

    def prepare(self) -> None:
        """Let in only whom the entrance lets in to this painting."""
        super().prepare()
        if self.entrance.edge:
            self.admit(self.path_args[0], reads=self.request.method != "DELETE")


class PaintingHandler(OnePaintingHandler):
    """``/paintings/{id}``."""

    async def get(self, id: str) -> None:
        """How the painting is."""
        controller = self.entrance.controller
        painting = await controller.find(requests.id_in(id))
        facts = controller.describe(painting)
        self.set_header("Cache-Control", "no-store")
        here = f"/ws/paintings/{id}" if self.entrance.edge else f"/paintings/{id}"
        works = {"picture": f"{here}/picture", "timelapse": f"{here}/timelapse", **self.entrance.works(painting)}
        self.finish({**facts, **works})

    head = get

    async def delete(self, id: str) -> None:
        """Forget the painting, if its owner says so."""
        controller = self.entrance.controller
        painting = await controller.find(requests.id_in(id))
        scheme, _, key = self.request.headers.get("Authorization", "").partition(" ")
        controller.own(painting, key.strip() if scheme.lower() == "bearer" else "")
        self.entrance.acted()
        await controller.cancel(painting)
        self.set_status(204)
        self.finish()


class PictureHandler(OnePaintingHandler):
    """``/paintings/{id}/picture``."""

    async def get(self, id: str) -> None:
        """The painting, or the newest frame of one that is not finished."""
        controller = self.entrance.controller
        painting = await controller.find(requests.id_in(id))
        data, format = await controller.picture(painting)
        _send(self, painting.id, data, format)

    head = get


class TimelapseHandler(OnePaintingHandler):
    """``/paintings/{id}/timelapse``."""

    async def get(self, id: str) -> None:
        """A film of what was kept of the painting so far."""
        controller = self.entrance.controller
        painting = await controller.find(requests.id_in(id))
        format = self.get_query_argument("format", "mp4")
        self._film = asyncio.ensure_future(controller.timelapse(painting, format))
        with contextlib.suppress(asyncio.CancelledError):
            _send(self, painting.id, await self._film, format)

    head = get

    def on_connection_close(self) -> None:
        """Whoever asked is gone: a film that has not been begun need not be made."""
        if film := getattr(self, "_film", None):
            film.cancel()


class ArtworksHandler(Handler):
    """``/artworks``."""

    def get(self) -> None:
        """The collection."""
        self.set_header("Cache-Control", "no-cache")
        self.finish({"artworks": self.entrance.artworks.listed()})

    head = get


def _send(handler: Handler, id: str, data: bytes, format: str) -> None:
    suffix = {"jpeg": "jpg"}.get(format, format)
    handler.set_header("Content-Type", MEDIA[format])
    handler.set_header("Content-Disposition", f'inline; filename="{id}.{suffix}"')
    handler.set_header("Cache-Control", "no-cache")  # kept by browsers, and asked for again: it may be painted further
    handler.finish(data)


def _data(kind: str, body: bytes) -> dict[str, Any]:
    """The fields in an upload."""
    if kind.startswith("multipart/form-data"):
        request = HTTPServerRequest(method="POST", uri="/")
        try:
            parse_body_arguments(kind, body, request.body_arguments, request.files, HTTPHeaders())
        except Exception as error:
            raise Refusal("message_invalid", f"The form cannot be read: {error}.", "Send it again, whole.") from error
        files = {name: [file.body for file in found] for name, found in request.files.items()}
        return requests.form_in(request.body_arguments, files)
    value = requests.json_in(body)
    if not isinstance(value, dict):
        raise Refusal("message_invalid", "The upload is not an object.", "Send a multipart form, or a JSON object.")
    return value
