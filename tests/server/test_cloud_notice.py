"""The notice that a machine is taken back, from a metadata service that is one but for its address."""

from __future__ import annotations

import asyncio
import logging
from typing import ClassVar

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from rehearsal.metadata import telling
from server.cloud import notice
from tests.server.viewer import in_loop

PATH = "spot/instance-action"
NOTICE = '{"action": "terminate", "time": "2027-01-15T08:00:00Z"}'


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice, "EVERY", 0.05)
    monkeypatch.setattr(notice, "PATIENCE", 60.0)  # on a busy machine, where an answer may take a while


@in_loop
async def test_it_waits_until_there_is_one() -> None:
    facts = {"instance-id": "i-1"}
    with telling(facts) as metadata:
        waiting = asyncio.create_task(notice.notice(metadata))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done
        facts[PATH] = NOTICE
        assert await asyncio.wait_for(waiting, 60) == NOTICE


class Forgetful(tornado.web.RequestHandler):
    """A metadata service that forgets each token after one question."""

    tokens: ClassVar[list[str]] = []
    asked: ClassVar[list[str]] = []

    def put(self, _: str) -> None:
        self.tokens.append(f"token-{len(self.tokens)}")
        self.finish(self.tokens[-1])

    def get(self, path: str) -> None:
        token = self.request.headers["X-aws-ec2-metadata-token"]
        if token != self.tokens[-1] or token in self.asked:
            self.set_status(401)
        elif len(self.tokens) < 3:
            self.set_status(404)
        else:
            self.write(NOTICE)
        self.asked.append(token)


@in_loop
async def test_a_token_may_end() -> None:
    (listening,) = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(tornado.web.Application([("/latest/(.*)", Forgetful)]))
    server.add_sockets([listening])
    try:
        waiting = notice.notice(f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert await asyncio.wait_for(waiting, 60) == NOTICE
    finally:
        server.stop()
        await server.close_all_connections()
    assert Forgetful.asked == ["token-0", "token-0", "token-1", "token-1", "token-2"]


def test_a_service_that_is_silent_is_named_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, tries = notice._token, 0

    async def ask() -> None:
        third = asyncio.Event()

        async def counted(client: AsyncHTTPClient, metadata: str) -> str:
            nonlocal tries
            tries += 1
            if tries == 3:
                third.set()
            return await token(client, metadata)

        monkeypatch.setattr(notice, "_token", counted)
        asking = asyncio.create_task(notice.notice("http://127.0.0.1:9"))
        await asyncio.wait_for(third.wait(), 60)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    with caplog.at_level(logging.WARNING, "server.cloud.notice"):
        asyncio.run(ask())
    assert [record.getMessage() for record in caplog.records] == ["the metadata service does not answer"]
