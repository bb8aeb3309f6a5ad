"""A studio in the cloud is entered by the edge alone, and counts who is behind it."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from controller import Refusal
from server.cloud import Edge
from tests.gallery.emulator import emulating
from tests.lambda_launcher.site import KEY
from tests.server.cloud import HOST, Machine, in_the_cloud, machine, signature, ticket
from tests.server.process import get, refused, send
from tests.server.viewer import in_loop, viewing

OTHER = "ec2-198-51-100-1.eu-central-1.compute.amazonaws.com"
READING = tuple(("GET", f"paintings/p-1{what}") for what in ("", "/picture", "/timelapse"))
FORGETTING = "DELETE", "paintings/p-1"


@pytest.fixture(scope="module")
def studio() -> Iterator[Machine]:
    """A studio whose addresses may have two sockets each."""
    with emulating() as endpoint, in_the_cloud(endpoint) as cloud:
        id_ = cloud.launch("p-1").id
        with machine(cloud, id_, options=("--limit-sockets", "2")) as running:
            yield running


@pytest.mark.parametrize("sent", [None, "", "forged", signature(OTHER), signature(HOST, "k" * 64), "\u00e9"])
def test_only_what_the_edge_has_signed_passes(sent: str | None) -> None:
    with pytest.raises(Refusal) as refusal:
        Edge(KEY.encode(), HOST).check({} if sent is None else {"X-Visualneurons-Edge": sent})
    assert refusal.value.code == "edge_missing"
    Edge(KEY.encode(), HOST.upper()).check({"X-Visualneurons-Edge": signature(HOST)})


@pytest.mark.parametrize(
    ("headers", "viewer"),
    [
        ({}, "203.0.113.1"),
        ({"X-Forwarded-For": "192.0.2.7"}, "192.0.2.7"),
        ({"X-Forwarded-For": "198.51.100.3, 192.0.2.7"}, "192.0.2.7"),
        ({"X-Forwarded-For": "8.8.8.8,2001:db8::7"}, "2001:db8::7"),
    ],
)
def test_the_viewer_is_who_the_edge_says(headers: dict[str, str], viewer: str) -> None:
    assert Edge.viewer(headers, "203.0.113.1") == viewer


@pytest.mark.slow
@pytest.mark.parametrize("path", ["", "config.json", "artworks", "paintings/p-1", "nothing/here", "display"])
def test_every_address_asks_for_it(studio: Machine, path: str) -> None:
    for headers in ({}, {"X_Visualneurons_Edge": signature(OTHER)}):
        told = refused(get, studio.server.url + path, **headers)
        assert (told.status, told.code) == (403, "edge_missing")
    try:
        status = get(f"{studio.server.url}{path}?ticket={ticket('p-1')}", **studio.headers()).status
    except urllib.error.HTTPError as error:
        with error:
            status = error.code
    assert status in (200, 404)


@pytest.mark.slow
def test_orders_ask_for_it_and_the_watch_does_not(studio: Machine) -> None:
    def order(**headers: str) -> Any:
        url = f"{studio.server.url}paintings?ticket={ticket()}"
        return refused(send, "POST", url, b"{}", Content_Type="application/json", **headers).code

    assert order() == "edge_missing"
    assert order(**studio.headers()) == "field_invalid", "the order is looked at"
    assert studio.server.json("healthz")["status"] == "ok"


@pytest.mark.slow
def test_how_the_studio_is_and_what_it_counts_is_told_to_its_machine_alone(studio: Machine) -> None:
    for path in ("healthz", "metrics"):
        with get(studio.server.url + path) as answer:
            assert answer.status == 200
        told = refused(get, f"{studio.server.url}{path}?ticket={ticket('p-1')}", **studio.headers())
        assert (told.status, told.code) == (404, "not_found")


@pytest.mark.parametrize(("peer", "itself"), [("127.0.0.1", True), ("::1", True), ("10.0.0.7", False), ("", False)])
def test_the_machine_itself_is_known_by_its_address(peer: str, itself: bool) -> None:
    assert Edge.is_machine({}, peer) == itself
    assert not Edge.is_machine({"X-Visualneurons-Edge": signature(HOST)}, peer)


@pytest.mark.slow
@in_loop
async def test_what_is_asked_of_a_painting_takes_a_ticket_for_it(studio: Machine) -> None:
    door = studio.socket("p-1")
    async with viewing(door) as viewer:
        await viewer.until("model_loading")
    wrong = {
        "": "ticket_missing",
        ticket("p-1", key=KEY[::-1]): "ticket_invalid",
        ticket("p-1", host=OTHER): "ticket_invalid",
        ticket("p-2"): "ticket_invalid",
        ticket("p-1", life=-60): "ticket_expired",
        door.url.rpartition("=")[2]: "ticket_used",
    }
    for method, path in (*READING, FORGETTING):
        for token, code in wrong.items():
            told = refused(send, method, f"{studio.server.url}{path}?ticket={token}", None, **studio.headers())
            assert (told.status, told.code) == (401, code), (method, path)


@pytest.mark.slow
def test_a_ticket_reads_its_painting_again_and_forgets_it_once(studio: Machine) -> None:
    asked = (*READING, *READING, FORGETTING, FORGETTING, *READING)
    token = ticket("p-1")
    told = [
        refused(send, method, f"{studio.server.url}{path}?ticket={token}", None, **studio.headers()).code
        for method, path in asked
    ]
    assert told == ["painting_unknown"] * 7 + ["ticket_used"] * 4


@pytest.mark.slow
@in_loop
async def test_sockets_ask_for_it_and_are_counted_by_who_is_behind(studio: Machine) -> None:
    asked = studio.socket()
    asked.headers["X-Visualneurons-Edge"] = "forged"
    with pytest.raises(HTTPClientError) as forged:
        async with viewing(asked):
            pass
    assert forged.value.code == 403
    first, second = ({"X-Forwarded-For": f"10.0.0.1, 192.0.2.{number}"} for number in (7, 8))
    async with viewing(studio.socket(**first)) as one, viewing(studio.socket(**first)) as two:
        for viewer in (one, two):
            await viewer.until("model_loading")
        async with viewing(studio.socket(**first)) as third:
            assert (await third.until("error"))[1]["code"] == "sockets_many"
        async with viewing(studio.socket(**second)) as another:
            await another.until("model_loading")
