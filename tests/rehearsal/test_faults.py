"""What goes wrong ends well: the visitor gets the painting or a sentence, and no machine is left."""

from __future__ import annotations

from collections.abc import Iterator, Set

import pytest
from playwright.sync_api import Browser, expect

from rehearsal import faults
from tests.rehearsal.under_way import UnderWay, under_way
from tests.website.visitor import Visitor, visiting

LONG = 10_000
"""Iterations that take longer than anything takes to go wrong, on a quick machine, too: as many as there may be."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[UnderWay]:
    with under_way(claim=12) as begun:  # a studio that has died keeps its painting for no longer
        yield begun


@pytest.fixture(autouse=True)
def _nothing_is_left(rehearsal: UnderWay) -> Iterator[None]:
    yield
    rehearsal.over()


def ordered(visitor: Visitor, iterations: int) -> None:
    """Go there and press Paint."""
    visitor.open().sample().settings(size=256, iterations=iterations).paint()


def goes_on(visitor: Visitor) -> None:
    """See the painting go on."""
    visitor.beyond(visitor.iteration + 2)


def another_goes_on(visitor: Visitor, rehearsal: UnderWay, before: Set[str] = frozenset()) -> None:
    """See the first studio lost that there was not `before`, and the painting finished by a second."""

    def is_painted_again() -> bool:
        visitor.page.wait_for_timeout(1000)
        rehearsal.reap()
        return [each.busy > 0 for each in rehearsal.view.studios if each.id not in before] == [False, True]

    rehearsal.wait(is_painted_again, 200)
    goes_on(visitor)
    visitor.button("Finish now").click()
    visitor.state("finished")
    assert "picture" in rehearsal.kept()[visitor.painting]
    visitor.faults.clear()  # what the browser says of links that were cut


def test_where_links_are_cut_the_page_comes_back_and_where_its_machine_is_then_taken_away_another_goes_on(
    chromium: Browser, rehearsal: UnderWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "PAINTED", 0.5)
    rehearsal.strike("drop")
    with visiting(chromium, rehearsal.url) as visitor:
        links: list[str] = []
        visitor.page.on("websocket", lambda socket: links.append(socket.url))
        ordered(visitor, LONG)

        def is_back() -> bool:
            visitor.page.wait_for_timeout(100)
            return len(set(links)) > 1

        rehearsal.wait(is_back, 120)
        goes_on(visitor)
        assert len(rehearsal.phases()) == 1

        rehearsal.strike("spot")
        another_goes_on(visitor, rehearsal)


def test_where_a_machine_boots_slowly_and_dies_without_a_word_another_goes_on_from_the_last_checkpoint(
    chromium: Browser, rehearsal: UnderWay
) -> None:
    before = rehearsal.phases().keys()
    rehearsal.strike("slow-boot")
    rehearsal.strike("kill")
    with visiting(chromium, rehearsal.url) as visitor:
        ordered(visitor, LONG)
        visitor.said("booting")
        another_goes_on(visitor, rehearsal, before)


def test_where_there_is_no_machine_the_visitor_is_told_so(chromium: Browser, rehearsal: UnderWay) -> None:
    """The last one, since a pool that has refused is not asked again for three minutes."""
    rehearsal.strike("no-capacity")
    with visiting(chromium, rehearsal.url) as visitor:
        ordered(visitor, 30)
        expect(visitor.page.get_by_text("No machine with a GPU is to be had just now")).to_be_visible(timeout=60_000)
        assert len(set(visitor.pixels())) > 10, "the sketch stays"
        visitor.faults.clear()  # what the browser says of an answer of 503
