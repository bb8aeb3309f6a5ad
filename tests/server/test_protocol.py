"""The protocol's page, held to the code and to what a real server says and does, in both directions."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
import tornado.web
from PIL import Image

import gallery
from controller import SETTINGS, Setup, StyleTransferController
from controller.audience import MOST_UNTAKEN, QUALITIES, WINDOW
from controller.states import MOVES
from controller.timeline import FRAMES
from lambda_launcher.errors import CODES as CODES_OF_THE_LAUNCHER
from lambda_launcher.launcher import Answer
from lambda_launcher.tickets import LIFE
from model.recipe import MOST_ARTWORKS, Recipe, Setting
from server import requests, tickets
from server.application import PING_EVERY, make_application
from server.artworks import Artworks
from server.entrance import Entrance
from server.errors import CODES
from server.limits import Counts, Limits, limits
from server.origins import Origins
from server.site import SITE
from server.style_transfer_socket import ORIGINAL_FIELDS
from tests import loop
from tests.gallery.emulator import emulating
from tests.lambda_launcher.stack import Stack
from tests.model.weights_server import WeightsServer
from tests.server.cloud import in_the_cloud, machine, ticket
from tests.server.curl import curl
from tests.server.process import ROOT, Server, get, held, refused, send, serving
from tests.server.viewer import Viewer, in_loop, order, viewing

PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
KEY = "open-sesame"

# ---------------------------------------------------------------- reading the page


def section(heading: str) -> str:
    """What stands under a heading, until the next."""
    found = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"the page has no heading {heading!r}"
    return found[1]


def rows(heading: str, *columns: str) -> list[dict[str, str]]:
    """The table under a heading whose first columns have these names: each row by the names of its columns."""
    for table in re.findall(r"^\|.*\|\n(?:\|.*\|\n)*", section(heading), re.MULTILINE):
        header, _, *lines = [[cell.strip() for cell in line[1:-1].split("|")] for line in table.splitlines()]
        if header[: len(columns)] == list(columns):
            return [dict(zip(header, line, strict=True)) for line in lines]
    raise AssertionError(f"under {heading!r} there is no table of {columns}")


def names(text: str) -> list[str]:
    """What is written as code."""
    return re.findall(r"`([^`]+)`", text)


def by_name(heading: str, *columns: str) -> dict[str, dict[str, str]]:
    """The rows of a table by the names in their first column; a row may be for several."""
    return {name: row for row in rows(heading, *columns) for name in names(row[columns[0]])}


def blocks(language: str, heading: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", section(heading), re.DOTALL)


def examples(heading: str) -> list[Any]:
    """The JSON lines under a heading."""
    return [json.loads(line) for block in blocks("json", heading) for line in block.splitlines()]


KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "whole number": (int,),
    "number": (int, float),
    "object": (dict,),
    "null": (type(None),),
}


def check_kind(name: str, value: Any, kinds: str) -> None:
    """Hold a value to what the page says it is, for example "number or null"."""
    allowed = tuple(kind for each in kinds.split(" or ") for kind in KINDS[each])
    assert isinstance(value, allowed), f"{name} is {value!r}, not {kinds}"
    assert not isinstance(value, bool)


def fields_of(state: str) -> tuple[set[str], set[str]]:
    """The fields that a state always has, and those that it has sometimes, according to the page."""
    always, _, sometimes = by_name("States", "state")[state]["data"].partition("sometimes")
    return set(names(always)), set(names(sometimes))


# ---------------------------------------------------------------- the page and the tables of the code


def test_actions_and_their_fields() -> None:
    actions = by_name("Actions", "action", "by")
    told: dict[str, dict[str, str]] = {action: {} for action in actions}
    settings = by_name("Settings", "setting")
    told["request_image"] = {name: row["meaning"] for name, row in settings.items()}
    told["steer"] = {name: row["meaning"] for name, row in settings.items() if row["steer"]}
    for row in rows("Actions", "action", "field"):
        (action,), (name,) = names(row["action"]), names(row["field"])
        told[action][name] = row["meaning"]
    assert told == requests.ACTIONS


def test_settings_with_defaults_and_ranges() -> None:
    recipe = {**vars(Recipe()), "iterations": requests.ITERATIONS}
    expected = {
        name: {
            "setting": f"`{name}`",
            "values": values_of(setting, recipe[name]),
            "default": f"`{json.dumps(recipe[name])}`",
            "steer": "yes" if setting.steerable else "",
            "meaning": setting.description,
        }
        for name, setting in SETTINGS.items()
    }
    assert by_name("Settings", "setting") == expected


def values_of(setting: Setting, default: Any) -> str:
    """What a setting may be, as the page says it."""
    if isinstance(default, bool):
        return "`true`, `false`"
    if setting.choices:
        return ", ".join(f"`{choice}`" for choice in setting.choices)
    span = f"{setting.low:,.12g} to {setting.high:,.12g} {setting.unit}".rstrip()
    if isinstance(default, tuple):
        return f"list of {span}"
    return f"{span}, whole" if isinstance(default, int) else span


def test_states_and_moves_of_a_painting() -> None:
    owners = {action for action, row in by_name("Actions", "action", "by").items() if row["by"] == "owner"} | {"cancel"}
    page = by_name("States of a painting", "state")
    assert set(page) == set(MOVES)
    for state, moves in MOVES.items():
        by_owner = dict(re.findall(r"`(\w+)` → `(\w+)`", page[state]["by its owner"]))
        assert by_owner == {move: leads_to for move, leads_to in moves.items() if move in owners}, state
        by_itself = names(page[state]["becomes by itself"])
        assert set(by_itself) == {leads_to for move, leads_to in moves.items() if move not in owners}, state


def test_codes_of_errors() -> None:
    page = {code: (row["HTTP"], row["retry"], row["when"]) for code, row in by_name("Errors", "code").items()}
    assert page == {
        code: (str(entry.status), str(entry.retry_after or ""), entry.when) for code, entry in CODES.items()
    }


def test_what_the_launcher_answers() -> None:
    routes = {
        (method, *names(row["address"]))
        for row in rows("Behind a launcher", "method")
        for method in names(row["method"])
    }
    stack = Stack()
    keys = [stack.properties(route)["RouteKey"] for route in stack.of_type("AWS::ApiGatewayV2::Route")]
    assert routes == {tuple(key.split()) for key in keys}
    assert list(by_name("Behind a launcher", "field")) == [each.name for each in dataclasses.fields(Answer)]
    codes = {code: (row["HTTP"], row["when"]) for code, row in by_name("Behind a launcher", "code").items()}
    assert codes == {code: (str(entry.status), entry.when) for code, entry in CODES_OF_THE_LAUNCHER.items()}


def test_limits_and_their_defaults() -> None:
    page = {name: (row["default"], row["limit"]) for name, row in by_name("Limits", "option").items()}
    assert page == {
        f"--limit-{name}": (f"{getattr(Limits(), name):g} {limit.unit}".rstrip(), limit.description)
        for name, limit in limits().items()
    }


def test_every_code_that_is_named_anywhere_is_in_the_table() -> None:
    about_codes = [row["beyond it"] for row in rows("Limits", "option")]
    about_codes += [row["reason"] for row in rows("Closing codes", "code") if "_" in row["reason"]]
    assert {code for text in about_codes for code in names(text)} <= set(CODES)
    told = examples("Errors") + [each for each in examples("States") if each["state"] == "error"]
    assert {each["data"]["code"] for each in told} <= set(CODES)
    named = re.findall(r"\b(\d{3}) `(\w+)`", PAGE)
    assert len(named) > 3
    assert all(CODES[code].status == int(status) for status, code in named)


def test_addresses(tmp_path: Path) -> None:
    bounds = Limits()

    async def application() -> tornado.web.Application:
        controller = StyleTransferController(lambda: gallery.opened(str(tmp_path)), bounds, Setup())
        origins, counts = Origins(loopback=True), Counts(bounds.sockets)
        return make_application(Entrance(controller, bounds, origins, None, Artworks(SITE), counts))

    unknown = tornado.web.RequestHandler._unimplemented_method
    answered = {
        (method, rule.matcher.regex.pattern.rstrip("$").replace("([^/]+)", "{id}").replace("(.*)", ""))
        for rule in loop.run(application()).wildcard_router.rules
        for method in tornado.web.RequestHandler.SUPPORTED_METHODS
        if getattr(rule.target, method.lower()) is not unknown
    }
    page = [(method, *names(row["address"])) for row in rows("HTTP", "method") for method in names(row["method"])]
    assert sorted(page) == sorted(answered)


@pytest.mark.parametrize(
    "phrase",
    [
        f"At most {WINDOW} frames are on their way to a viewer",
        "quality {}, {} or {}".format(*QUALITIES),
        f"Up to {FRAMES} frames of a painting are kept",
        f"only with more than {MOST_UNTAKEN >> 20} MiB on their way",
        f"at least one artwork, from whichever fields, and at most {MOST_ARTWORKS}",
        f"Every {PING_EVERY:g} seconds the server sends a ping",
        f"valid for {tickets.LONGEST_LIFE} seconds at most",
        f"1 to {tickets.LONGEST_NAME} characters",
        f"A message may have {requests.MOST_COMMAS:,} commas",
        f"a ticket, good for {LIFE} seconds",
        f"Clocks may differ by {tickets.LEEWAY} seconds. A ticket may have {tickets.LONGEST_TICKET:,} characters",
    ],
)
def test_numbers_in_sentences(phrase: str) -> None:
    assert phrase in " ".join(PAGE.split())


def test_the_fields_that_the_original_knows() -> None:
    assert set(names(section("The original protocol"))) > ORIGINAL_FIELDS


def test_links_lead_somewhere() -> None:
    headings = re.findall(r"^##+ (.*)$", PAGE, re.MULTILINE)
    links = re.findall(r"\]\(#([^)]*)\)", PAGE)
    assert len(links) > 5
    assert set(links) <= {heading.lower().replace(" ", "-") for heading in headings}


def test_each_state_has_an_example_as_it_is_described() -> None:
    told = examples("States")
    assert {each["state"] for each in told} == set(by_name("States", "state"))
    for each in told:
        data, (always, sometimes) = each["data"] or {}, fields_of(each["state"])
        assert always <= data.keys() <= always | sometimes, each


def test_each_action_has_an_example_that_is_understood() -> None:
    told = [requests.message_in(json.dumps(each)) for each in examples("Actions")]
    assert {each.action for each in told} == set(requests.ACTIONS)


# ---------------------------------------------------------------- the page and what a server says


@dataclass
class Seen:
    """All that was seen on a journey."""

    said: list[tuple[str, Any]] = field(default_factory=list)  # on sockets
    told: dict[str, Any] = field(default_factory=dict)  # by GET /paintings/{id}, by the painting's state
    closed: set[tuple[int | None, str]] = field(default_factory=set)
    broken: Any = None  # GET /healthz of a server that cannot paint

    def look(self, server: Server, painting: str) -> None:
        told = server.json(f"paintings/{painting}")
        self.told[told["state"]] = told

    def listen(self, viewer: Viewer) -> None:
        self.said += viewer.states
        # The viewer has decoded the image, and would have complained if there had been none.
        self.said += [("end_iteration", {**frame.facts, "image": ""}) for frame in viewer.frames]

    async def close(self, viewer: Viewer) -> None:
        """Hear a viewer out."""
        while not viewer.closed:
            await viewer.hear()
        self.listen(viewer)
        self.closed.add((viewer.socket.close_code, viewer.socket.close_reason or ""))


async def everything(seen: Seen, folder: Path) -> None:
    """Let paintings go through all states, those of an accident included."""
    with held() as easels, serving(gallery=folder, env=os.environ | easels.env) as server:
        async with viewing(server.socket) as first:
            await first.request(painting="first", iterations=9000, size=128)
            seen.look(server, "first")
            easels.let()
            await first.until("model_loaded")
            await first.until("end_iteration")
            seen.look(server, "first")
            await first.send("pause")
            await first.until("paused")
            halted = server.rested().json("paintings/first")["iteration"]
            seen.look(server, "first")
            await first.send("resume")
            while first.frames[-1].iteration <= halted:  # what comes first is from before the pause
                await first.until("end_iteration")
            (easel,) = server.easels()
            easels.hold()
            os.kill(easel, signal.SIGKILL)
            await first.until("recovering")
            seen.look(server, "first")
            easels.let()
            await first.until("end_iteration")

            async with viewing(server.socket) as second:
                await second.request(painting="second")
                (photo,) = folder.rglob("second/photo")
                photo.unlink()
                await first.send("finish")
                await first.until("end")
                await seen.close(first)
                seen.look(server, "first")
                await second.until("error")
                seen.look(server, "second")
                seen.listen(second)

        async with viewing(server.socket) as third:
            await third.request(iterations=9000, size=128)
            await third.until("end_iteration")
            server.process.send_signal(signal.SIGTERM)
            await third.until("moved")
            await seen.close(third)


async def in_vain(seen: Seen, folder: Path) -> None:
    """Look on while a server fails to load its model."""
    with WeightsServer(b"no weights" * 1000) as weights:
        env = {**os.environ, "VISUALNEURONS_WEIGHTS_URL": weights.url, "KERAS_HOME": str(folder)}
        with serving("--engine", "vgg19", env=env) as server:
            async with viewing(server.socket) as viewer:
                data: Any = {}
                while "problem" not in data:
                    _, data = await viewer.until("model_loading")
                seen.listen(viewer)
            with pytest.raises(urllib.error.HTTPError) as broken:
                server.json("healthz")
            with broken.value as answer:
                assert answer.code == 503
                seen.broken = json.load(answer)


async def behind_a_launcher(seen: Seen) -> None:
    """Look on at a painting in the cloud, from its own studio and from another with the same gallery."""
    with emulating() as endpoint, in_the_cloud(endpoint) as cloud:
        id_ = cloud.launch("shared").id
        with (
            machine(cloud, id_, gallery=cloud.gallery) as its,
            serving(gallery=cloud.gallery, env=cloud.environment) as other,
        ):
            async with viewing(its.socket()) as owner, viewing(other.socket) as visitor:
                await owner.request(painting="shared", iterations=9000, size=128)
                await owner.until("end_iteration")
                await visitor.send("watch", {"painting": "shared"})
                await visitor.until("recovering")
                seen.listen(visitor)
                await owner.send("finish")
                await owner.until("end")
            query = f"?ticket={ticket('shared')}"
            film = get(f"{its.server.url}paintings/shared/timelapse{query}", **its.headers()).read()
            async with viewing(its.socket()) as viewer:
                await viewer.send("watch", {"painting": "shared"})
                _, told = await viewer.until("end")
                seen.listen(viewer)
        assert cloud.kept(told["timelapse"]) == film


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What a painting's whole life looks like from outside."""
    seen = Seen()
    loop.run(everything(seen, tmp_path_factory.mktemp("gallery")))
    loop.run(in_vain(seen, tmp_path_factory.mktemp("keras")))
    loop.run(behind_a_launcher(seen))
    return seen


@pytest.mark.slow
def test_what_the_server_says_is_what_the_page_says(seen: Seen) -> None:
    states = by_name("States", "state")
    kinds = {name: row["value"] for name, row in by_name("States", "field").items()}
    assert {state for state, _ in seen.said} == set(states)
    met: dict[str, set[str]] = {state: set() for state in states}
    for state, data in seen.said:
        always, sometimes = fields_of(state)
        assert data is None if not always else always <= data.keys() <= always | sometimes, (state, data)
        met[state] |= (data or {}).keys()
        for name, value in (data or {}).items():
            check_kind(f"{name} of {state}", value, kinds[name])
    assert met == {state: set.union(*fields_of(state)) for state in states}, "all that is there sometimes was met"
    assert set(kinds) == set.union(*met.values())
    losses = [set(data["losses"]) for state, data in seen.said if state == "end_iteration"]
    assert all(each == set(names(by_name("States", "field")["losses"]["is"])) for each in losses)
    assert {data["phase"] for state, data in seen.said if state == "model_loading"} <= set(
        names(by_name("States", "field")["phase"]["is"])
    )


@pytest.mark.slow
def test_what_is_told_of_a_painting_is_what_the_page_says(seen: Seen) -> None:
    fields = by_name("HTTP", "field")
    waiting = {name for name, row in fields.items() if row["is"].startswith("only while it waits")}
    failed = {name for name, row in fields.items() if row["is"].startswith("only if it has failed")}
    assert waiting
    assert failed
    assert set(seen.told) == set(MOVES) - {"cancelled"}
    for state, facts in seen.told.items():
        without = (set() if state in ("queued", "recovering") else waiting) | (set() if state == "failed" else failed)
        assert facts.keys() == fields.keys() - without, state
        for name, value in facts.items():
            check_kind(f"{name} of a {state} painting", value, fields[name]["value"])
    assert set(names(fields["error"]["is"])) == seen.told["failed"]["error"].keys()


@pytest.mark.slow
@in_loop
async def test_a_binary_frame_is_laid_out_as_the_page_says(studio: Server) -> None:
    assert [row["bytes"] for row in rows("Frames", "bytes")] == ["4", "as many", "all others"]
    frames = []
    async with viewing(studio.socket + "?frames=binary") as viewer:
        await viewer.send("request_image", order(5))
        while (message := await viewer.socket.read_message()) is not None:
            if isinstance(message, bytes):
                frames.append(message)
            else:
                assert json.loads(message)["state"] != "end_iteration"
        viewer.closed = True
    assert frames
    for frame in frames:
        length = int.from_bytes(frame[:4], "big")
        header, image = json.loads(frame[4 : 4 + length]), frame[4 + length :]
        assert header["state"] == "end_iteration"
        assert header["data"].keys() == fields_of("end_iteration")[0] - {"image"}
        assert image.startswith(b"\x89PNG")


# ---------------------------------------------------------------- the page and what a server does


@pytest.mark.slow
@in_loop
async def test_closing_codes(seen: Seen, tmp_path: Path) -> None:
    here = Seen()
    with serving("--limit-idle", "5", "--limit-sockets", "2", "--limit-message", "0.1") as server:
        async with viewing(server.socket) as one, viewing(server.socket) as two, viewing(server.socket) as third:
            await here.close(third)
            await one.send("close")
            await here.close(one)
            await here.close(two)
        await asyncio.to_thread(server.wait, lambda: server.metrics()["visualneurons_sockets"] == 0)
        async with viewing(server.socket) as one, viewing(server.socket) as two:
            await one.send("close", "x" * 200_000)
            await here.close(one)
            await two.request(painting="mine", key=KEY, iterations=9000)
            forget = f'curl -X DELETE -H "Authorization: Bearer {KEY}" {server.url}paintings/mine'
            await asyncio.to_thread(curl, forget, ROOT)
            await here.close(two)
    told = await refused_tickets(here, tmp_path)
    assert told == ["ticket_missing", "ticket_invalid", "ticket_expired", "ticket_used"]
    page = {
        (int(row["code"]), reason) for row in rows("Closing codes", "code") for reason in names(row["reason"]) or [""]
    }
    assert seen.closed | here.closed == page


async def refused_tickets(seen: Seen, folder: Path) -> list[str]:
    """Come without a ticket, and with each kind of a bad one; returns what was said to it."""
    secret = "0123456789abcdef" * 2
    (folder / "key").write_text(secret)
    (folder / "key").chmod(0o600)
    good = jwt.encode({"exp": time.time() + 60, "jti": "one"}, secret, "HS256")
    expired = jwt.encode({"exp": time.time() - 60, "jti": "two"}, secret, "HS256")
    told = []
    with serving("--ticket-key", str(folder / "key")) as server:
        async with viewing(f"{server.socket}?ticket={good}"):
            for query in ("", "?ticket=nonsense", f"?ticket={expired}", f"?ticket={good}"):
                async with viewing(server.socket + query) as viewer:
                    _, data = await viewer.until("error")
                    await seen.close(viewer)
                    told.append(data["code"])
    return told


def answers() -> dict[tuple[str, str], str]:
    """What the page says is answered, by method and address."""
    return {
        (method, *names(row["address"])): row["answers"]
        for row in rows("HTTP", "method")
        for method in names(row["method"])
    }


def quoted(text: str) -> set[str]:
    """The names of JSON fields."""
    return set(re.findall(r'"(\w+)"', text))


@pytest.mark.slow
@pytest.mark.parametrize("address", ["/", "/healthz", "/metrics", "/artworks"])
def test_what_can_be_read_by_anyone(studio: Server, address: str) -> None:
    told = answers()["GET", address]
    with get(studio.url + address[1:]) as answer:
        assert told.startswith(str(answer.status))
        body = answer.read()
    if fields := quoted(told):
        facts = json.loads(body)
        assert facts.keys() | {name for each in facts.get("artworks", []) for name in each} == fields


@pytest.mark.slow
def test_how_a_server_is_that_cannot_paint(seen: Seen) -> None:
    _, _, problem = answers()["GET", "/healthz"].partition(", if broken, ")
    assert seen.broken.keys() == quoted(answers()["GET", "/healthz"]) | set(names(problem))


@pytest.mark.slow
def test_a_painting_without_a_socket(studio: Server) -> None:
    told = {method_and_address: text[:3] for method_and_address, text in answers().items()}
    one = "/paintings/{id}"
    mine = studio.url + "paintings/mine"
    fields = {**order(5), "painting": "mine", "key": KEY}
    first = studio.post(order(9000, size=128))
    asked = json.dumps(fields).encode()
    with send("POST", studio.url + "paintings", asked) as answer:
        assert str(answer.status) == told["POST", "/paintings"]
        assert answer.headers["Location"] == "/paintings/mine"
        facts = json.load(answer)
    assert facts == {"painting": "mine", "key": KEY}
    assert facts.keys() == quoted(answers()["POST", "/paintings"])
    assert studio.post({**fields, "key": None}) == {"painting": "mine", "key": None}
    # As long as its turn has not come, nothing is painted.
    assert refused(get, f"{mine}/picture").code in answers()["GET", f"{one}/picture"]
    assert refused(get, f"{mine}/timelapse").code in answers()["GET", f"{one}/timelapse"]

    studio.delete(**first)
    studio.wait(lambda: studio.state("mine") == "finished")
    with get(f"{mine}/picture") as answer:
        assert (str(answer.status), answer.headers["Content-Type"]) == (told["GET", f"{one}/picture"], "image/png")
    kinds = re.findall(r"`(?:\?format=)?(mp4|webp|gif)`", answers()["GET", f"{one}/timelapse"])
    assert len(kinds) == 3
    for format, kind in zip([None, *kinds], ["video/mp4", "video/mp4", "image/webp", "image/gif"], strict=True):
        with get(f"{mine}/timelapse" + (f"?format={format}" if format else "")) as answer:
            assert (str(answer.status), answer.headers["Content-Type"]) == (told["GET", f"{one}/timelapse"], kind)
    assert refused(get, f"{mine}/timelapse?format=avi").code == "format_unknown"

    assert refused(send, "DELETE", mine, None).code == "key_wrong"
    with send("DELETE", mine, None, Authorization=f"Bearer {KEY}") as answer:
        assert str(answer.status) == told["DELETE", one]
    assert refused(get, mine).code == "painting_unknown"


# ---------------------------------------------------------------- the page's examples


@pytest.mark.slow
def test_the_example_for_curl_works(studio: Server, tmp_path: Path) -> None:
    (block,) = blocks("sh", "At a glance")
    order, look, picture, film, forget = block.splitlines()

    def do(line: str) -> bytes:
        line = line.replace("http://127.0.0.1:8000/", studio.url).replace("-o ", f"-o {tmp_path}/")
        return curl(line, ROOT)

    assert json.loads(do(order)) == {"painting": "my-first", "key": KEY}
    studio.wait(lambda: json.loads(do(look))["state"] == "finished")
    do(picture)
    do(film)
    assert (tmp_path / "painting.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "painting.webp").read_bytes()[8:12] == b"WEBP"
    assert do(forget) == b""
    assert refused(do, look).code == "painting_unknown"


@pytest.mark.slow
def test_the_example_in_python_works(studio: Server, tmp_path: Path) -> None:
    (example,) = blocks("python", "At a glance")
    assert len(example.splitlines()) <= 20
    (tmp_path / "website").symlink_to(ROOT / "website")
    example = example.replace("127.0.0.1:8000", urlsplit(studio.url).netloc)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("{'state': 'end', ")
    with Image.open(tmp_path / "painting.png") as image:
        assert max(image.size) == 512
