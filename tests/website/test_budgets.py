"""What the page may cost: weight, blocked moments, shifts of what is on it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.server.process import Server
from tests.website import measures
from tests.website.visitor import visiting

pytestmark = pytest.mark.slow


def test_the_first_load_weighs_little(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url, service_workers="block") as visitor:
        weights = measures.weight(visitor)
        assert sum(weights.values()) <= 150_000, weights


@pytest.mark.alone
def test_nothing_blocks_and_nothing_shifts_while_frames_stream(chromium: Browser, studio: Server) -> None:
    def longest() -> float:
        with visiting(chromium, studio.url) as visitor:
            visitor.page.add_init_script(f"({measures.SHIFTS})(); ({measures.LONG_TASKS})();")
            visitor.open().sample()
            visitor.page.evaluate("() => { window.longTasks = []; }")
            visitor.settings(size=512, iterations=120).paint().state("painting").state("finished")
            tasks, shifts = visitor.page.evaluate("() => [window.longTasks, window.shifts]")
            assert sum(shifts) <= 0.02, shifts
            return max(tasks, default=0.0)

    assert measures.best(longest, 100) <= 100
