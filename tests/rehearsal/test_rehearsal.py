"""The whole journey: from the click to the end of the machine, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response

from model.pictures import recipe_in
from tests.rehearsal.under_way import SOON, UnderWay, under_way
from tests.website import measures
from tests.website.visitor import Visitor, visiting

PHASES = ["requested", "booting", "loading", "ready"]
SKETCHED, AT_ONCE = 1000.0, 3000.0  # milliseconds

pytestmark = pytest.mark.alone

# To be evaluated: `firstGenuine` is how long after the click the first frame came by a socket.
GENUINE = """() => {
    const open = window.WebSocket;
    document.querySelector("#paint").addEventListener("click", () => { window.clicked = performance.now(); });
    window.WebSocket = class extends open {
        constructor(...what) {
            super(...what);
            this.addEventListener("message", ({ data }) => {
                if (data instanceof Blob || data instanceof ArrayBuffer) {
                    window.firstGenuine ??= performance.now() - window.clicked;
                }
            });
        }
    };
}"""

# To be evaluated before the page's own: instead of each 2 seconds (EVERY in website/wire/launcher.js) it asks so often
# how far a studio is that it misses no phase, however short.
OFTEN = """{
    const later = window.setTimeout;
    window.setTimeout = (what, time, ...more) => later(what, time === 2000 ? 200 : time, ...more);
}"""


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[UnderWay]:
    # A second visitor finds the first one's studio, however long a busy machine takes to show them the page.
    with under_way(parameters={**SOON, "IdleStop": "15"}) as begun:
        yield begun


class Told:
    """What the launcher tells a page, and where its sockets lead."""

    def __init__(self, page: Page) -> None:
        self.phases: list[str] = []
        self.studios: set[str] = set()
        self.sockets: list[str] = []
        self.pictures: list[str] = []
        page.on("response", self._hear)
        page.on("websocket", lambda socket: self.sockets.append(socket.url))

    def _hear(self, response: Response) -> None:
        if "/gallery/" in response.url and response.ok:
            self.pictures.append(response.url)
        if "/api/" in response.url and response.status in (200, 202):
            said = response.json()
            self.studios.add(said["id"])
            if self.phases[-1:] != [said["state"]]:
                self.phases.append(said["state"])


def ordered(visitor: Visitor) -> Told:
    """Go there, and have all ready for a click; what the launcher will tell."""
    told = Told(visitor.page)
    visitor.open().sample().settings(size=256, iterations=60)
    return told


def first_stroke(chromium: Browser, rehearsal: UnderWay) -> float:
    """How many milliseconds another visitor waits for the sketch."""
    with visiting(chromium, rehearsal.url) as visitor:
        ordered(visitor)
        return measures.first_stroke(visitor)


def first_frame(chromium: Browser, rehearsal: UnderWay, studios: set[str]) -> float:
    """How many milliseconds another visitor waits for the first frame of one of these studios."""
    with visiting(chromium, rehearsal.url) as visitor:
        told = ordered(visitor)
        visitor.page.evaluate(GENUINE)
        visitor.paint()
        milliseconds: float = visitor.page.wait_for_function("() => window.firstGenuine", timeout=30_000).json_value()
        visitor.state("finished")
    assert told.studios == studios
    return milliseconds


def test_from_the_click_to_the_end_of_the_machine(chromium: Browser, rehearsal: UnderWay) -> None:
    assert not rehearsal.alive()
    with visiting(chromium, rehearsal.url) as visitor:
        visitor.page.add_init_script(OFTEN)
        told = ordered(visitor)
        stroke = measures.first_stroke(visitor)
        if stroke > SKETCHED:
            stroke = measures.best(lambda: first_stroke(chromium, rehearsal), SKETCHED)
        assert stroke < SKETCHED, f"the sketch began after {stroke:.0f} ms"
        visitor.state("finished")
        assert visitor.iteration == visitor.of == 60
        assert told.phases[-1] == "ready"
        assert [PHASES.index(each) for each in told.phases] == sorted({PHASES.index(each) for each in told.phases})
        assert len(told.phases) >= 3, told.phases
        assert all(f"{rehearsal.url}ws/styletransfer?".replace("http", "ws") in each for each in told.sockets)
        assert recipe_in(measures.saved(visitor))["iterations"] == 60
        painting = visitor.painting
        assert any(f"/{painting}/" in each for each in told.pictures), f"not from the gallery: {told.pictures}"

    machines = rehearsal.alive()
    waited = measures.best(lambda: first_frame(chromium, rehearsal, told.studios), AT_ONCE)
    assert waited < AT_ONCE, f"the studio's first frame came after {waited:.0f} ms"
    assert rehearsal.alive() == machines

    rehearsal.over()
    assert rehearsal.phases() == dict.fromkeys(told.studios, "ended")
    assert "picture" in rehearsal.kept()[painting]
