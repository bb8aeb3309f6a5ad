"""One request of a viewer: which behaviour it falls under, what the function makes of it, and where its answer is."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import tornado.web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.simple_httpclient import HTTPTimeoutError

from rehearsal.edge.tunnel import Unreachable, page

if TYPE_CHECKING:
    from rehearsal.edge.edge import Edge

Json = dict[str, Any]

# Headers that are about one connection, and go no further.
_OF_THE_LINK = frozenset(
    {
        "connection",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_COMPRESSED = ("text/", "application/javascript", "application/json", "application/manifest+json", "image/svg+xml")


@tornado.web.stream_request_body
class Handler(tornado.web.RequestHandler):
    """Answers every address."""

    def initialize(self, edge: Edge) -> None:
        """Take the edge."""
        self._edge = edge
        self._body: list[bytes] = []

    async def prepare(self) -> None:
        """Decide where the request goes, before its body is read; what is a studio's leaves this handler."""
        request = self.request
        self._behaviour = self._edge.distribution.behaviour(request.path)
        self._sent = {name.lower(): value for name, value in request.headers.items()}
        if self._sent.get("origin") == f"{request.protocol}://{request.host}":
            self._sent["origin"] = f"https://{self._edge.name}"  # which this page's would be
        self._sent["host"] = self._edge.name  # by which its visitors would ask for it
        self._uri = request.path
        if request.method not in self._behaviour.methods:
            self._fail(HTTPStatus.FORBIDDEN)
        elif self._behaviour.routed:
            await self._route()

    def data_received(self, chunk: bytes) -> None:
        """Collect the body of what is not a studio's."""
        self._body.append(chunk)

    async def get(self, path: str) -> None:
        """Answer from the origin."""
        origin = self._behaviour.origin
        if origin.port is None:
            uri = self._edge.distribution.root if self._uri == "/" else self._uri
            found = await asyncio.to_thread(self._edge.buckets[origin.id].read, uri, self.request.headers)
            self._answer(found.status, found.headers.items(), found.body)
        else:
            await self._ask_api()

    head = post = put = patch = delete = options = get

    def set_default_headers(self) -> None:
        """Keep the server's make to ourselves."""
        self.clear_header("Server")

    def compute_etag(self) -> None:
        """Add nothing to what the origin says."""

    # ---------------------------------------------------------------- the function

    async def _route(self) -> None:
        """Ask the function."""
        query: dict[str, Json] = {}
        for part in filter(None, self.request.query.split("&")):
            name, _, value = part.partition("=")
            known = query.setdefault(name, {"value": value, "multiValue": []})
            known["value"] = value
            known["multiValue"].append({"value": value})
        for known in query.values():
            if len(known["multiValue"]) == 1:
                del known["multiValue"]
        headers = {name: {"value": value} for name, value in self._sent.items() if name != "cookie"}
        asked = {"method": self.request.method, "uri": self._uri, "querystring": query, "headers": headers}
        told = await self._edge.routing.outcome({**asked, "cookies": {}})
        if "error" in told:
            self._fail(HTTPStatus.SERVICE_UNAVAILABLE)
        elif "response" in told:
            said = told["response"]
            headers = said.get("headers", {})
            self._answer(
                said["statusCode"],
                ((name, each["value"]) for name, each in headers.items()),
                said.get("body", {}).get("data", "").encode(),
            )
        else:
            self._uri = told["request"]["uri"]
            self._sent |= {name: each["value"] for name, each in told["request"]["headers"].items()}
            if told["origin"]:
                await self._enter(told["origin"]["domainName"])
            elif self._behaviour.origin.id == "studio":
                self._fail(HTTPStatus.BAD_GATEWAY)  # the template's placeholder, which no machine has for a name

    def _forwarded(self) -> dict[str, str]:
        """The headers that go on to the origin."""
        wanted = self._behaviour.forwarded
        viewer = self.request.connection.context.address  # type: ignore[union-attr]
        known = {**self._sent, "cloudfront-viewer-address": f"{viewer[0]}:{viewer[1]}"} if wanted else self._sent
        passed = {
            name: value
            for name, value in known.items()
            if name not in _OF_THE_LINK and (wanted is None or name in wanted)
        }
        before = [self._sent["x-forwarded-for"]] if "x-forwarded-for" in self._sent else []
        return {**passed, "x-forwarded-for": ", ".join([*before, viewer[0]])}

    # ---------------------------------------------------------------- the origins

    async def _enter(self, host: str) -> None:
        """Join the viewer with a studio."""
        request, origin = self.request, self._behaviour.origin
        upgrade = self._sent.get("upgrade", "").lower() == "websocket"
        length = self._sent.get("content-length", "0")
        if "transfer-encoding" in self._sent or not length.isdecimal():
            self._fail(HTTPStatus.LENGTH_REQUIRED)
            return
        try:
            studio, place = await self._edge.tunnels.connect(host, origin)
        except Unreachable as unreachable:
            self._fail(unreachable.status)
            return
        # By its name no studio would let us in that listens on this machine only: another page could have that name.
        link = {"host": place, "connection": "upgrade", "upgrade": "websocket"}
        headers = {**self._forwarded(), **(link if upgrade else {"host": place, "connection": "close"})}
        target = f"{self._uri}?{request.query}" if request.query else self._uri
        lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        viewer = self.detach()
        self._edge.tunnels.join(viewer, studio, head, None if upgrade else int(length), origin)

    async def _ask_api(self) -> None:
        """Pass the request on to API Gateway."""
        request, origin = self.request, self._behaviour.origin
        body = b"".join(self._body)
        asking = HTTPRequest(
            f"{self._edge.api}{self._uri}{f'?{request.query}' if request.query else ''}",
            request.method or "GET",
            self._forwarded(),
            body or None,
            connect_timeout=origin.connecting,
            request_timeout=origin.answering,
            follow_redirects=False,
            decompress_response=False,
            allow_nonstandard_methods=True,
        )
        try:
            said = await self._edge.http.fetch(asking, raise_error=False)
        except HTTPTimeoutError:
            self._fail(HTTPStatus.GATEWAY_TIMEOUT)
        except (HTTPClientError, OSError):
            self._fail(HTTPStatus.BAD_GATEWAY)
        else:
            headers = ((name, value) for name, value in said.headers.get_all() if name.lower() != "content-length")
            self._answer(said.code, headers, said.body)

    # ---------------------------------------------------------------- answers

    def _answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Awaitable[None]:
        """Answer with what an origin has said, and with what the behaviour tells browsers."""
        behaviour = self._behaviour
        self.set_status(status)
        for name, value in headers:
            if name.lower() not in _OF_THE_LINK | behaviour.hidden:
                self.set_header(name, value)
        for name, value in behaviour.told.items():
            self.set_header(name, value)
        kind = str(self._headers.get("Content-Type", ""))
        welcome = "gzip" in self._sent.get("accept-encoding", "") and "Content-Encoding" not in self._headers
        if behaviour.compress and welcome and len(body) >= 1000 and kind.startswith(_COMPRESSED):
            self.set_header("Content-Encoding", "gzip")
            body = gzip.compress(body, 5)
        if status in (204, 304):
            return self.finish()
        self.set_header("Content-Length", str(len(body)))
        return self.finish(body)

    def _fail(self, status: HTTPStatus) -> None:
        """Answer as CloudFront does where there is no answer."""
        self._answer(status.value, [("Content-Type", "text/html")], page(status).encode())
