"""The doors of a real server: tickets, origins and certificates."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import secrets
import ssl
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from socket import create_connection
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.server.process import ROOT, SERVE, Server, get, refused, send, serving
from tests.server.viewer import Viewer, in_loop, order, viewing

KEY = secrets.token_hex(32)
SMALL: dict[str, Any] = {"iterations": 2, "size": 32}

# ---------------------------------------------------------------- tickets


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks for tickets to studio.example."""
    path = tmp_path_factory.mktemp("keys") / "ticket.key"
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    with serving("--ticket-key", str(path), "--host", "studio.example") as server:
        server.wait(lambda: server.json("healthz")["easels"])
        yield server


def ticket(key: str = KEY, **claims: Any) -> str:
    """A ticket as a launcher signs it."""
    said = {"exp": time.time() + 60, "jti": secrets.token_hex(8), "host": "studio.example", **claims}
    return jwt.encode({name: value for name, value in said.items() if value is not None}, key, "HS256")


WRONG = [
    ("", "ticket_missing"),
    ("?ticket=", "ticket_missing"),
    ("?ticket=nonsense", "ticket_invalid"),
    ("?ticket=" + ticket(key="another key, which is long enough"), "ticket_invalid"),
    ("?ticket=" + ticket(host="another.example"), "ticket_invalid"),
    ("?ticket=" + ticket(host=None), "ticket_invalid"),
    ("?ticket=" + ticket(exp=None), "ticket_invalid"),
    ("?ticket=" + ticket(exp=time.time() - 60), "ticket_expired"),
]


@pytest.mark.parametrize(("query", "code"), WRONG)
def test_without_a_good_ticket_nobody_is_let_in(guarded: Server, query: str, code: str) -> None:
    told = refused(guarded.post, order(**SMALL), "paintings" + query)
    assert (told.status, told.code) == (401, code)

    @in_loop
    async def knock() -> None:
        async with viewing(guarded.socket + query) as viewer:
            state, data = await viewer.hear()
            assert (state, data["code"]) == ("error", code)
            assert await viewer.hear() == ("closed", 1008)

    knock()


@in_loop
async def test_a_ticket_lets_in_once(guarded: Server) -> None:
    query = f"?frames=binary&ticket={ticket()}"
    async with viewing(guarded.socket + query) as viewer:
        assert (await viewer.hear())[0] == "model_loading"
        painting, _ = await viewer.request(**SMALL)
        async with viewing(guarded.socket + query) as second:
            assert (await second.hear())[1]["code"] == "ticket_used"
        told = refused(guarded.post, order(**SMALL), f"paintings{query}")
        assert (told.status, told.code) == (401, "ticket_used")
        assert (await viewer.until("end"))[1]["painting"] == painting
    assert guarded.post(order(**SMALL), f"paintings?ticket={ticket()}")["painting"]


@in_loop
async def test_a_ticket_for_one_painting_is_for_no_other(guarded: Server) -> None:
    mine = {"painting": "mine", **SMALL}
    async with viewing(f"{guarded.socket}?ticket={ticket(painting='mine')}") as viewer:
        for action, data in [
            ("request_image", order(painting="other")),
            ("request_image", order()),
            ("watch", {"painting": "other"}),
        ]:
            await viewer.send(action, data)
            told = (await viewer.until("error"))[1]
            assert told["code"] == "ticket_invalid"
            assert told["message"] == "The ticket is for another painting."
        assert (await viewer.request(**mine))[0] == "mine"
        await viewer.until("end")
    async with viewing(f"{guarded.socket}?ticket={ticket(painting='mine')}") as viewer:
        await viewer.send("watch", {"painting": "mine"})
        await viewer.until("end")
    told = refused(guarded.post, order(painting="other"), f"paintings?ticket={ticket(painting='mine')}")
    assert (told.status, told.code) == (401, "ticket_invalid")


def test_what_anybody_may_see_needs_no_ticket(guarded: Server) -> None:
    for path in ("", "healthz", "artworks", "metrics"):
        with get(guarded.url + path) as answer:
            assert answer.status == 200


# ---------------------------------------------------------------- origins and certificates


def certify(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "studio.crt", folder / "studio.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certify(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secure(certificate: tuple[Path, Path]) -> Iterator[Server]:
    """A server with a certificate, which lets in the pages of example.com, too."""
    files = [str(each) for each in certificate]
    with serving("--certfile", files[0], "--keyfile", files[1], "--origin", "https://example.com") as server:
        server.wait(lambda: server.json("healthz")["easels"])
        yield server


@in_loop
async def test_wss_works_with_a_certificate_of_ones_own(secure: Server, certificate: tuple[Path, Path]) -> None:
    assert secure.url.startswith("https://")
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    socket = await websocket_connect(HTTPRequest(secure.socket, ssl_options=trusting), max_message_size=100 << 20)
    viewer = Viewer(socket)
    assert (await viewer.hear())[0] == "model_loading"
    await viewer.request(**SMALL)
    await viewer.until("end")
    assert len(viewer.frames) > 0
    assert await viewer.hear() == ("closed", 1000)
    await viewer.close()
    url = urlsplit(secure.url)
    assert url.port
    with create_connection(("127.0.0.1", url.port), 10) as end, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(end, server_hostname="127.0.0.1")
    with get(secure.url) as answer:
        assert b"VisualNeurons" in answer.read()


def origins(server: Server) -> dict[str, bool]:
    """Origins, and whether their pages may come."""
    port = urlsplit(server.url).port
    return {
        f"https://127.0.0.1:{port}": True,
        "https://example.com": True,
        "https://example.com:8443": False,
        "http://example.com": False,
        "https://example.com.evil.example": False,
        f"http://127.0.0.1:{port}": False,
        f"https://127.0.0.1:{(port or 0) + 1}": False,
        "null": False,
    }


def upgrade(server: Server, origin: str) -> tuple[int, bytes]:
    """The answer to a browser that opens a socket for a page of this origin."""
    context = ssl._create_unverified_context()
    with contextlib.closing(HTTPSConnection(urlsplit(server.url).netloc, timeout=30, context=context)) as connection:
        headers = {"Origin": origin, "Upgrade": "websocket", "Connection": "Upgrade"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
        connection.request("GET", "/styletransfer", headers={**headers, **key})
        answer = connection.getresponse()
        return answer.status, answer.read() if answer.status != 101 else b""


def test_only_pages_of_known_origins_may_open_a_socket(secure: Server) -> None:
    for origin, welcome in origins(secure).items():
        status, body = upgrade(secure, origin)
        assert status == (101 if welcome else 403), origin
        assert welcome or json.loads(body)["data"]["code"] == "origin_refused"


def test_only_pages_of_known_origins_may_ask_for_a_painting(secure: Server) -> None:
    for origin, welcome in origins(secure).items():
        if welcome:
            assert secure.post(order(**SMALL), Origin=origin)["painting"]
        else:
            told = refused(secure.post, {}, Origin=origin)
            assert (told.status, told.code) == (403, "origin_refused")
            assert origin[:20] in told.envelope["data"]["message"]


def test_a_name_that_a_stranger_has_made_lead_here_is_refused(address: str) -> None:
    for path in ("", "healthz", "artworks", "paintings/none"):
        told = refused(get, address + path, Host="evil.example")
        assert (told.status, told.code) == (403, "origin_refused")
    told = refused(send, "POST", address + "paintings", b"{}", Host="evil.example", Origin="http://evil.example")
    assert (told.status, told.code) == (403, "origin_refused")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--certfile", "no-such-file"], "The certificate no-such-file or its key cannot be read: No such file"),
        (["--certfile", "LICENSE"], "LICENSE is no certificate with its key"),
        (["--ticket-key", "no-such-key"], "the ticket key 'no-such-key' cannot be read"),
        (["--origin", "example.com"], "'example.com' is not an origin"),
    ],
)
def test_a_door_that_cannot_be_made_is_refused_in_a_sentence(options: list[str], said: str) -> None:
    done = subprocess.run([*SERVE, "--port", "0", *options], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
