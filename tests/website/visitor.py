"""A visitor of the page: opens it in a real browser, and does with it what a person does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

SECONDS = 120_000  # milliseconds that a painting may take until the state that is waited for; the machine may be busy

# `passed` is what the page has said, and which states it was in, one after the other and however briefly.
PASSED = """addEventListener("DOMContentLoaded", () => {
    window.passed = { words: [], states: [] };
    new MutationObserver(() => {
        const words = document.querySelector("#progress .words")?.textContent;
        if (words && passed.words.at(-1) !== words) passed.words.push(words);
        const { state } = document.body.dataset;
        if (state && passed.states.at(-1) !== state) passed.states.push(state);
    }).observe(document, {
        subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["data-state"],
    });
});"""


# Whether a later iteration than this has been shown by its painter, not by a sketch that stands in.
SHOWN = """least => Number(document.querySelector('.facts dd')?.textContent.split(' ')[0]) > least
    && !document.querySelector('#progress .words').textContent.includes('A sketch shows meanwhile')"""

HIDE = """hidden => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


class Visitor:
    """One tab, and everything that went wrong in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.faults: list[str] = []
        page.add_init_script(PASSED)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)

    def open(self, path: str = "") -> Visitor:
        """Go there, and wait until the page can be used."""
        self.page.goto(self.url + path)
        self.settled()
        return self

    def settled(self) -> None:
        """Wait until the page knows what it shows."""
        expect(self.page.locator("body:not([aria-busy])")).to_be_attached(timeout=SECONDS)

    # ---------------------------------------------------------------- choosing

    def sample(self, title: str = "Golden Hour at the Lake") -> Visitor:
        """Take a sample photo."""
        self.page.locator("#drop").get_by_role("button", name=title).click()
        self.state("ready")
        return self

    def give(self, name: str, kind: str, data: bytes) -> Visitor:
        """Choose a photo from the disk."""
        with self.page.expect_file_chooser() as chooser:
            self.button("Choose a photo").click()
        chooser.value.set_files({"name": name, "mimeType": kind, "buffer": data})
        self.state("ready")
        return self

    def settings(self, **values: Any) -> Visitor:
        """Set size, iterations or seed."""
        summary = self.page.get_by_text("Size, iterations and chance")
        if not self.page.locator("#size").is_visible():
            summary.click()
        for name, value in values.items():
            field = self.page.locator(f"#{name}")
            if name == "size":
                field.select_option(str(value))
            else:
                field.fill(str(value))
                field.blur()
        return self

    def paint(self) -> Visitor:
        """Press the button."""
        self.button("Paint").click()
        return self

    def hide(self, hidden: bool) -> Visitor:
        """Let the tab go into the background, or come back: headless browsers show all their tabs."""
        self.page.evaluate(HIDE, hidden)
        return self

    def hide_beyond(self, iteration: int) -> Visitor:
        """Let the tab go into the background as soon as a later iteration than this is shown, before the next comes."""
        self.page.evaluate(
            f"""iteration => new MutationObserver((_, watching) => {{
                if (!({SHOWN})(iteration)) return;
                watching.disconnect();
                ({HIDE})(true);
            }}).observe(document.querySelector("#progress"), {{ subtree: true, childList: true }})""",
            iteration,
        )
        return self

    # ---------------------------------------------------------------- watching

    def state(self, *states: str) -> Visitor:
        """Wait until the page is in one of these states."""
        expect(self.page.locator("body")).to_have_attribute("data-state", re.compile("|".join(states)), timeout=SECONDS)
        return self

    def been(self, *states: str) -> Visitor:
        """Wait until the page has been in one of these states, however briefly."""
        self.page.wait_for_function(
            "states => passed.states.some((each) => states.includes(each))", arg=list(states), timeout=SECONDS
        )
        return self

    def said(self, *sentences: str) -> Visitor:
        """Wait until the page has said what contains these, one after the other, however briefly."""
        self.page.wait_for_function(
            """wanted => {
                let at = 0;
                for (const words of passed.words) if (at < wanted.length && words.includes(wanted[at])) at++;
                return at === wanted.length;
            }""",
            arg=list(sentences),
            timeout=SECONDS,
        )
        return self

    def said_like(self, pattern: str) -> Visitor:
        """Wait until the page has said what this pattern is found in, however briefly."""
        self.page.wait_for_function(
            "pattern => passed.words.some((words) => RegExp(pattern).test(words))", arg=pattern, timeout=SECONDS
        )
        return self

    def press(self, button: str, then: str) -> Visitor:
        """Press a button, and wait until the page has been in this state since, however briefly."""
        before = self.page.evaluate("passed.states.length")
        self.button(button).click()
        self.page.wait_for_function(
            "([before, then]) => passed.states.indexOf(then, before) >= 0", arg=[before, then], timeout=SECONDS
        )
        return self

    def further(self, button: str, of: int) -> Visitor:
        """Press what has a finished painting painted further, and wait for its end, however soon that comes."""
        before = self.page.evaluate("passed.states.length")
        self.button(button).click()
        self.page.wait_for_function(
            """([before, of]) => passed.states.length > before + 1 && passed.states.at(-1) === 'finished'
                && document.querySelector('.facts dd').textContent === `${of} of ${of}`""",
            arg=[before, of],
            timeout=SECONDS,
        )
        return self

    def beyond(self, iteration: int) -> Visitor:
        """Wait until a later iteration than this has been shown by its painter, not by a sketch that stands in."""
        self.page.wait_for_function(SHOWN, arg=iteration, timeout=SECONDS)
        return self

    def framed(self, count: int) -> Visitor:
        """Wait until there are so many frames to look back at."""
        self.page.wait_for_function(
            "count => Number(document.querySelector('#timeline input').max) + 1 >= count", arg=count, timeout=SECONDS
        )
        return self

    @property
    def iteration(self) -> int:
        """The iteration that is told, counted as people do; 0 before the first."""
        return int((self.fact("Iteration").split(" ")[0]).replace("–", "0"))

    @property
    def of(self) -> int:
        """How many there will be."""
        return int(self.fact("Iteration").split(" ")[-1])

    def fact(self, name: str) -> str:
        """What is told of the painting under a name."""
        return self.page.locator(".facts div", has=self.page.locator("dt", has_text=name)).locator("dd").inner_text()

    @property
    def words(self) -> str:
        """What is going on, in words."""
        return self.page.locator("#progress .words").inner_text()

    @property
    def painting(self) -> str:
        """The id in the address."""
        self.page.wait_for_url(re.compile(r"[?]id="))
        return self.page.url.partition("?id=")[2]

    @property
    def refusal(self) -> Locator:
        """What was refused."""
        return self.page.locator("#refusal")

    def pixels(self) -> list[int]:
        """Some of the picture's pixels as they are on the page."""
        sampled: list[int] = self.page.evaluate(
            """() => {
                const canvas = document.querySelector("#picture");
                const small = new OffscreenCanvas(16, 16).getContext("2d");
                small.drawImage(canvas, 0, 0, 16, 16);
                return [...small.getImageData(0, 0, 16, 16).data];
            }"""
        )
        return sampled

    def button(self, name: str) -> Locator:
        """A button by its name."""
        return self.page.get_by_role("button", name=name, exact=True)


@contextmanager
def visiting(chromium: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """A visitor with a browser of their own: nothing is remembered from another's."""
    context = chromium.new_context(**options)
    context.set_default_timeout(SECONDS)
    try:
        visitor = Visitor(context.new_page(), url)
        yield visitor
        assert not visitor.faults, visitor.faults
    finally:
        context.close()
