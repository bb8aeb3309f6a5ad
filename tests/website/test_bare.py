"""The site alone, on a server of files: the sketch is the demo."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from model.pictures import recipe_in
from tests.website import measures
from tests.website.test_resilience import ENTRY
from tests.website.visitor import visiting

pytestmark = pytest.mark.slow


@pytest.mark.alone
def test_the_whole_journey(chromium: Browser, bare: str) -> None:
    with visiting(chromium, bare) as visitor:
        visitor.open().state("empty")
        expect(visitor.page.locator("#privacy")).to_contain_text("stays in this browser")
        visitor.sample()
        began = time.monotonic()
        visitor.paint().state("sketching").state("finished")
        assert time.monotonic() - began < 20
        saved = measures.saved(visitor)
    assert recipe_in(saved)["engine"] == "patches"
    assert max(Image.open(io.BytesIO(saved)).size) == 256
    judged = measures.judged(saved, "golden_hour", "night_sky")
    assert judged.style >= 0.8
    assert judged.content >= 0.7


def test_taking_part(chromium: Browser, bare: str) -> None:
    with visiting(chromium, bare) as visitor:
        visitor.open().sample().settings(iterations=3000).paint().beyond(3)
        visitor.button("Pause").click()
        visitor.state("paused")
        at = -1
        while at != (at := visitor.iteration):  # what was being encoded then may still come
            time.sleep(0.5)
        assert at < 3000
        visitor.page.get_by_label("Content").fill("-2")
        visitor.button("Resume").click()
        visitor.state("sketching").beyond(at + 3)
        visitor.button("Finish now").click()
        visitor.state("finished")
        of = visitor.of
        assert of < 3000
        visitor.further("Paint 20 more", of + 20)
        visitor.page.get_by_label("Timeline").fill("2")
        visitor.press("Go on from here", "sketching").beyond(3)
        visitor.button("Your paintings").click()
        visitor.button("Forget Golden Hour at the Lake").click()
        visitor.button("Yes, forget Golden Hour at the Lake").click()
        visitor.state("ready")


def test_a_film_of_it(chromium: Browser, bare: str) -> None:
    with visiting(chromium, bare) as visitor:
        visitor.open().sample().settings(size=192, iterations=20).paint().state("finished")
        with visitor.page.expect_download(timeout=60_000) as saving:
            visitor.button("Save film").click()
        assert Path(saving.value.path()).stat().st_size > 1000


def test_reload_begins_it_again_and_shows_what_is_finished(chromium: Browser, bare: str) -> None:
    with visiting(chromium, bare) as visitor:
        visitor.open().sample().settings(size=256, iterations=3000).paint().state("sketching").beyond(3)
        painting = visitor.painting
        visitor.page.reload()
        visitor.state("sketching").beyond(3)
        assert visitor.painting == painting
        visitor.button("Finish now").click()
        visitor.state("finished")
        visitor.page.wait_for_function(f"async (id) => Boolean((await ({ENTRY})(id))?.picture)", arg=painting)
        shown = visitor.pixels()
        visitor.page.reload()
        visitor.state("finished")
        until = time.monotonic() + 10
        while np.abs(np.subtract(visitor.pixels(), shown)).mean() >= 2:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_what_is_told_of_a_painting_takes_as_much_room_first_as_last(chromium: Browser, bare: str) -> None:
    with visiting(chromium, bare) as visitor:
        visitor.open()
        heights = visitor.page.evaluate(
            """async () => {
                const { Painting } = await import("/painting.js");
                const { Progress } = await import("/watch/progress.js");
                const progress = new Progress();
                const losses = { style: 1, content: 1 };
                const told = { of: 3000, progress: 1, elapsed: 1, eta: 1, width: 64, height: 64, losses };
                return [0, 8, 9, 98, 99, 998, 999, 2999].map((iteration) => {
                    const painting = new Painting("", "", true);
                    painting.hear({ state: "end_iteration", data: { ...told, iteration }, image: new Blob() });
                    progress.show(painting, { photo: "A photo", artwork: "an artwork" });
                    return progress.facts.getBoundingClientRect().height;
                });
            }"""
        )
        assert heights[0] > 0
        assert len(set(heights)) == 1, heights


@pytest.mark.alone
def test_the_page_answers_while_it_sketches(chromium: Browser, bare: str) -> None:
    def longest() -> float:
        with visiting(chromium, bare) as visitor:
            visitor.open().sample()
            visitor.page.evaluate(measures.LONG_TASKS)
            visitor.paint().state("sketching").state("finished")
            return max(visitor.page.evaluate("window.longTasks"), default=0.0)

    assert measures.best(longest, 100) <= 100


@pytest.mark.alone
def test_the_first_stroke_comes_within_a_second(chromium: Browser, bare: str) -> None:
    def stroke() -> float:
        with visiting(chromium, bare) as visitor:
            return measures.first_stroke(visitor.open().sample())

    assert measures.best(stroke, 1000) <= 1000


def test_it_works_without_a_network_once_it_was_there(chromium: Browser, bare: str) -> None:
    with visiting(chromium, bare) as visitor:
        visitor.open()
        visitor.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        visitor.page.wait_for_function("navigator.serviceWorker.controller !== null")
        while not visitor.page.evaluate("caches.match('samples/pears_by_the_window.jpg').then(Boolean)"):
            visitor.page.wait_for_timeout(100)
        visitor.page.context.set_offline(True)
        visitor.open().state("empty").sample()
        visitor.settings(size=192, iterations=20).paint().state("finished")
        visitor.faults.clear()  # The browser logs what it could not fetch.
