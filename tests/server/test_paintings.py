"""Paintings over HTTP: asked for, left alone, found again, fetched and forgotten."""

from __future__ import annotations

import http.client
import io
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import av
import pytest
from PIL import Image, ImageSequence

from model.pictures import recipe_in
from tests.server.process import ROOT, Server, get, refused, send
from tests.server.viewer import order, picture


def form(fields: dict[str, Any], files: list[tuple[str, bytes]]) -> tuple[bytes, str]:
    """A multipart form, and its type."""
    parts = [
        *(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()),
        *(
            f'Content-Disposition: form-data; name="{name}"; filename="{name}.png"\r\n'.encode()
            + b"Content-Type: image/png\r\n\r\n"
            + data
            for name, data in files
        ),
    ]
    body = b"".join(b"--stroke\r\n" + part + b"\r\n" for part in parts) + b"--stroke--\r\n"
    return body, "multipart/form-data; boundary=stroke"


@pytest.fixture(scope="module")
def done(studio: Server) -> dict[str, str]:
    """A finished painting of 30 iterations: its id and key."""
    answer: dict[str, str] = studio.post(order(30, size=96))
    studio.wait(lambda: studio.state(answer["painting"]) == "finished")
    return answer


# ---------------------------------------------------------------- asking


def test_a_painting_is_asked_for_in_json_and_found_by_its_id(studio: Server) -> None:
    body = json.dumps(order(480, size=96, painting="by-json", key="my-own-key")).encode()
    with send("POST", studio.url + "paintings", body, Content_Type="application/json") as answer:
        assert answer.status == 201
        assert answer.headers["Location"] == "/paintings/by-json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert json.load(answer) == {"painting": "by-json", "key": "my-own-key"}
    seen: list[dict[str, Any]] = []

    def look() -> bool:
        seen.append(studio.json("paintings/by-json"))
        return seen[-1]["state"] == "finished"

    studio.wait(look)
    progress = [each["progress"] for each in seen]
    assert progress == sorted(progress)
    assert progress[-1] == 100
    assert len([each for each in progress if 0 < each < 100]) > 3
    assert {each["state"] for each in seen} <= {"queued", "painting", "finished"}
    last = seen[-1]
    assert (last["iteration"], last["of"], last["eta"]) == (479, 480, 0)
    assert last["losses"].keys() == {"total", "style", "content", "variation"}
    assert (last["width"], last["height"]) == (96, 64)
    assert last["recipe"]["iterations"] == 480
    assert "key" not in json.dumps(last)


def test_a_painting_is_asked_for_by_a_form(studio: Server) -> None:
    fields = {"iterations": 5, "size": 64, "keep_colors": "true", "blend": "[2, 1]", "artwork": "mosaic"}
    body, kind = form(fields, [("content_image", picture()), ("style_image", picture(seed=1))])
    with send("POST", studio.url + "paintings", body, Content_Type=kind) as answer:
        assert answer.status == 201
        painting = json.load(answer)["painting"]
    told = studio.json(f"paintings/{painting}")["recipe"]
    assert (told["iterations"], told["size"], told["keep_colors"], told["blend"]) == (5, 64, True, [2, 1])
    assert [each["name"] for each in told["artworks"]] == ["style_image", "mosaic"]
    body, kind = form({"iterations": 5}, [("content_image", picture()), *[("style_images", picture(seed=2))] * 3])
    with send("POST", studio.url + "paintings", body, Content_Type=kind) as answer:
        painting = json.load(answer)["painting"]
    assert len(studio.json(f"paintings/{painting}")["recipe"]["artworks"]) == 3


def test_the_same_id_posted_twice_is_painted_once(studio: Server) -> None:
    fields = order(20, size=64, painting="posted-twice")
    first, second = studio.post(fields), studio.post({**fields, "iterations": 500})
    assert second == {"painting": "posted-twice", "key": None}
    assert studio.post({**fields, "key": first["key"]}) == first
    assert studio.json("paintings/posted-twice")["of"] == 20


BOUNDARY = {"Content_Type": "multipart/form-data; boundary=stroke"}


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"", {}, "message_invalid"),
        (b"{}", {}, "field_invalid"),
        (b"[1]", {}, "message_invalid"),
        (b"{", {}, "message_invalid"),
        (b'{"content_image": NaN}', {}, "message_invalid"),
        (b"\xff\xfe\x00garbage", {}, "message_invalid"),
        (b"garbage", BOUNDARY, "message_invalid"),
        (b"--stroke\r\ngarbage\r\n--stroke--\r\n", BOUNDARY, "message_invalid"),
        (b"--stroke--\r\n", BOUNDARY, "field_invalid"),
        (form({}, [("content_image", picture())])[0][:-400], BOUNDARY, "message_invalid"),
        (b"anything", {"Content_Type": "multipart/form-data"}, "message_invalid"),
        (form({"what": 1}, [("content_image", picture())])[0], BOUNDARY, "field_invalid"),
        (form({"iterations": "ten"}, [(f"{each}_image", picture()) for each in ("content", "style")])[0],
         BOUNDARY, "setting_invalid"),
        (form({}, [("content_image", b""), ("style_image", picture())])[0], BOUNDARY, "picture_empty"),
    ],
)  # fmt: skip
def test_what_is_no_order_is_refused(studio: Server, body: bytes, headers: dict[str, str], code: str) -> None:
    told = refused(send, "POST", studio.url + "paintings", body, **headers)
    assert (told.status, told.code) == (400, code)


# ---------------------------------------------------------------- fetching


def test_the_newest_frame_is_shown_while_painting_and_then_the_picture_with_its_recipe(studio: Server) -> None:
    asked = studio.post(order(5000, size=64))
    here = f"{studio.url}paintings/{asked['painting']}"

    def newest() -> bytes:
        """The newest frame, nothing as long as there is none."""
        try:
            answer = get(here + "/picture")
        except HTTPError as error:
            error.close()
            if error.code != 409:
                raise
            return b""
        with answer:
            assert answer.headers["Content-Type"] == "image/jpeg"
            data: bytes = answer.read()
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (64, 43)
        return data

    first = studio.wait(newest)
    studio.wait(lambda: newest() != first)
    assert studio.state(asked["painting"]) == "painting"
    studio.delete(**asked)


def test_a_finished_picture_carries_its_recipe(studio: Server, done: dict[str, str]) -> None:
    with get(f"{studio.url}paintings/{done['painting']}/picture") as answer:
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Disposition"] == f'inline; filename="{done["painting"]}.png"'
        data = answer.read()
    recipe = recipe_in(data)
    assert (recipe["iterations"], recipe["size"], recipe["engine"]) == (30, 96, "patches")
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (96, 64)


def mp4(data: bytes) -> Iterator[tuple[int, int]]:
    """The size of each frame."""
    with av.open(io.BytesIO(data)) as film:
        for frame in film.decode(video=0):
            yield frame.width, frame.height


def moving(data: bytes) -> Iterator[tuple[int, int]]:
    """The size of each frame."""
    with Image.open(io.BytesIO(data)) as film:
        for frame in ImageSequence.Iterator(film):
            frame.load()
            yield frame.size


@pytest.mark.parametrize(
    ("format", "kind", "frames"),
    [("mp4", "video/mp4", mp4), ("webp", "image/webp", moving), ("gif", "image/gif", moving)],
)
def test_the_timelapse_can_be_played(studio: Server, done: dict[str, str], format: str, kind: str, frames: Any) -> None:
    path = f"{studio.url}paintings/{done['painting']}/timelapse"
    with get(f"{path}?format={format}") as answer:
        assert answer.headers["Content-Type"] == kind
        data = answer.read()
    sizes = list(frames(data))
    assert 20 <= len(sizes) <= 80, "each of 30 iterations is kept; the last stays for a while"
    assert set(sizes) == {(96, 64)}
    with get(f"{path}?format={format}") as again:
        assert again.read() == data, "it is kept"


def test_mp4_is_the_usual_timelapse_and_what_it_cannot_be_is_refused(studio: Server, done: dict[str, str]) -> None:
    path = f"{studio.url}paintings/{done['painting']}/timelapse"
    with get(path) as answer:
        assert answer.headers["Content-Type"] == "video/mp4"
    told = refused(get, path + "?format=avi")
    assert (told.status, told.code) == (400, "format_unknown")


def test_nothing_painted_yet_is_said_so(studio: Server) -> None:
    busy = studio.post(order(10_000, size=512))
    asked = studio.post(order(10, size=64))
    here = f"{studio.url}paintings/{asked['painting']}"
    for path, code in (("/picture", "picture_none"), ("/timelapse", "timelapse_empty")):
        told = refused(get, here + path)
        assert (told.status, told.code) == (409, code)
    studio.delete(**asked)
    studio.delete(**busy)


def test_head_answers_as_get_does_without_the_body(studio: Server, done: dict[str, str]) -> None:
    here = f"paintings/{done['painting']}"
    for path in ("", "artworks", "healthz", "metrics", here, f"{here}/picture", f"{here}/timelapse"):
        with get(studio.url + path) as full, send("HEAD", studio.url + path, None) as head:
            assert head.status == 200
            assert head.read() == b""
            assert head.headers["Content-Type"] == full.headers["Content-Type"]
            if path == f"{here}/picture":
                assert int(head.headers["Content-Length"]) == len(full.read())


def test_the_collection_is_where_it_says(studio: Server) -> None:
    artworks = studio.json("artworks")["artworks"]
    assert len(artworks) >= 5
    for each in artworks:
        assert each["title"]
        with get(studio.url.rstrip("/") + each["url"]) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg"
            assert answer.read() == (ROOT / "website" / each["url"].lstrip("/")).read_bytes()


# ---------------------------------------------------------------- forgetting


def test_only_its_owner_can_have_a_painting_forgotten(studio: Server) -> None:
    asked = studio.post(order(10_000, size=64))
    here = f"{studio.url}paintings/{asked['painting']}"
    for headers in ({}, {"Authorization": "Bearer wrong-key"}, {"Authorization": f"Basic {asked['key']}"}):
        told = refused(send, "DELETE", here, None, **headers)
        assert (told.status, told.code) == (403, "key_wrong")
    studio.delete(**asked)
    for path in ("", "/picture", "/timelapse"):
        told = refused(get, here + path)
        assert (told.status, told.code) == (404, "painting_unknown")
    told = refused(send, "DELETE", here, None, Authorization=f"Bearer {asked['key']}")
    assert told.code == "painting_unknown"
    studio.wait(lambda: studio.json("healthz")["easels"][0]["state"] == "free")


# ---------------------------------------------------------------- what is not there


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "paintings/none", 404, "painting_unknown"),
        ("GET", "paintings/none/picture", 404, "painting_unknown"),
        ("GET", "paintings/no%20ne", 400, "painting_id_invalid"),
        ("GET", "paintings/" + "x" * 65, 400, "painting_id_invalid"),
        ("GET", "paintings/none/sketch", 404, "not_found"),
        ("GET", "no/such/page", 404, "not_found"),
        ("GET", "paintings", 405, "method_unknown"),
        ("PUT", "paintings/none", 405, "method_unknown"),
        ("DELETE", "paintings", 405, "method_unknown"),
        ("POST", "artworks", 405, "method_unknown"),
        ("POST", "healthz", 405, "method_unknown"),
    ],
)
def test_what_is_not_there_is_refused_in_the_same_envelope(
    studio: Server, method: str, path: str, status: int, code: str
) -> None:
    told = refused(send, method, studio.url + path, b"" if method in ("POST", "PUT") else None)
    assert (told.status, told.code) == (status, code)
    assert told.headers["X-Content-Type-Options"] == "nosniff"


def test_an_upload_that_would_be_too_large_is_refused_before_it_comes(studio: Server) -> None:
    url = urlsplit(studio.url)
    with socket.create_connection((url.hostname, url.port), 10) as end:
        end.sendall(
            f"POST /paintings HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {10 << 40}\r\n\r\n".encode()
        )
        answer = http.client.HTTPResponse(end)
        answer.begin()
        assert answer.status == 413
        told = json.load(answer)
        assert told["data"]["code"] == "message_large"
        assert told["data"]["message"] == "The upload has 10485760.0 MiB; 32 are taken here."
        assert end.recv(1) == b"", "and the connection is closed"
    studio.json("healthz")
