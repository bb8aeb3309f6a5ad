"""Stands before the emulator's EC2 and answers CreateFleet, which the emulator grants at once and in brief.

As in EC2, three pools are tried at most, the machine comes from the first that has one, the answer says from which and
which refused, and a request that is sent again gets the same machine. Whether there is capacity can be chosen. All else
passes unchanged.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.web import Application, RequestHandler

_XMLNS = "http://ec2.amazonaws.com/doc/2016-11-15/"
_OVERRIDE = "LaunchTemplateConfigs.1.Overrides."
_TRIED = 3
_NONE = "InsufficientInstanceCapacity", "We currently do not have sufficient {} capacity in this zone."
_UNTRIED = "UnfulfillableCapacity", "{} was not tried."

Parameters = dict[str, str]


class Capacity:
    """Whether there are machines."""

    def __init__(self) -> None:
        self._have_refused: set[tuple[str, str]] | None = None

    def run_out(self) -> None:
        """Let each pool refuse the next time that it is tried."""
        self._have_refused = set()

    def refuses(self, type_: str, subnet: str) -> bool:
        """Try a pool."""
        if self._have_refused is None or (type_, subnet) in self._have_refused:
            return False
        self._have_refused.add((type_, subnet))
        return True


class Door(RequestHandler):
    """Answers requests to EC2."""

    def initialize(self, emulator: str, capacity: Capacity, known: dict[str, asyncio.Future[str]]) -> None:
        """Take the emulator's address, and what was answered to whom."""
        self._emulator = emulator
        self._capacity = capacity
        self._known = known

    async def post(self) -> None:
        """Answer one."""
        asked = dict(parse_qsl(self.request.body.decode(), keep_blank_values=True))
        if asked.get("Action") != "CreateFleet":
            answer = await self._passed(self.request.body)
            self.set_status(answer.code)
            self.set_header("Content-Type", answer.headers.get("Content-Type", "text/xml"))
            self.finish(answer.body)
            return
        token = asked.get("ClientToken", "")
        if not token or token not in self._known:
            self._known[token] = asyncio.ensure_future(self._fleet(asked))
        self.set_header("Content-Type", "text/xml;charset=UTF-8")
        self.finish(await asyncio.shield(self._known[token]))

    async def _fleet(self, asked: Parameters) -> str:
        """One machine from the first pool that has one; or none."""
        rest = {name: value for name, value in asked.items() if not name.startswith(_OVERRIDE)}
        pools = _pools(asked)
        refused = list(
            itertools.takewhile(
                lambda pool: self._capacity.refuses(pool["InstanceType"], pool["SubnetId"]), pools[:_TRIED]
            )
        )
        if len(refused) == len(pools[:_TRIED]):
            return _answer(rest, refused, untried=pools[_TRIED:])
        pool = pools[len(refused)]
        given = urlencode({**rest, **{f"{_OVERRIDE}1.{name}": value for name, value in pool.items()}})
        answer = await self._passed(given.encode())
        found = re.search(r"<instanceIds>\s*<item>(i-[0-9a-f]+)</item>", answer.body.decode())
        if not found:
            raise RuntimeError(f"The emulator gives no machine: {answer.body.decode()}")
        return _answer(rest, refused, instance=found[1], pool=pool)

    async def _passed(self, body: bytes) -> HTTPResponse:
        """What the emulator answers to a request with this body."""
        headers = HTTPHeaders({name: value for name, value in self.request.headers.get_all() if name in _PASSED})
        return await AsyncHTTPClient().fetch(
            HTTPRequest(self._emulator, "POST", headers, body, request_timeout=30), raise_error=False
        )


_PASSED = {"Authorization", "Content-Type", "User-Agent", "X-Amz-Date", "X-Amz-Security-Token"}


@asynccontextmanager
async def standing_before(emulator: str, port: int) -> AsyncIterator[Capacity]:
    """Answer on a port of 127.0.0.1 what is asked of EC2."""
    capacity = Capacity()
    known: dict[str, asyncio.Future[str]] = {}
    server = HTTPServer(Application([("/.*", Door, {"emulator": emulator, "capacity": capacity, "known": known})]))
    server.listen(port, "127.0.0.1")
    try:
        yield capacity
    finally:
        server.stop()
        await server.close_all_connections()


def _pools(asked: Parameters) -> list[Parameters]:
    """The overrides of a request, first of all the one of the highest priority."""
    found: dict[str, Parameters] = {}
    for name, value in asked.items():
        if name.startswith(_OVERRIDE):
            number, _, field = name.removeprefix(_OVERRIDE).partition(".")
            found.setdefault(number, {})[field] = value
    return sorted(found.values(), key=lambda each: float(each.get("Priority", 0)))


def _answer(
    asked: Parameters,
    refused: list[Parameters],
    untried: Sequence[Parameters] = (),
    instance: str = "",
    pool: Parameters | None = None,
) -> str:
    """The answer to CreateFleet, as EC2 writes it."""
    errors = "".join(
        f"<item>{_place(asked, each)}<lifecycle>on-demand</lifecycle><errorCode>{code}</errorCode>"
        f"<errorMessage>{message.format(escape(each['InstanceType']))}</errorMessage></item>"
        for pools, (code, message) in ((refused, _NONE), (untried, _UNTRIED))
        for each in pools
    )
    given = (
        f"<item>{_place(asked, pool)}<lifecycle>on-demand</lifecycle><instanceIds><item>{instance}</item></instanceIds>"
        f"<instanceType>{escape(pool['InstanceType'])}</instanceType></item>"
        if pool
        else ""
    )
    return (
        f'<CreateFleetResponse xmlns="{_XMLNS}"><fleetId>fleet-rehearsed</fleetId>'
        f"<errorSet>{errors}</errorSet><fleetInstanceSet>{given}</fleetInstanceSet></CreateFleetResponse>"
    )


def _place(asked: Parameters, pool: Parameters) -> str:
    template = escape(asked["LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateId"])
    return (
        "<launchTemplateAndOverrides><launchTemplateSpecification>"
        f"<launchTemplateId>{template}</launchTemplateId></launchTemplateSpecification>"
        f"<overrides><instanceType>{escape(pool['InstanceType'])}</instanceType>"
        f"<subnetId>{escape(pool['SubnetId'])}</subnetId></overrides></launchTemplateAndOverrides>"
    )
