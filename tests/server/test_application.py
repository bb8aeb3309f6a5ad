"""What a server answers."""

from __future__ import annotations

import json
import urllib.error

import pytest

from tests.server.process import ROOT, Server, get, refused
from tests.server.viewer import order


def test_health(address: str) -> None:
    with get(address + "healthz") as answer:
        health = json.load(answer)
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["Cache-Control"] == "no-store"
    assert health["status"] == "ok"
    assert 0 <= health["uptime"] < 3600
    assert (health["queue"], health["viewers"]) == (0, 0)


@pytest.mark.slow
def test_health_says_what_each_easel_does(studio: Server) -> None:
    (easel,) = studio.json("healthz")["easels"]
    assert (easel["state"], easel["engine"]) == ("free", "patches")
    assert easel["device"]
    asked = studio.post(order(5000, size=64))
    studio.wait(lambda: studio.json("healthz")["easels"][0]["state"] == "painting")
    studio.post(order(5, size=64))
    assert studio.json("healthz")["queue"] == 1
    studio.delete(**asked)
    studio.wait(lambda: studio.json("healthz")["easels"][0]["state"] == "free")
    assert studio.json("healthz")["queue"] == 0


@pytest.mark.parametrize(
    ("path", "file", "kind"),
    [
        ("", "index.html", "text/html"),
        ("index.html", "index.html", "text/html"),
        ("display?id=mine", "index.html", "text/html"),
        ("style/page.css", "style/page.css", "text/css"),
        ("main.js", "main.js", "text/javascript"),
        ("favicon.svg", "favicon.svg", "image/svg+xml"),
    ],
)
def test_the_site(address: str, path: str, file: str, kind: str) -> None:
    with get(address + path) as answer:
        assert answer.read() == (ROOT / "website" / file).read_bytes()
        assert answer.headers["Content-Type"].partition(";")[0] in {kind, kind.replace("text/j", "application/j")}
        assert answer.headers["Cache-Control"] == "no-cache"


def test_the_page_is_told_what_stands_behind_it(address: str) -> None:
    with get(address + "config.json") as answer:
        assert json.load(answer) == {"studio": True, "days": 30.0}


def test_texts_are_compressed_and_pictures_are_not(address: str) -> None:
    for path, encoding in (("main.js", "gzip"), ("artworks/mosaic.jpg", None)):
        with get(address + path, Accept_Encoding="gzip") as answer:
            assert answer.headers["Content-Encoding"] == encoding


@pytest.mark.parametrize("path", ["", "healthz", "artworks", "metrics", "paintings/none", "no-such-page"])
def test_every_answer_carries_the_security_headers(address: str, path: str) -> None:
    try:
        answer = get(address + path)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Server"] is None


@pytest.mark.parametrize("path", ["no-such-page", "../setup.py", "%2e%2e/setup.py", "..%2fsetup.py", "//etc/passwd"])
def test_what_is_not_the_site_is_not_served(address: str, path: str) -> None:
    told = refused(get, address + path)
    assert told.status in {403, 404}
    assert told.code in {"not_found", "message_invalid"}
