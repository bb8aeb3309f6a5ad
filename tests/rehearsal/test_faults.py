"""What goes wrong ends well: the visitor gets the painting or a sentence, and no machine is left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.rehearsal.lost import LONG, another_goes_on, finished, ordered
from tests.rehearsal.under_way import UnderWay, under_way
from tests.website.visitor import visiting

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[UnderWay]:
    with under_way() as begun:
        yield begun


@pytest.fixture(autouse=True)
def _nothing_is_left(rehearsal: UnderWay) -> Iterator[None]:
    yield
    rehearsal.over()


def test_where_links_are_cut_the_page_comes_back(chromium: Browser, rehearsal: UnderWay) -> None:
    rehearsal.strike("drop")
    with visiting(chromium, rehearsal.url) as visitor:
        links: list[str] = []
        visitor.page.on("websocket", lambda socket: links.append(socket.url))
        ordered(visitor, LONG)

        def is_back() -> bool:
            visitor.page.wait_for_timeout(100)
            return len(set(links)) > 1

        rehearsal.wait(is_back)
        finished(visitor, rehearsal)
    assert len(rehearsal.phases()) == 1


def test_where_a_machine_is_taken_away_another_goes_on(chromium: Browser, rehearsal: UnderWay) -> None:
    rehearsal.strike("spot")
    another_goes_on(chromium, rehearsal)


def test_where_there_is_no_machine_the_visitor_is_told_so(chromium: Browser, rehearsal: UnderWay) -> None:
    """The last one, since a pool that has refused is not asked again for three minutes."""
    rehearsal.strike("no-capacity")
    with visiting(chromium, rehearsal.url) as visitor:
        ordered(visitor, 30)
        expect(visitor.page.get_by_text("No machine with a GPU is to be had just now")).to_be_visible(timeout=20_000)
        assert len(set(visitor.pixels())) > 10, "the sketch stays"
        visitor.faults.clear()  # what the browser says of an answer of 503
