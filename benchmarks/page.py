"""The page in a real browser: what its first load weighs, and how soon and how well the sketch paints."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

from benchmarks.figure import Figure, at_least, at_most
from tests import browser
from tests.server.process import serving
from tests.website import measures
from tests.website.static import served
from tests.website.visitor import visiting


def figures(quick: bool) -> Iterator[Figure]:
    """With a studio behind it, then on a server of files."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=browser.FLAGS)
        with serving() as studio, visiting(chromium, studio.url, service_workers="block") as visitor:
            weight = sum(measures.weight(visitor).values())
            yield Figure("first load, without artworks", weight / 1000, "kB", at_most(150))
        with served() as site:
            yield from _sketch(chromium, f"{site}/", quick)
        chromium.close()


def _sketch(chromium: Browser, site: str, quick: bool) -> Iterator[Figure]:
    strokes = []
    for _ in range(1 if quick else 10):
        with visiting(chromium, site) as visitor:
            visitor.open().sample()
            strokes.append(measures.first_stroke(visitor) / 1000)
    yield Figure("click to first stroke of the sketch, median", statistics.median(strokes), "s", at_most(1))
    yield Figure("click to first stroke of the sketch, worst", max(strokes), "s", at_most(1))
    with visiting(chromium, site) as visitor:
        visitor.open().sample().settings(size=192 if quick else 256, iterations=8 if quick else 80)
        visitor.page.evaluate(measures.LONG_TASKS)
        began = time.perf_counter()
        visitor.paint().state("finished")
        yield Figure("whole sketch at 256 px", time.perf_counter() - began, "s", at_most(20))
        longest = max(visitor.page.evaluate("window.longTasks"), default=0)
        yield Figure("longest blocked moment of the page meanwhile (0: under 50)", longest, "ms", at_most(100))
        judged = measures.judged(measures.saved(visitor), "golden_hour", "night_sky")
    yield Figure("its style", judged.style, "", at_least(0.8))
    yield Figure("its content", judged.content, "", at_least(0.7))
