"""A visitor whose painting is not painted to its end where it was begun."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.rehearsal.under_way import UnderWay
from tests.website.visitor import Visitor, visiting

LONG = 5000
"""Iterations that take longer than anything takes to go wrong."""


def ordered(visitor: Visitor, iterations: int) -> Visitor:
    """Go there and press Paint."""
    return visitor.open().sample().settings(size=256, iterations=iterations).paint()


def finished(visitor: Visitor, rehearsal: UnderWay) -> None:
    """See the painting go on, and have it finished."""
    visitor.beyond(visitor.iteration + 2)
    visitor.button("Finish now").click()
    visitor.state("finished")
    assert "picture" in rehearsal.kept()[visitor.painting]
    visitor.faults.clear()  # what the browser says of links that were cut


def another_goes_on(chromium: Browser, rehearsal: UnderWay) -> None:
    """A visitor whose first studio is lost while it paints."""
    before = rehearsal.phases().keys()
    with visiting(chromium, rehearsal.url) as visitor:
        ordered(visitor, LONG)
        expect(visitor.page.locator("#progress .words")).to_contain_text("booting", timeout=20_000)

        def is_painted_again() -> bool:
            visitor.page.wait_for_timeout(100)
            return [each.busy > 0 for each in rehearsal.view.studios if each.id not in before] == [False, True]

        rehearsal.wait(is_painted_again, 200)
        finished(visitor, rehearsal)
