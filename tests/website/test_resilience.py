"""What goes wrong, and what is done in haste: the page goes on, or says what to do, and the photo is never lost."""

from __future__ import annotations

import io
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.server.process import Server, serving
from tests.website import measures
from tests.website.visitor import Visitor, visiting

pytestmark = pytest.mark.slow

# What this device remembers of a painting.
ENTRY = """(id) => new Promise((resolve) => {
    indexedDB.open("visualneurons").onsuccess = ({ target }) => {
        const request = target.result.transaction("paintings").objectStore("paintings").get(id);
        request.onsuccess = () => resolve(request.result);
    };
})"""

FOCUSED = "document.activeElement.id || document.activeElement.textContent"


# -------------------------------------------------------------------- who paints


@pytest.mark.alone
def test_the_sketch_gives_way_to_a_studio_that_was_still_loading(chromium: Browser) -> None:
    with serving() as server, visiting(chromium, server.url) as visitor:
        visitor.open().sample().settings(size=384, iterations=60)
        visitor.page.evaluate(
            """() => {
                window.faded = false;
                new MutationObserver(() => {
                    window.faded ||= document.querySelector("#easel .last") !== null;
                }).observe(document.querySelector("#easel"), { childList: true });
            }"""
        )
        first = measures.first_stroke(visitor)
        assert first < 2000, (
            f"beside a server that loads its model the first stroke came {first:.0f} ms after the click"
        )
        expect(visitor.page.locator(".words")).to_contain_text("A sketch shows meanwhile")
        visitor.state("painting").state("finished")
        assert visitor.of == 60
        assert visitor.page.evaluate("window.faded")


def test_a_blend_is_steered(chromium: Browser, studio: Server) -> None:
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "PNG")
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=256, iterations=3000)
        visitor.button("Blend several").click()
        with visitor.page.expect_file_chooser() as chooser:
            visitor.button("Add your own").click()
        chooser.value.set_files({"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()})
        mine = visitor.page.get_by_role("group", name="Blend").get_by_label("mine")
        mine.fill("30")
        visitor.paint().state("painting").beyond(3)
        painting = visitor.painting
        # The studio numbers the artworks that are sent before those of its collection.
        assert studio.json(f"paintings/{painting}")["recipe"]["blend"] == [30, 70]
        mine.fill("90")
        studio.wait(lambda: studio.json(f"paintings/{painting}")["settings"]["blend"] == [90, 10])
        # What was steered is there again after a reload.
        visitor.page.wait_for_function(f"async (id) => (await ({ENTRY})(id))?.order.blend[1] === 90", arg=painting)
        visitor.page.reload()
        visitor.state("painting")
        expect(mine).to_have_value("90")
        expect(visitor.refusal).to_be_hidden()
        visitor.button("Finish now").click()
        visitor.state("finished")


# -------------------------------------------------------------------- in haste


def test_what_is_done_before_the_studio_knows_the_painting_waits_for_that(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=256, iterations=3000)
        visitor.page.evaluate(
            """() => {
                const press = (name) => [...document.querySelectorAll("button")]
                    .find((button) => button.textContent === name).click();
                press("Paint");
                press("Paint");
                press("Pause");
            }"""
        )
        visitor.state("paused")
        expect(visitor.refusal).to_be_hidden()
        assert studio.state(visitor.painting) == "paused"
        visitor.button("Resume").click()
        visitor.state("painting").beyond(10)
        visitor.button("Finish now").click()
        visitor.state("finished")


def test_going_back_while_it_is_paused(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor, visiting(chromium, studio.url) as guest:
        visitor.open().sample().settings(size=256, iterations=3000).paint().state("painting").beyond(30)
        guest.open(f"display?id={visitor.painting}").state("painting")
        visitor.button("Pause").click()
        visitor.state("paused")
        guest.state("paused")
        visitor.framed(2).page.get_by_label("Timeline").fill("0")
        back = visitor.page.get_by_label("Timeline").get_attribute("aria-valuetext")
        at = int(re.sub(r"\D*(\d+) of.*", r"\1", back or ""))
        visitor.button("Go on from here").click()
        expect(visitor.page.locator(".facts dd").first).to_have_text(f"{at} of 3000")
        visitor.state("paused")
        visitor.button("Resume").click()
        visitor.state("painting").beyond(at)
        visitor.button("Finish now").click()
        visitor.state("finished")
        guest.state("finished")


def test_quickly_back_and_forward(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=256, iterations=10).paint().state("finished")
        first = visitor.painting
        visitor.button("New painting").click()
        visitor.state("ready").paint().state("finished")
        assert visitor.painting != first
        visitor.page.evaluate("history.go(-2)")
        visitor.page.evaluate("history.forward()")
        visitor.page.evaluate("history.back()")
        visitor.page.wait_for_url(re.compile(first))
        visitor.state("finished")
        visitor.page.evaluate("history.forward()")
        visitor.page.wait_for_url(lambda url: "?" not in url)
        visitor.state("ready")
        assert visitor.button("Paint").is_enabled()


def test_the_focus_is_never_lost(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url, viewport={"width": 320, "height": 640}) as visitor:
        page, press = visitor.page, visitor.page.keyboard.press
        visitor.open().sample().settings(size=256, iterations=3000)
        visitor.button("Paint").focus()
        press("Enter")
        assert page.evaluate(FOCUSED) == "progress-title"
        expect(page.locator("#wall")).to_be_in_viewport()  # however far down the button is on a phone
        visitor.state("painting").beyond(3)
        for name, state, then in [("Pause", "paused", "Resume"), ("Resume", "painting", "Pause")]:
            visitor.button(name).focus()
            press("Enter")
            visitor.state(state)
            assert page.evaluate(FOCUSED) == then
        visitor.framed(3).button("Pause").click()
        page.get_by_label("Timeline").fill("1")
        visitor.button("Newest").focus()
        press("Enter")
        assert page.evaluate("document.activeElement.type") == "range"
        visitor.button("New painting").focus()
        press("Enter")
        visitor.state("ready")
        assert page.evaluate(FOCUSED) == "panel"


def test_a_number_that_is_wrong_is_seen_where_it_is(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(iterations="")
        visitor.page.get_by_text("Size, iterations and chance").click()
        expect(visitor.page.locator("#iterations")).to_be_hidden()
        visitor.button("Paint").click()
        expect(visitor.page.locator("#iterations")).to_be_focused()


# -------------------------------------------------------------------- what is gone


def test_a_killed_studio_is_waited_for_and_paints_again_what_it_has_lost(chromium: Browser, tmp_path: Path) -> None:
    unreachable = "cannot be reached"
    with visiting(chromium, "") as visitor:
        words = visitor.page.locator(".words")
        with serving(gallery=tmp_path / "kept") as server:
            visitor.url = server.loaded().url
            visitor.open().sample().settings(size=384, iterations=3000).paint().state("painting").beyond(20)
            painting, before = visitor.painting, visitor.iteration
            server.process.send_signal(signal.SIGKILL)
        expect(words).to_contain_text(unreachable)
        port = visitor.url.strip("/").rpartition(":")[2]
        with serving("--port", port, gallery=tmp_path / "kept") as server:
            server.wait(lambda: _painted(server, painting))
            visitor.state("painting").beyond(before)
            assert visitor.painting == painting
            server.process.send_signal(signal.SIGKILL)
        expect(words).to_contain_text(unreachable)
        visitor.page.get_by_label("Style").fill("1")
        visitor.page.get_by_label("Content").fill("1")
        with serving("--port", port, gallery=tmp_path / "empty") as server:
            server.wait(lambda: _painted(server, painting))
            visitor.state("painting")
            assert visitor.painting == painting
            assert visitor.of == 3000
            settings = server.json(f"paintings/{painting}")["settings"]
            assert (settings["style_weight"], settings["content_weight"]) == (2, 2)
            visitor.button("Finish now").click()
            visitor.state("finished")
            expect(visitor.refusal).to_be_hidden()
        visitor.faults.clear()  # the browser itself logs each connection that was refused


def test_what_the_studio_has_forgotten_is_kept_here(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=256, iterations=10).paint().state("finished")
        painting = visitor.painting
        visitor.page.wait_for_function(f"async (id) => Boolean((await ({ENTRY})(id))?.picture)", arg=painting)
        studio.delete(painting, visitor.page.evaluate(f"async (id) => (await ({ENTRY})(id)).key", painting))
        visitor.page.reload()
        visitor.settled()
        visitor.state("finished")
        expect(visitor.page.locator(".words")).to_have_text("Painted before, and kept on this device.")
        expect(visitor.refusal).to_be_hidden()
        with visitor.page.expect_download() as saving:
            visitor.button("Save picture").click()
        assert saving.value.suggested_filename.endswith(".png")


def test_a_page_that_is_hidden_at_once_takes_no_frames(chromium: Browser, studio: Server) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.open().sample().settings(size=256, iterations=3000)
        visitor.paint()
        visitor.hide(True)
        painting = visitor.painting
        studio.wait(lambda: _painted(studio, painting))
        studio.wait(lambda: studio.json("healthz")["viewers"] == 0)
        visitor.hide(False)
        visitor.state("painting").beyond(3)
        visitor.button("Finish now").click()
        visitor.state("finished")


def _painted(studio: Server, painting: str) -> bool:
    try:
        return bool(studio.json(f"paintings/{painting}")["iteration"] > 0)
    except OSError:
        return False


@pytest.mark.parametrize("lack", ["delete window.indexedDB", "window.WebSocket = class { constructor() { throw 0; } }"])
def test_a_browser_that_lacks_something(chromium: Browser, studio: Server, lack: str) -> None:
    with visiting(chromium, studio.url) as visitor:
        visitor.page.add_init_script(
            "Object.defineProperty(window, 'indexedDB', { value: undefined })" if "indexedDB" in lack else lack
        )
        visitor.open().sample().settings(size=256, iterations=20).paint()
        if "indexedDB" in lack:
            visitor.state("finished")
            visitor.button("Your paintings").click()
            expect(visitor.page.locator("#history")).to_contain_text("This browser keeps nothing")
        else:
            visitor.state("sketching")
            expect(visitor.page.locator(".words")).to_contain_text("cannot be reached. Trying again")


def test_a_part_of_the_page_that_is_missing_is_said(chromium: Browser, bare: str) -> None:
    with visiting(chromium, bare, service_workers="block") as visitor:
        visitor.page.route("**/settings.json", lambda route: route.abort())
        visitor.open()
        expect(visitor.refusal).to_contain_text("could not be loaded. Check that you are online, then reload it.")
        visitor.page.unroute("**/settings.json")
        visitor.page.route("**/artworks/night_sky.jpg", lambda route: route.abort())
        visitor.open().sample().settings(size=192, iterations=10).paint().state("error")
        expect(visitor.refusal).to_contain_text("could not be read. Check the network and try again")
        expect(visitor.page.locator(".words")).to_have_text("Nothing could be painted.")
        visitor.page.unroute("**/artworks/night_sky.jpg")
        visitor.button("Try again").click()
        assert visitor.page.evaluate(FOCUSED) == "progress-title"
        visitor.state("finished")
        visitor.faults.clear()


def test_a_sketch_that_goes_on_is_saved_and_restored(chromium: Browser, bare: str) -> None:
    with visiting(chromium, bare) as visitor:
        visitor.open().sample()
        visitor.page.get_by_role("listbox", name="Artwork").get_by_role("option").nth(2).click()
        artwork = visitor.page.locator("#choose-artwork strong").inner_text()
        visitor.settings(size=192, iterations=10).paint().state("finished")
        with visitor.page.expect_download() as saving:
            visitor.button("Save picture").click()
        saved = Path(saving.value.path()).read_bytes()
        # At once, so that it is painted for long enough.
        visitor.button("Paint 20 more").evaluate("button => { for (let time = 0; time < 100; time++) button.click(); }")
        visitor.state("sketching").beyond(11)
        visitor.button("Pause").click()
        with visitor.page.expect_download() as saving:
            visitor.button("Save picture").click()
        assert saving.value.suggested_filename.endswith(".jpg")
        expect(visitor.refusal).to_be_hidden()
        visitor.button("New painting").click()
        visitor.page.get_by_role("listbox", name="Artwork").get_by_role("option").first.click()
        _give_another(visitor, saved)
        expect(visitor.page.locator("#choose-artwork strong")).to_have_text(artwork)


def _give_another(visitor: Visitor, data: bytes) -> None:
    with visitor.page.expect_file_chooser() as chooser:
        visitor.button("Another photo").click()
    file: Any = {"name": "saved.png", "mimeType": "image/png", "buffer": data}
    chooser.value.set_files(file)
    expect(visitor.page.locator("#choose-photo")).to_contain_text("its settings are back")
