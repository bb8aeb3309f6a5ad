"""What the page may cost: weight, blocked moments, shifts of what is on it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.server.process import Server
from tests.website.test_bare import LONG_TASKS
from tests.website.visitor import visiting

pytestmark = pytest.mark.slow

SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
    }).observe({ type: "layout-shift", buffered: true });
}"""


def test_the_first_load_weighs_little(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url, service_workers="block") as visitor:
        weights: dict[str, int] = {}
        visitor.page.on(
            "requestfinished",
            lambda request: weights.__setitem__(request.url, sum(request.sizes()[part] for part in PARTS)),
        )
        visitor.open()
        visitor.page.wait_for_load_state("networkidle")
        page = {url: weight for url, weight in weights.items() if "/artworks/" not in url and "/samples/" not in url}
        assert sum(page.values()) <= 150_000, page


PARTS = ("responseBodySize", "responseHeadersSize")


def test_nothing_blocks_and_nothing_shifts_while_frames_stream(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.page.add_init_script(f"({SHIFTS})(); ({LONG_TASKS})();")
        visitor.open().sample()
        visitor.page.evaluate("() => { window.longTasks = []; }")
        visitor.settings(size=512, iterations=120).paint().state("painting").state("finished")
        tasks, shifts = visitor.page.evaluate("[window.longTasks, window.shifts]")
        assert max(tasks, default=0) <= 100, tasks
        assert sum(shifts) <= 0.1, shifts
