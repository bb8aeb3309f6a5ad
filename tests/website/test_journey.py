"""The visitor's journey with a studio behind the page: a real browser, a real server, real paintings."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from model.pictures import recipe_in
from tests.server.process import Server, serving
from tests.server.viewer import order
from tests.website import measures
from tests.website.visitor import visiting

pytestmark = pytest.mark.slow


def test_from_a_photo_to_a_painting(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().state("empty")
        visitor.sample()
        before = visitor.pixels()
        visitor.settings(size=384, iterations=60).paint()
        visitor.been("painting", "sketching").beyond(5).state("finished")
        assert visitor.iteration == visitor.of == 60
        assert visitor.words.startswith("Finished after 60 iterations")
        assert visitor.page.title() == "Golden Hour at the Lake · VisualNeurons"
        studio.wait(lambda: apart(visitor.pixels(), before) > 8)
        with visitor.page.expect_download() as saving:
            visitor.button("Save picture").click()
        saved = saving.value
        assert saved.suggested_filename.endswith(".png")
        assert recipe_in(Path(saved.path()).read_bytes())["iterations"] == 60
        assert studio.state(visitor.painting) == "finished"


def test_taking_part(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=384, iterations=3000).paint().state("painting")
        visitor.beyond(5)
        visitor.page.get_by_label("Style").fill("2")
        painting = visitor.painting
        studio.wait(lambda: studio.json(f"paintings/{painting}")["settings"]["style_weight"] == 4)
        visitor.button("Pause").click()
        visitor.state("paused")
        assert studio.state(painting) == "paused"
        at = visitor.iteration
        visitor.button("Resume").click()
        visitor.state("painting").beyond(at + 3)
        visitor.button("Finish now").click()
        visitor.state("finished")
        of = visitor.of
        assert of < 3000
        visitor.further("Paint 20 more", of + 20)


def apart(one: list[int], other: list[int]) -> float:
    """How far apart two pictures' pixels are."""
    return float(np.abs(np.subtract(one, other)).mean())


def test_going_back_in_time(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=256, iterations=100).paint().state("finished")
        newest = visitor.pixels()
        timeline = visitor.page.get_by_label("Timeline")
        timeline.fill("1")
        expect(visitor.button("Newest")).to_be_visible()
        studio.wait(lambda: apart(visitor.pixels(), newest) > 5)
        early = visitor.pixels()
        visitor.button("Newest").click()
        studio.wait(lambda: apart(visitor.pixels(), newest) < apart(visitor.pixels(), early) / 2)
        timeline.fill(str(int(timeline.get_attribute("max") or 0) // 8))
        steps = studio.metrics()["visualneurons_steps_total"]
        visitor.button("Go on from here").click()
        studio.wait(lambda: studio.metrics()["visualneurons_steps_total"] > steps)
        studio.wait(lambda: studio.state(visitor.painting) == "finished")
        visitor.state("finished")
        assert visitor.of == 100


def test_what_is_finished_is_looked_at_closely_and_taken_along(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=256, iterations=33, seed=5).paint().state("finished")
        with visitor.page.expect_download() as saving:
            visitor.button("Save film").click()
        assert saving.value.suggested_filename.endswith(".mp4")
        assert Path(saving.value.path()).read_bytes()[4:8] == b"ftyp"
        photo = visitor.page.locator("#before")
        expect(photo).to_be_hidden()
        visitor.page.get_by_label("Compare with the photo").fill("50")
        expect(photo).to_be_visible()
        assert "50%" in photo.evaluate("photo => getComputedStyle(photo).clipPath")
        easel = visitor.page.locator("#easel")
        before = easel.bounding_box()
        visitor.button("Zoom in").click()
        visitor.button("Zoom in").click()
        after = easel.bounding_box()
        assert before
        assert after
        assert after["width"] == pytest.approx(2 * before["width"], rel=0.01)
        saved = measures.saved(visitor)
    with visiting(chromium, studio.url) as another:  # who was given the picture, and whose page remembers nothing
        another.open().give("painted.png", "image/png", saved)
        expect(another.page.locator("#iterations")).to_have_value("33")
        expect(another.page.locator("#seed")).to_have_value("5")
        expect(another.page.locator("#size")).to_have_value("256")


def test_a_link_is_watched_by_others(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as owner, visiting(chromium, studio.url) as guest:
        owner.open().sample().settings(size=384, iterations=3000).paint().state("painting")
        guest.open(f"display?id={owner.painting}").state("painting").beyond(3)
        expect(guest.button("Pause")).to_be_hidden()
        expect(guest.page.get_by_label("Style")).to_be_hidden()
        owner.button("Finish now").click()
        owner.state("finished")
        guest.state("finished")
        # And those who come when all is over.
        guest.open(f"display?id={owner.painting}").state("finished")


def test_reload_finds_the_painting(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=384, iterations=3000).paint().state("painting")
        painting = visitor.painting
        visitor.beyond(20)
        visitor.page.reload()
        visitor.state("painting").beyond(25)
        assert visitor.painting == painting
        visitor.button("Finish now").click()
        visitor.state("finished")
        assert visitor.page.get_by_label("Timeline").is_visible()


def test_offline_and_back(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=256, iterations=3000).paint().state("painting").beyond(3)
        visitor.page.context.set_offline(True)
        visitor.page.evaluate("dispatchEvent(new Event('offline'))")
        time.sleep(1)
        left = visitor.iteration
        visitor.page.context.set_offline(False)
        visitor.beyond(left + 3).button("Finish now").click()
        visitor.state("finished")
        assert left < visitor.of < 3000
        visitor.faults.clear()


def test_a_hidden_page_takes_no_frames(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=384, iterations=3000).paint().state("painting").beyond(3)
        visitor.hide(True)
        studio.wait(lambda: studio.json("healthz")["viewers"] == 0)
        left = studio.json(f"paintings/{visitor.painting}")["iteration"]
        studio.wait(lambda: studio.json(f"paintings/{visitor.painting}")["iteration"] > left + 30)
        assert visitor.iteration <= left + 1, "what came after it was hidden"
        visitor.hide(False)
        visitor.beyond(left + 30)
        visitor.button("Finish now").click()
        visitor.state("finished")


def test_what_the_studio_refuses_is_said_and_can_be_asked_again(chromium: Browser) -> None:
    with serving("--limit-paintings", "1") as server, visiting(chromium, server.loaded().url) as visitor:
        other = server.post(order(10_000))
        visitor.open().sample().settings(size=256, iterations=20).paint().state("error")
        expect(visitor.refusal).to_contain_text("paintings of yours are unfinished")
        server.delete(other["painting"], other["key"])
        visitor.button("Try again").click()
        visitor.state("finished")
        expect(visitor.refusal).to_be_hidden()


def test_a_painting_that_there_is_not(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open("display?id=nowhere").state("error")
        expect(visitor.refusal).to_contain_text("no painting")
        expect(visitor.page.locator("#progress .words")).to_have_text("Nothing could be painted.")
        for empty in (".facts", "progress", ".chart"):
            expect(visitor.page.locator(f"#progress {empty}")).to_be_hidden()
        visitor.button("New painting").click()
        visitor.state("empty")


def test_own_paintings_are_listed_and_forgotten(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=256, iterations=10).paint().state("finished")
        painting = visitor.painting
        visitor.button("New painting").click()
        visitor.state("ready")
        visitor.button("Your paintings").click()
        visitor.button("Open Golden Hour at the Lake").click()
        visitor.state("finished")
        assert visitor.painting == painting
        visitor.button("Your paintings").click()
        visitor.button("Forget Golden Hour at the Lake").click()
        visitor.button("Yes, forget Golden Hour at the Lake").click()
        visitor.state("ready")
        studio.wait(lambda: painting not in str(studio.json("healthz")) and _unknown(studio, painting))


def _unknown(studio: Server, painting: str) -> bool:
    try:
        studio.state(painting)
    except OSError:
        return True
    return False
