"""The sketch: a painter in a worker of the page, which speaks the studio's words, and is quick."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Error, Page

from model.pictures import Picture, read
from model.recipe import Recipe
from model.style_transfer import StyleTransfer
from tests.judge import judge

WEBSITE = Path(__file__).resolve().parents[2] / "website"
PHOTO, ARTWORK = "samples/golden_hour.jpg", "artworks/night_sky.jpg"
SECONDS = 60_000

pytestmark = pytest.mark.slow

# What is told is kept in `told`, with when it came and its picture; `paint` orders, and does with it what is in `next`;
# `act` does anything else.
OPEN = """async () => {
    const { Sketch } = await import("/sketch/sketch.js");
    const open = async (url) => createImageBitmap(await (await fetch(url)).blob());
    Object.assign(window, { told: [], next: [], open, sketch: new Sketch(), began: 0, longest: 0 });
    sketch.addEventListener("told", ({ detail: { state, data, image } }) => {
        told.push({ state, data, image, after: performance.now() - began });
    });
    window.act = (action, data) => sketch.act(action, data);
    window.paint = async ({ photo, artworks, ...settings }) => {
        const pictures = { photo: await open(photo), artworks: await Promise.all(artworks.map(open)) };
        told.length = 0;
        began = performance.now();
        act("request_image", { ...pictures, ...settings });
        for (const [action, data] of next.splice(0)) act(action, data);
    };
    window.encoded = (blob) => new Promise((done) => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result);
        reader.readAsDataURL(blob);
    });
    new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    }).observe({ type: "longtask" });
}"""


class Tab:
    """An empty page with a sketch."""

    def __init__(self, page: Page, bare: str) -> None:
        blank = "<!doctype html><title></title>"
        page.route("**/blank", lambda route: route.fulfill(body=blank, content_type="text/html"))
        page.goto(f"{bare}blank")
        page.evaluate(OPEN)
        self.page = page

    def paint(self, **settings: Any) -> None:
        """Order a painting, by default a small one."""
        order = {"photo": PHOTO, "artworks": [ARTWORK], "size": 96, "iterations": 16} | settings
        self.page.evaluate("paint", order)

    def act(self, action: str, **data: Any) -> None:
        self.page.evaluate("([action, data]) => act(action, data)", [action, data or None])

    def at_once(self, action: str, **data: Any) -> None:
        """Act in one breath with the next order: it is heard after the first iteration, however quick the painting."""
        self.page.evaluate("(both) => next.push(both)", [action, data or None])

    def upon(self, iteration: int, action: str, **data: Any) -> None:
        """Act as soon as this iteration of what is painted next is told: it waits for nobody, so be it long."""
        self.page.evaluate(
            """([least, action, data]) => sketch.addEventListener("told", function hear({ detail }) {
                if (detail.state !== "end_iteration" || detail.data.iteration < least) return;
                sketch.removeEventListener("told", hear);
                act(action, data);
            })""",
            [iteration, action, data or None],
        )

    def wait(self, state: str, **fields: Any) -> dict[str, Any]:
        """What is told with this state, and at least these fields, once it is."""
        found = """([wanted, fields]) => told.find(({ state, data }) => state === wanted
            && Object.entries(fields).every(([name, least]) => data[name] >= least))?.data"""
        data: dict[str, Any] = self.page.wait_for_function(found, arg=[state, fields], timeout=SECONDS).json_value()
        return data

    def forget(self) -> None:
        """Forget what was told, once the sketch knows that it was taken."""
        self.page.evaluate("() => new Promise(requestAnimationFrame).then(() => { told.length = 0; })")

    @property
    def frames(self) -> list[dict[str, Any]]:
        frames: list[dict[str, Any]] = self.page.evaluate(
            """() => told.filter(({ state }) => state === "end_iteration")
                .map(({ data, image, after }) => ({ ...data, after, type: image.type }))"""
        )
        return frames

    @property
    def states(self) -> list[str]:
        states: list[str] = self.page.evaluate("() => told.map(({ state }) => state)")
        return states

    def picture(self) -> Picture:
        """The last picture told."""
        url = self.page.evaluate("() => encoded(told.findLast(({ image }) => image).image)")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB"))


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    yield page
    page.close()


@pytest.fixture
def tab(page: Page, bare: str) -> Iterator[Tab]:
    """A tab that begins anew: with its page, the sketch of the test before is gone."""
    faults: list[str] = []

    def complain(error: Error) -> None:
        faults.append(str(error))

    page.on("pageerror", complain)
    yield Tab(page, bare)
    page.remove_listener("pageerror", complain)
    assert faults == []


@pytest.mark.alone
@pytest.mark.parametrize(("photo", "artwork"), [(PHOTO, ARTWORK), (PHOTO, "artworks/thick_oil.jpg")])
def test_it_paints_well_and_soon(tab: Tab, photo: str, artwork: str) -> None:
    firsts = []
    for _ in range(4):
        tab.paint(photo=photo, artworks=[artwork], size=256, iterations=80)
        tab.wait("end_iteration")
        firsts.append(tab.frames[0]["after"])
    tab.wait("end")
    cold, warm, whole = firsts[0], min(firsts[1:]), tab.frames[-1]["after"]
    told = f"first {cold:.0f} ms cold, {warm:.0f} ms warm; all {whole:.0f} ms"
    judged = judge(tab.picture(), read(WEBSITE / photo), read(WEBSITE / artwork))
    print(told, judged)
    assert judged.style >= 0.8
    assert judged.content >= 0.7
    assert judged.speckle <= 1.5
    assert cold < 1000, told
    assert warm < 600, told
    assert whole < 20_000, told
    assert tab.page.evaluate("longest") < 100, "the page was never kept from anything else"


def test_it_shows_what_it_paints_from_coarse_to_fine(tab: Tab) -> None:
    tab.page.evaluate("() => { requestAnimationFrame = (take) => setTimeout(take); }")  # as on a quick screen
    tab.paint(size=256, iterations=40)
    end = tab.wait("end")
    frames = tab.frames
    assert [frame["iteration"] for frame in frames] == sorted({frame["iteration"] for frame in frames})
    assert len(frames) >= 10
    sizes = [(frame["scale"], frame["width"], frame["height"]) for frame in frames]
    assert sorted(set(sizes)) == [(0, 64, 43), (1, 128, 86), (2, 256, 171)]
    assert sizes == sorted(sizes)
    for frame in frames:
        assert frame["scales"] == 3
        assert frame["of"] == 40
        assert set(frame["losses"]) == {"total", "style", "content", "variation"}
        assert frame["eta"] >= 0
    progress = [frame["progress"] for frame in frames]
    assert progress == sorted(progress)
    assert {frame["type"] for frame in frames[:-1]} == {"image/jpeg"}
    assert {frame["format"] for frame in frames[:-1]} == {"jpeg"}
    last = frames[-1]
    assert (last["iteration"], last["progress"], last["format"], last["type"]) == (39, 100, "png", "image/png")
    assert tab.picture().shape == (171, 256, 3)
    assert end["iterations"] == 40
    assert end["elapsed"] > 0
    assert tab.states[-1] == "end"


def test_a_page_that_takes_no_frame_gets_two_and_the_last(tab: Tab) -> None:
    got = tab.page.evaluate(
        """async ([photo, artwork]) => {
            const worker = new Worker("/sketch/worker.js", { type: "module" });
            const data = { photo: await open(photo), artworks: [await open(artwork)], size: 96, iterations: 16 };
            const got = [];
            await new Promise((done) => {
                worker.onmessage = ({ data: { state, data } }) => state === "end" ? done() : got.push(data.iteration);
                worker.postMessage({ turn: 1, action: "request_image", data });
            });
            worker.terminate();
            return got;
        }""",
        [PHOTO, ARTWORK],
    )
    assert len(got) == 3
    assert got[-1] == 15


@pytest.mark.alone
def test_a_pause_is_felt_at_once_and_what_follows_is_the_same(tab: Tab) -> None:
    tab.paint(iterations=80)
    tab.wait("end")
    whole = tab.picture()
    tab.upon(2, "pause")
    tab.paint(iterations=80)
    paused = tab.wait("paused")
    tab.wait("end_iteration", iteration=paused["iteration"])
    tab.page.wait_for_timeout(300)
    assert max(frame["iteration"] for frame in tab.frames) == paused["iteration"] < 79
    tab.act("resume")
    tab.wait("end")
    assert (tab.picture() == whole).all()


def test_steering_counts_from_the_next_iteration_and_is_in_the_recipe(tab: Tab) -> None:
    tab.at_once("steer", style_weight=2.5, keep_colors=True, blend=[0, 1])
    tab.paint(artworks=[ARTWORK, "artworks/thick_oil.jpg"])
    recipe = tab.wait("end")["recipe"]
    (change,) = recipe["changes"]
    assert change["settings"] == {"style_weight": 2.5, "keep_colors": True, "blend": [0, 1]}
    assert change["iteration"] == 1
    # It is a recipe that Python paints the same by.
    content, styles = read(WEBSITE / PHOTO), [read(WEBSITE / ARTWORK), read(WEBSITE / "artworks" / "thick_oil.jpg")]
    *_, last = StyleTransfer("patches").paint(content, styles, Recipe.from_dict(recipe))
    told = tab.frames[-1]["losses"]
    assert {name: told[name] for name in last.losses} == pytest.approx(last.losses, rel=0.05)
    assert np.abs(last.picture.astype(int) - tab.picture()).mean() < 12


def test_finishing_keeps_the_picture_as_it_is_in_full_size(tab: Tab) -> None:
    tab.upon(1, "finish")
    tab.paint(size=256, iterations=400)
    end = tab.wait("end")
    last = tab.frames[-1]
    assert end["iterations"] == last["iteration"] + 1 < 400
    assert (last["width"], last["height"], last["format"]) == (256, 171, "png")
    assert tab.picture().shape == (171, 256, 3)


def test_a_paused_painting_can_be_finished_and_a_finished_one_painted_further(tab: Tab) -> None:
    tab.upon(1, "pause")
    tab.paint(iterations=2000)
    iteration = tab.wait("paused")["iteration"]
    tab.act("finish")
    assert tab.wait("end")["iterations"] == iteration + 1
    tab.forget()
    tab.act("more", iterations=2)
    assert tab.wait("end")["iterations"] == iteration + 3
    tab.forget()
    tab.act("more", iterations=20)
    assert tab.wait("end")["iterations"] == iteration + 23
    assert tab.frames[-1]["of"] == iteration + 23
    assert tab.picture().shape == (64, 96, 3)


def test_more_can_be_asked_for_while_it_paints(tab: Tab) -> None:
    tab.at_once("more", iterations=3)
    tab.paint()
    assert tab.wait("end")["iterations"] == 19


def test_going_back_shows_that_moment_and_paints_the_same_again(tab: Tab) -> None:
    tab.paint()
    tab.wait("end")
    whole = tab.picture()
    tab.forget()
    tab.act("rewind", iteration=6)
    assert tab.wait("end")["iterations"] == 16
    assert tab.frames[0]["iteration"] == 6
    assert (tab.picture() == whole).all()


def test_going_back_keeps_the_settings_of_now(tab: Tab) -> None:
    tab.paint()
    tab.wait("end")
    tab.act("steer", style_weight=3)
    tab.forget()
    tab.act("rewind", iteration=4)
    changes = tab.wait("end")["recipe"]["changes"]
    assert changes == [{"iteration": 5, "settings": {"style_weight": 3}}]


def test_going_back_while_paused_stays_paused(tab: Tab) -> None:
    tab.upon(5, "pause")
    tab.paint(iterations=2000)
    tab.wait("paused")
    tab.forget()
    tab.act("rewind", iteration=1)
    tab.page.wait_for_function("told.some(({ state, data }) => state === 'end_iteration' && data.iteration === 1)")
    tab.page.wait_for_timeout(200)
    assert [frame["iteration"] for frame in tab.frames][-1] == 1
    tab.forget()
    tab.act("resume")
    tab.wait("end_iteration", iteration=3)


def test_a_new_request_takes_the_place_of_the_painting(tab: Tab) -> None:
    tab.paint(size=256, iterations=400)
    tab.wait("end_iteration", iteration=1)
    tab.paint()
    assert tab.wait("end")["iterations"] == 16
    assert {frame["of"] for frame in tab.frames} == {16}


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"artworks": []}, "artwork_missing"),
        ({"artworks": [ARTWORK] * 9}, "artworks_many"),
        ({"size": 5}, "setting_invalid"),
        ({"iterations": 1.5}, "setting_invalid"),
        ({"style_weight": "much"}, "setting_invalid"),
        ({"blend": [1, 2]}, "recipe_invalid"),
        ({"blend": [0]}, "recipe_invalid"),
        ({"blend": "half"}, "setting_invalid"),
        ({"keep_colors": 1}, "setting_invalid"),
    ],
)
def test_what_cannot_be_painted_is_refused_with_a_sentence(tab: Tab, settings: dict[str, Any], code: str) -> None:
    tab.paint(**settings)
    error = tab.wait("error")
    assert error["code"] == code
    assert error["message"].endswith(".")
    assert error["hint"].endswith(".")
    tab.paint()
    tab.wait("end_iteration")


@pytest.mark.parametrize("photo", ["null", "'photo.jpg'", "new ImageData(2, 9)", "new ImageData(210, 10)", "() => 1"])
def test_garbage_is_refused(tab: Tab, photo: str) -> None:
    artwork = f"await open({ARTWORK!r})"
    tab.page.evaluate(f"async () => act('request_image', {{ photo: {photo}, artworks: [{artwork}] }})")
    assert tab.wait("error")["code"] in ("picture_unreadable", "picture_too_small", "picture_too_narrow")
    tab.page.evaluate(f"async () => {{ told.length = 0; act('request_image', {photo}); }}")
    assert tab.wait("error")["code"] in ("artwork_missing", "picture_unreadable")


def test_a_refused_action_changes_nothing(tab: Tab) -> None:
    tab.paint(iterations=10_000)
    for action, data, code in [
        ("dance", {}, "action_unknown"),
        ("resume", {}, "move_illegal"),
        ("steer", {"size": 12}, "change_invalid"),
        ("steer", {"style_weight": -1}, "setting_invalid"),
        ("steer", {"blend": [1, 2, 3]}, "recipe_invalid"),
        ("more", {"iterations": 0}, "setting_invalid"),
        ("more", {"iterations": 9_999}, "iterations_many"),
        ("rewind", {"iteration": 9_000}, "move_illegal"),
        ("rewind", {}, "setting_invalid"),
    ]:
        tab.forget()
        tab.wait("end_iteration", iteration=1)
        tab.act(action, **data)
        assert tab.wait("error")["code"] == code
    tab.act("finish")
    end = tab.wait("end")
    assert 2 < end["iterations"] < 10_000
    changes = end["recipe"]["changes"]
    assert [each["settings"] for each in changes] == [{"stop": True}]


def test_nothing_can_be_done_before_there_is_a_painting(tab: Tab) -> None:
    tab.act("pause")
    assert tab.wait("error")["code"] == "move_illegal"


def test_a_program_that_cannot_be_loaded_is_told_and_tried_again(tab: Tab) -> None:
    tab.page.evaluate("() => sketch.close()")
    tab.page.route("**/sketch/flow.js", lambda route: route.abort())
    tab.paint()
    assert tab.wait("error")["code"] == "sketch_broken"
    tab.page.unroute("**/sketch/flow.js")
    tab.paint()
    tab.wait("end")
