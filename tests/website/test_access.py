"""Usable by everyone: no violation of WCAG 2.2 A and AA that axe-core can find, and the journey by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, ViewportSize, expect

from tests.server.process import Server
from tests.website.visitor import Visitor, visiting

pytestmark = pytest.mark.slow

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SCREENS: dict[str, ViewportSize] = {"phone": {"width": 320, "height": 640}, "desk": {"width": 1360, "height": 860}}


def check(visitor: Visitor, state: str) -> None:
    """Find nothing to complain of in this state, light or dark, nor anything that is wider than the screen."""
    for screen, size in SCREENS.items():
        visitor.page.set_viewport_size(size)
        for scheme in SCHEMES:
            visitor.page.emulate_media(color_scheme=scheme)
            found = Axe().run(visitor.page, options=RULES).response["violations"]
            told = [
                (each["id"], [node["html"][:120] for node in each["nodes"]], each["nodes"][0]["failureSummary"])
                for each in found
            ]
            assert told == [], f"{state}, {screen}, {scheme}"
        wide = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{state}, {screen}: the page is {wide} pixels wider than the screen"


@contextmanager
def looking(chromium: Browser, url: str) -> Iterator[Visitor]:
    options: dict[str, Any] = {"bypass_csp": True, "reduced_motion": "reduce"}
    with visiting(chromium, url, **options) as visitor:
        yield visitor


def test_every_state(chromium: Browser, studio: Server, bare: str) -> None:
    with looking(chromium, studio.url) as visitor:
        visitor.open().state("empty")
        check(visitor, "empty")
        visitor.sample()
        check(visitor, "ready")
        visitor.settings(size=384, iterations=3000).paint().state("painting").beyond(3)
        check(visitor, "painting")
        visitor.button("Pause").click()
        visitor.state("paused")
        check(visitor, "paused")
        visitor.page.get_by_label("Timeline").fill("1")
        check(visitor, "looking back")
        visitor.button("Finish now").click()
        visitor.state("finished")
        check(visitor, "finished")
        visitor.button("Your paintings").click()
        check(visitor, "history")
        visitor.open("display?id=nowhere").state("error")
        check(visitor, "error")
    with looking(chromium, bare) as visitor:
        visitor.open().sample().settings(iterations=300).paint().state("sketching").beyond(3)
        check(visitor, "sketching")


def test_the_journey_by_keyboard_alone(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open()
        page, press = visitor.page, visitor.page.keyboard.press
        _tab_to(visitor, page.locator("#drop").get_by_role("button", name="Golden Hour at the Lake"))
        press("Enter")
        visitor.state("ready")
        _tab_to(visitor, page.get_by_role("listbox", name="Artwork"))
        press("ArrowRight")
        _tab_to(visitor, page.get_by_text("Size, iterations and chance"))
        press("Enter")
        _tab_to(visitor, page.locator("#iterations"))
        press("Control+A")
        page.keyboard.type("3000")  # so many that it is still painted when it is finished
        _tab_to(visitor, visitor.button("Paint"), "Shift+Tab")
        press("Enter")
        visitor.been("painting", "sketching")
        _tab_to(visitor, visitor.button("Finish now"))
        press("Enter")
        visitor.state("finished")
        _tab_to(visitor, page.get_by_label("Compare with the photo"))
        press("ArrowRight")
        expect(page.locator("#before")).to_be_visible()
        _tab_to(visitor, visitor.button("Save picture"))
        with page.expect_download():
            press("Enter")


def _tab_to(visitor: Visitor, wanted: Locator, tab: str = "Tab") -> None:
    """Press Tab, or what leads back, until this has the focus, or something within it, which has to be seen."""
    expect(wanted).to_be_visible(timeout=30_000)
    for _ in range(80):
        visitor.page.keyboard.press(tab)
        if wanted.evaluate("wanted => wanted.contains(document.activeElement)"):
            outline = visitor.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"the focus on {wanted} is not seen"
            return
    raise AssertionError(f"no Tab leads to {wanted}")


def test_a_painting_says_at_most_six_things_aloud(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample()
        visitor.page.evaluate(
            """() => {
                window.said = [];
                const live = document.querySelectorAll("[aria-live], [role=status], [role=alert], [role=log], output");
                for (const each of live) {
                    new MutationObserver(() => each.textContent && window.said.push(each.textContent))
                        .observe(each, { childList: true, characterData: true, subtree: true });
                }
            }"""
        )
        visitor.settings(size=384, iterations=3000).paint().state("painting").beyond(3)
        for _ in range(4):
            visitor.button("Pause").click()
            visitor.state("paused")
            visitor.button("Resume").click()
            visitor.state("painting")
        visitor.button("Finish now").click()
        visitor.state("finished")
        said = visitor.page.evaluate("window.said")
        assert 2 <= len(said) <= 6, said
        assert said[-1] == "The painting is finished."
