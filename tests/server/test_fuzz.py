"""Whatever strangers send, and in whatever order: it is answered by the rules, and nobody else's painting is harmed."""

from __future__ import annotations

import base64
import contextlib
import http.client
import itertools
import json
import os
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from controller import SETTINGS
from server.errors import CODES
from server.requests import ACTIONS
from tests import loop
from tests.server.process import Server, serving
from tests.server.viewer import Frame, base64_of, order, picture, viewing

MESSAGES, REQUESTS = 5_000, 300

STATES = {
    *("model_loading", "model_loaded", "start_iteration", "end_iteration", "end"),
    *("queued", "painting", "paused", "recovering", "error"),
}
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
DROPPED = None  # a socket that was closed without a word

LIMITS = ("--limit-rate", "10000", "--limit-paintings", "1000", "--limit-queue", "1000", "--limit-message", "1")

# Long enough to meet many messages, and small enough to be painted again and again meanwhile.
WATCHED = {**order(60), "content_image": base64_of(picture(160, 16)), "style_image": base64_of(picture(32, 32, 1))}

fuzzing = settings(phases=[Phase.generate], suppress_health_check=list(HealthCheck))


# ---------------------------------------------------------------- a socket, down to the byte


def frame(kind: int, data: bytes, final: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """A WebSocket frame as a client sends it, or never should."""
    length = len(data)
    bit = 0x80 if masked else 0
    if length < 126:
        size = bytes([bit | length])
    elif length < 1 << 16:
        size = struct.pack("!BH", bit | 126, length)
    else:
        size = struct.pack("!BQ", bit | 127, length)
    # A mask of zeros leaves the data as they are.
    return bytes([0x80 * final | reserved << 4 | kind]) + size + (bytes(4) if masked else b"") + data


class Line:
    """A client's end of a socket, which answers pings and keeps count of nothing."""

    def __init__(self, server: Server, query: str = "") -> None:
        address = urlsplit(server.url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /styletransfer{query} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.ended = False  # whether what it looks at has: then it is closed
        assert b" 101 " in self._file.readline()
        while self._file.readline() != b"\r\n":
            pass

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # the other end may have closed meanwhile, which is heard
            self._socket.sendall(data)

    def hear(self) -> tuple[int, bytes] | int | None:
        """The next frame's kind and data; when the socket closes, its code."""
        while True:
            try:
                kind, size = self._read(2)
                length = {126: 2, 127: 8}.get(size, 0)
                data = self._read(int.from_bytes(self._read(length), "big") if length else size)
            except (EOFError, ConnectionError):
                return DROPPED
            if kind & 0x0F == CLOSE:
                return int.from_bytes(data[:2], "big")
            if kind & 0x0F == PING:
                self.send(frame(PONG, data))
                continue
            return kind & 0x0F, data

    def _read(self, length: int) -> bytes:
        data = self._file.read(length)
        if len(data) < length:
            raise EOFError
        return data

    def close(self) -> None:
        self._file.close()
        self._socket.close()


# ---------------------------------------------------------------- what is sent


@dataclass(frozen=True)
class Sent:
    """What goes down a line, and what has to come of it: `refused`, `closed` with one of `codes`, or `pong`."""

    data: bytes = field(repr=False)
    shown: str
    must: str = ""
    codes: tuple[int | None, ...] = ()
    pong: bytes = field(default=b"", repr=False)


ODD_NUMBERS = {
    f"@{number[:9]}@": number
    for number in ("1e400", "-1e400", "1e-400", "-0", "-0.0", "NaN", "-Infinity", "0x10", "01", "1" * 400, "2" * 5_000)
}


def text_of(value: Any) -> bytes:
    """The JSON of a value, with odd numbers where their names are."""
    text = json.dumps(value)
    for name, number in ODD_NUMBERS.items():
        text = text.replace(f'"{name}"', number)
    return text.encode()


def legal(text: bytes) -> bool:
    """Whether a message may be anything but refused; what it leads to depends on what was before."""
    try:
        value = json.loads(text, parse_constant=_never)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict) or not isinstance(value.get("action"), str) or value["action"] not in ACTIONS:
        return False
    data = value.get("data")
    return data is None or (isinstance(data, dict) and data.keys() <= ACTIONS[value["action"]].keys())


def _never(name: str) -> None:
    raise ValueError(name)


def text(data: bytes) -> Sent:
    try:
        data.decode()
    except UnicodeDecodeError:
        return Sent(frame(TEXT, data), repr(data[:80]), "closed", (DROPPED, 1007))
    if legal(data) and json.loads(data)["action"] == "close":
        return Sent(frame(TEXT, data), repr(data[:500]), "closed", (1000,))
    return Sent(frame(TEXT, data), repr(data[:500]), "" if legal(data) else "refused")


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG of these dimensions, whatever its data are."""
    chunks = [(b"IHDR", struct.pack("!IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    parts = [struct.pack("!I", len(d)) + name + d + struct.pack("!I", zlib.crc32(name + d)) for name, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


WHOLE = picture(48, 32)
BROKEN = [
    *(WHOLE[:length] for length in (0, 1, 8, 30, 57, len(WHOLE) // 2, len(WHOLE) - 1)),
    WHOLE[:100] + bytes(100) + WHOLE[200:],
    WHOLE + WHOLE,
    b"GIF89a" + WHOLE[6:],
    b"\xff\xd8\xff\xe0" + WHOLE,
    b"RIFF\xff\xff\xff\xffWEBPVP8 " + WHOLE,
    b"II*\0\x08\0\0\0\xff\xff" + WHOLE,
    b"BM" + WHOLE,
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"<!DOCTYPE html>",
    b"\0" * 1000,
    png(2**31 - 1, 2**31 - 1),
    png(0, 0),
    png(60_000, 60_000, zlib.compress(bytes(100_000))),
    png(3_000, 3_000, zlib.compress(bytes(376 * 3_000))),  # nine million pixels in a thousand bytes
    png(16, 16, zlib.compress(bytes(1_000_000))),
]

anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(10**18, 10**40),
        st.floats(),
        st.text(st.characters(), max_size=20),  # lone surrogates and NUL are among them
        st.sampled_from([*ODD_NUMBERS, "", " ", "\0", "\ud800", "../..", "a" * 65, "x" * 3_000]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
files = st.sampled_from([base64_of(WHOLE), "data:image/png;base64," + base64_of(WHOLE)])
broken = st.sampled_from(list(map(base64_of, BROKEN)))
ids = st.sampled_from(["one", "two", "three", "never-made"])
keys = st.sampled_from(["the-key-of-all", "another-key"])
formats = st.sampled_from(["png", "jpeg", "webp"])

# What each field may well be; few steps and small sizes keep it quick.
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "content_image": files,
    "style_image": files,
    "style_images": st.lists(files, max_size=2),
    "artwork": st.sampled_from(["mosaic", "nowhere"]),
    "iterations": st.integers(1, 3),
    "painting": ids,
    "key": keys,
    "format": formats,
    "from": st.integers(0, 3),
    "iteration": st.integers(0, 3),
    "size": st.sampled_from([32, 48]),
    "scales": st.integers(0, 2),
    "blend": st.lists(st.floats(0, 2), max_size=2),
    "seed": st.integers(0, 3),
    **{name: st.sampled_from(each.choices) for name, each in SETTINGS.items() if each.choices},
    **{name: st.booleans() for name in ("keep_colors", "balanced")},
}
NEEDED = {
    "request_image": {"content_image", "style_image", "size", "iterations"},
    "watch": {"painting", "key"},
    "more": {"iterations"},
    "rewind": {"iteration"},
}


GOOD = {"content_image": base64_of(WHOLE), "style_image": base64_of(WHOLE), "size": 32, "iterations": 1}
ODD = [
    *(False, True, 0, -1, 1.5, 10**18, 10**40, [], [[]], [None], [0] * 9, {}, {"a": {}}, [{}]),
    *(
        "",
        " ",
        "0",
        "\0",
        "\ud800",
        "../..",
        "%2e%2e",
        "a\r\nb: c",
        "ü",
        "x" * 65,
        "=",
        "data:,",
        "data:image/png;base64,",
    ),
    *ODD_NUMBERS,
    *([number] for number in ODD_NUMBERS),
]


def each_field_wrong() -> Iterator[list[Sent]]:
    """Conversations in which each field of each action is, in turn, everything it should not be."""
    for name in ACTIONS["request_image"]:
        wrong = [*ODD, *map(base64_of, BROKEN)] if "image" in name else ODD
        for value in [*wrong, [base64_of(WHOLE)] * 9]:
            yield [text(text_of({"action": "request_image", "data": {**GOOD, name: value}}))]
    owned = {"painting": "owned", "key": "the-key-of-all"}
    begin = text(text_of({"action": "request_image", "data": {**GOOD, **owned, "iterations": 9_000}}))
    for action, fields in ACTIONS.items():
        if action not in ("request_image", "close"):
            data = owned if action == "watch" else {}
            yield [
                *([] if action == "watch" else [begin]),
                *(text(text_of({"action": action, "data": {**data, name: value}})) for name in fields for value in ODD),
                *(text(text_of({"action": action, "data": value})) for value in ODD),
            ]


@st.composite
def near_misses(draw: st.DrawFn) -> Sent:
    """A message as it should be, or with fields that are missing, wrong, or too many."""
    action = draw(st.sampled_from([*ACTIONS, *["request_image"] * 6, *["watch"] * 2]))
    known = sorted(ACTIONS[action])
    chosen = NEEDED.get(action, set()) | (draw(st.sets(st.sampled_from(known), max_size=2)) if known else set())
    data = {name: draw(LIKELY.get(name, st.floats(0.1, 0.9))) for name in sorted(chosen)}
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        pictures = [name for name in data if name in ("content_image", "style_image")]
        match draw(st.sampled_from(["broken", "wrong", "missing"])):
            case "broken" if pictures:
                data[draw(st.sampled_from(pictures))] = draw(broken)
            case "missing" if data:
                del data[draw(st.sampled_from(sorted(data)))]
            case _:
                data[draw(st.sampled_from([*known, "other"]))] = draw(anything)
    message = {"action": action, "data": data or draw(st.sampled_from([{}, None]))}
    if draw(st.sampled_from([*[False] * 9, True])):
        message[draw(st.sampled_from(["action", "data", "state", ""]))] = draw(anything)
    return text(text_of(message))


@st.composite
def cut_up(draw: st.DrawFn) -> Sent:
    """A message whose JSON was damaged on its way."""
    whole = text_of({"action": draw(st.sampled_from(sorted(ACTIONS))), "data": draw(anything)})
    at = draw(st.integers(0, len(whole)))
    put = draw(
        st.binary(max_size=4) | st.sampled_from([b"{", b"[", b'"', b"\\", b"\xed\xa0\x80", b"\0", b"\xef\xbb\xbf"])
    )
    return text(whole[:at] + put + whole[at + draw(st.integers(0, 3)) :])


@st.composite
def in_pieces(draw: st.DrawFn) -> Sent:
    """A message in several frames, with others between them."""
    whole = text_of({"action": draw(st.text(max_size=9)), "data": draw(anything)})
    at = sorted(draw(st.lists(st.integers(0, len(whole)), min_size=1, max_size=4)))
    pieces = [whole[begin:end] for begin, end in itertools.pairwise([0, *at, len(whole)])]
    between = frame(PONG, draw(st.binary(max_size=20)))
    frames = [frame(0 if number else TEXT, piece, final=False) + between for number, piece in enumerate(pieces[:-1])]
    return replace(text(whole), data=b"".join(frames) + frame(0, pieces[-1]), shown=repr(pieces)[:500])


def deep(levels: int, opened: bytes, closed: bytes) -> Sent:
    return text(b'{"action": "steer", "data": ' + opened * levels + closed * levels + b"}")


messages = st.one_of(
    *[near_misses()] * 5,
    cut_up(),
    cut_up(),
    in_pieces(),
    anything.map(text_of).map(text),
    st.binary(max_size=60).map(text),
    st.text(st.characters(codec="utf-8"), max_size=60).map(lambda each: text(each.encode())),
    st.binary(max_size=300).map(lambda data: Sent(frame(BINARY, data), f"binary {data!r}", "refused")),
    st.binary(max_size=125).map(lambda data: Sent(frame(PING, data), f"ping {data!r}", "pong", pong=data)),
    st.binary(max_size=125).map(lambda data: Sent(frame(PONG, data), f"pong {data!r}", "silent")),
    st.sampled_from(
        [
            deep(100_000, b"[", b"]"),
            deep(100_000, b'{"":', b"}"),
            deep(200_000, b"[", b""),
            text(b'{"action": "more", "data": {"iterations": ' + b"9" * 900_000 + b"}}"),
            text(b'{"action": "more", "data": {"iterations": 0.' + b"9" * 900_000 + b"}}"),
            text(b'{"action": "steer", "data": {"blend": [' + b"0," * 100_000 + b"0]}}"),
            text(text_of({"action": "request_image", "data": {"content_image": "A" * 900_000}})),
            text(text_of({"action": "request_image", "data": {"artwork": ["mosaic"] * 9_000, **order()}})),
            text(text_of({"action": "steer", "data": {f"field{each}": each for each in range(20_000)}})),
        ]
    ),
)

endings = st.one_of(
    st.sampled_from(
        [
            Sent(frame(TEXT, b'{"action": "close"}'), "close", "closed", (1000,)),
            Sent(frame(CLOSE, b""), "close without a code", "closed", (0,)),
            Sent(frame(CLOSE, b"\x03"), "close with half a code", "closed", (0, 1002, DROPPED)),
            Sent(frame(CLOSE, b"\x03\xe8" + b"\xff\xfe"), "close with half a reason", "closed", (1000, 1007, DROPPED)),
            Sent(frame(TEXT, b"x" * (2**20 + 1)), "a large message", "closed", (1009, DROPPED)),
            Sent(frame(BINARY, b"x" * 2**20, final=False) + frame(0, b"x"), "a large sum", "closed", (1009, DROPPED)),
            Sent(b"\x81\xff" + b"\xff" * 8, "the largest length", "closed", (1009,)),
            Sent(b"\x81\xff\x7f" + b"\xff" * 7, "the largest legal length", "closed", (1009,)),
            Sent(frame(PING, b"x" * 126), "a long ping", "closed", (1002, DROPPED)),
            Sent(frame(PING, b"", final=False), "half a ping", "closed", (1002, DROPPED)),
            Sent(frame(0, b"{}"), "the end of nothing", "closed", (1002, DROPPED)),
            Sent(frame(TEXT, b"{", final=False) + frame(TEXT, b"}"), "two beginnings", "closed", (1002, DROPPED)),
        ]
    ),
    st.integers(0, 65535).map(
        lambda code: Sent(frame(CLOSE, code.to_bytes(2, "big")), f"close {code}", "closed", (code, 1002, DROPPED))
    ),
    st.integers(1, 7).map(lambda bits: Sent(frame(TEXT, b"{}", reserved=bits), "reserved", "closed", (1002, DROPPED))),
    st.sampled_from([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]).map(
        lambda kind: Sent(frame(kind, b"{}"), f"a frame of kind {kind}", "closed", (1002, DROPPED))
    ),
)


# ---------------------------------------------------------------- how it is judged


class Judge:
    """Sends, and sees to it that all is answered by the rules."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sent = 0
        self.codes: set[str] = set()
        self._keys: dict[str, str] = {}
        self._markers = itertools.count()
        self._read = 0

    def converse(self, query: str, conversation: list[Sent]) -> None:
        """Send one after the other, on as many lines as it takes."""
        line = Line(self.server, query)
        try:
            for each in conversation:
                if self._exchange(line, each):
                    line.close()
                    line = Line(self.server, query)
        finally:
            line.close()
        self.forget()
        self.check_log()

    def _exchange(self, line: Line, sent: Sent) -> bool:
        """Send, and judge the answer; whether the line is closed by now."""
        self.sent += 1
        marker = f"marker {next(self._markers)}"
        closing = sent.must == "closed"
        line.send(sent.data if closing else sent.data + frame(TEXT, text_of({"action": marker})))
        refused = ponged = False
        while True:
            heard = line.hear()
            if not isinstance(heard, tuple):
                if closing and not line.ended:
                    assert heard in sent.codes, f"closed with {heard} after {sent}"
                else:
                    assert line.ended or closing, f"closed with {heard} after {sent}"
                return True
            kind, data = heard
            if kind == PONG:
                ponged = ponged or data == sent.pong
                continue
            told = json.loads(data[4 : 4 + int.from_bytes(data[:4], "big")] if kind == BINARY else data)
            state, facts = told["state"], told["data"]
            assert state in STATES, told
            if state == "error":
                if marker in facts["message"]:
                    break
                self._check(facts)
                refused = True
            if state == "end" or (state == "error" and facts["code"] == "painting_cancelled"):
                line.ended = True
            if state == "painting" and facts["key"]:
                self._keys[facts["painting"]] = facts["key"]
        assert not closing, f"not closed after {sent}"
        assert refused or sent.must != "refused", f"not refused: {sent}"
        assert not (refused and sent.must == "silent"), f"refused: {sent}"
        assert ponged or sent.must != "pong", f"no pong for {sent}"
        return False

    def _check(self, error: dict[str, Any]) -> None:
        """An error is from the table, and tells what to do."""
        assert error.keys() == {"code", "message", "hint"}, error
        assert error["code"] in CODES, error
        assert error["code"] != "server_error", error
        assert error["message"], error
        assert error["hint"], error
        assert len(error["message"]) + len(error["hint"]) < 1500, error
        self.codes.add(error["code"])

    def http(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
        """Send a request as it is, and judge the answer; its status."""
        self.sent += 1
        address = urlsplit(self.server.url)
        head = {"Host": address.netloc, "Content-Length": str(len(body)), "Connection": "close", **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
            with contextlib.suppress(ConnectionError):  # refused before all was sent
                connection.sendall("\r\n".join(lines).encode("latin-1", "replace") + body)
            answer = http.client.HTTPResponse(connection, method=method)
            try:
                answer.begin()
                told = answer.read()
            except ConnectionError:  # dropped in the midst of what is no HTTP
                return 0
        case = f"{answer.status} {told[:500]!r} to {method} {path!r} {headers} {body[:200]!r}"
        if path.startswith("/styletransfer") and answer.headers["Content-Type"] != "application/json; charset=UTF-8":
            assert answer.status in (400, 426), case  # a handshake that fails is answered by tornado, in its words
        elif answer.status >= 400 and told:
            error = json.loads(told)
            assert error["state"] == "error", case
            self._check(error["data"])
            assert answer.headers["X-Content-Type-Options"] == "nosniff", case
        else:  # what is no HTTP at all is answered with a bare 400
            assert answer.status < 300 or answer.status in (304, 400, 416) or method == "HEAD", case
        assert answer.status != 500, case
        if answer.status == 201:
            made = json.loads(told)
            self._keys[made["painting"]] = made["key"] or self._keys.get(made["painting"], "")
        return answer.status

    def forget(self) -> None:
        """Cancel what was accepted, so that it takes no time from what is still to be tried."""
        for id, key in self._keys.items():
            assert self.http("DELETE", f"/paintings/{id}", {"Authorization": f"Bearer {key}"}) in (204, 404)
        self._keys.clear()

    def check_log(self) -> None:
        """Nothing that was sent is an error of the server's."""
        with self.server.log.open(encoding="utf-8") as log:
            log.seek(self._read)
            said = log.read()
            self._read = log.tell()
        wrong = [line for line in said.splitlines() if "level=error" in line or "raceback" in line]
        assert not wrong, "\n".join(wrong)
        assert self.server.process.poll() is None


PAUSE = 2.0  # seconds between the paintings of the well-behaved viewer, which cost more than all that is sent


class Watcher:
    """A well-behaved viewer, who has the same picture painted again and again until it is told to stop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.paintings: list[list[Frame]] = []
        self.trouble: list[BaseException] = []

    def __enter__(self) -> Watcher:
        self.once()  # undisturbed, and all others are held against it
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def once(self) -> None:
        loop.run(self._paint())

    def _run(self) -> None:
        try:
            self.once()
            while not self._stop.wait(PAUSE):
                self.once()
        except BaseException as error:  # noqa: BLE001  told in the test's own thread
            self.trouble.append(error)

    async def _paint(self) -> None:
        async with viewing(self._server.socket) as viewer:
            await viewer.send("request_image", WATCHED)
            await viewer.until("end", seconds=120)
            assert await viewer.hear() == ("closed", 1000)
            assert not [told for state, told in viewer.states if state in ("error", "recovering")]
            self.paintings.append(viewer.frames)

    def check(self) -> None:
        """All iterations came, all paintings were finished, and their pictures are as the one painted undisturbed."""
        assert not self.trouble, self.trouble
        assert len(self.paintings) > 1
        first, *others = self.paintings
        for frames in self.paintings:
            assert [each.iteration for each in frames] == list(range(WATCHED["iterations"]))
        for frames in others:
            assert frames[-1].picture.tobytes() == first[-1].picture.tobytes()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--easels", "2", *LIMITS) as running:
        yield running.loaded()


@pytest.mark.slow
def test_whatever_is_said_on_a_socket_is_answered_or_closed_by_the_rules(server: Server) -> None:
    judge = Judge(server)

    @settings(fuzzing, max_examples=300)
    @given(
        st.sampled_from(["", "", "?frames=binary", "?frames=%ff", "?ticket=x&frames=binary&frames="]),
        st.lists(messages, min_size=10, max_size=12),
        endings,
    )
    def fuzz(query: str, conversation: list[Sent], ending: Sent) -> None:
        judge.converse(query, [*conversation, ending])

    with Watcher(server) as watcher:
        for conversation in each_field_wrong():
            judge.converse("", conversation)
        fuzz()
    watcher.check()
    assert judge.sent >= MESSAGES
    assert judge.codes >= {
        *("message_invalid", "action_unknown", "field_invalid", "setting_invalid", "recipe_invalid"),
        *("format_unknown", "artwork_missing", "artwork_unknown", "artworks_many", "painting_id_invalid"),
        *("picture_empty", "picture_unreadable", "picture_truncated", "picture_vector", "picture_too_large"),
        *("painting_unknown", "painting_busy", "move_illegal"),
    }


# ---------------------------------------------------------------- over HTTP

PATHS = [
    *("/", "/index.html", "/healthz", "/metrics", "/artworks", "/artworks/mosaic.jpg", "/paintings", "/styletransfer"),
    *("/paintings/one", "/paintings/one/picture", "/paintings/one/timelapse?format=gif", "/paintings//picture"),
    *(
        "/paintings/%2e%2e",
        "/paintings/..%2f..%2fetc%2fpasswd",
        "/paintings/%00",
        "/paintings/%ff",
        "/paintings/a%0d%0ab",
    ),
    *("/paintings/" + "a" * 65, "/" + "a" * 5_000, "/%00", "/%ff", "/../setup.py", "/..%2fsetup.py", "//etc/passwd"),
    *(
        "/%2e%2e/setup.py",
        "/artworks/../../setup.py",
        "/?a=%ff&b",
        "/paintings/one/timelapse?format=%ff",
        "*",
        "x",
        "http://[",
    ),
]
METHODS = ["GET", "POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS", "TRACE", "get", "BREW"]
HEADERS = {
    "Content-Type": [
        "application/json",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=b",
        "\xff",
    ],
    "Content-Length": ["-1", "1e3", "99999999999", "0x10", "", "1,2"],
    "Transfer-Encoding": ["chunked", "gzip", "identity"],
    "Content-Encoding": ["gzip"],
    "Authorization": ["Bearer", "Bearer  ", "Basic eA==", "Bearer \xff", "x" * 9_000],
    "Host": ["", "example.com", "127.0.0.1:1", "[", "\xff"],
    "Origin": ["null", "https://example.com", "\xff", "http://[", ""],
    "Range": ["bytes=0-1", "bytes=-5", "bytes=9999999-", "bytes=5-1", "bytes=a-b", "x"],
    "If-None-Match": ['"x"', "*", "W/"],
    "If-Modified-Since": ["Mon, 99 Foo 9999 99:99:99 GMT", "x", "Thu, 01 Jan 1970 00:00:00 +9999"],
    "Upgrade": ["websocket", "h2c"],
    "Connection": ["Upgrade", "keep-alive, close"],
    "Sec-WebSocket-Version": ["13", "12", "x"],
    "Sec-WebSocket-Key": ["x", ""],
    "Expect": ["100-continue"],
    "Cookie": ["a=b; =; ;\xff"],
    "X-Forwarded-For": ["\xff"],
}


@st.composite
def forms(draw: st.DrawFn) -> bytes:
    """A multipart form with the boundary b, or what a bad link leaves of it."""
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from([*sorted(ACTIONS["request_image"]), "other", "", '"', "\xff"]))
        file = draw(st.sampled_from(["", '; filename="a.png"', "; filename=", "; filename*=utf-8''%ff"]))
        value = draw(st.sampled_from([WHOLE, *BROKEN[:6], b"", b"1e400", b"[" * 10_000, b"\xff", b"NaN", b"mosaic"]))
        head = f'Content-Disposition: form-data; name="{name}"{file}'.encode("latin-1")
        parts.append(b"--b\r\n" + head + b"\r\n\r\n" + value + b"\r\n")
    whole = b"".join(parts) + b"--b--\r\n"
    return whole[: draw(st.sampled_from([len(whole), len(whole), len(whole) - 5, len(whole) // 2]))]


bodies = st.one_of(
    forms(),
    near_misses().map(lambda sent: json.dumps(sent.shown).encode()),
    anything.map(text_of),
    st.binary(max_size=60),
    st.sampled_from(
        [
            text_of(GOOD),
            text_of({**GOOD, "painting": "one", "key": "the-key-of-all"}),
            b"[" * 100_000,
            b"x" * (2**20 + 1),
            b"--b\r\n" * 100_000 + b"--b--",
            b'Content-Disposition: form-data; name="artwork"\r\n\r\nmosaic\r\n--b\r\n' * 2_000 + b"--b--",
        ]
    ),
)


@pytest.mark.slow
def test_whatever_is_asked_over_http_is_answered_with_the_envelope(server: Server) -> None:
    judge = Judge(server)

    @settings(fuzzing, max_examples=REQUESTS)
    @given(
        st.sampled_from(["GET", "POST", *METHODS]),
        st.sampled_from(["/paintings", *PATHS]),
        st.lists(st.sampled_from(sorted(HEADERS)), max_size=2, unique=True),
        st.data(),
    )
    def fuzz(method: str, path: str, names: list[str], data: st.DataObject) -> None:
        headers = {name: data.draw(st.sampled_from(HEADERS[name])) for name in names}
        judge.http(method, path, headers, data.draw(bodies) if method in ("POST", "PUT", "PATCH") else b"")
        judge.forget()
        judge.check_log()

    with Watcher(server) as watcher:
        for method, path in itertools.product(METHODS, PATHS):
            judge.http(method, path, {})
        for name, values in HEADERS.items():
            for value, path in itertools.product(values, ["/", "/paintings", "/styletransfer"]):
                judge.http("POST" if path == "/paintings" else "GET", path, {name: value})
        judge.check_log()
        fuzz()
    watcher.check()
    assert judge.sent >= 2 * REQUESTS


# ---------------------------------------------------------------- at the rate that is usual


def test_who_sends_too_fast_is_told_so_each_time_and_heard_again_later() -> None:
    with serving() as running:
        line = Line(running)
        begun = time.monotonic()
        line.send(frame(TEXT, b"nonsense") * 500)
        codes = []
        while len(codes) < 500:
            heard = line.hear()
            assert isinstance(heard, tuple)
            told = json.loads(heard[1])
            if told["state"] == "error":
                codes.append(told["data"]["code"])
        assert set(codes) == {"message_invalid", "messages_many"}
        assert 40 <= codes.count("message_invalid") <= 40 + 20 * (time.monotonic() - begun) + 1
        Judge(running).converse("", [text(b"[]"), text(text_of({"action": "watch", "data": {"painting": "none"}}))])
        line.close()
