"""Choosing artworks and a photo, in a real browser: the page's skeleton with nothing but the choice in it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from model import pictures
from tests import browser

WEBSITE = Path(__file__).resolve().parents[2] / "website"
ARTWORKS = json.loads((WEBSITE / "artworks" / "artworks.json").read_text(encoding="utf-8"))
NAMES = [entry["file"].rpartition(".")[0] for entry in ARTWORKS]

MAIN = """
import { Choice } from "./choose/choice.js";
import { byId } from "./html.js";

const choice = new Choice({
  drop: byId("drop"), artworks: byId("choose-artwork"), blend: byId("blend"), photo: byId("choose-photo"),
  camera: byId("camera"),
});
const heard = [];
for (const name of ["change", "blend", "recipe", "refused"]) {
  choice.addEventListener(name, ({ detail }) => {
    byId("drop").hidden = choice.photo !== null;
    heard.push({ name, detail });
  });
}
Object.assign(window, {
  choice,
  heard,
  photo: async () => {
    const { blob, title, width, height } = choice.photo;
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    return { title, width, height, type: blob.type, bytes: btoa(text) };
  },
  files: (given) =>
    given.map(({ name, type, bytes }) =>
      new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name, { type })),
});
await choice.begin();
document.body.removeAttribute("aria-busy");
"""

DRAG = """([place, what, given]) => {
  const transfer = new DataTransfer();
  for (const file of files(given)) transfer.items.add(file);
  const event = new DragEvent(what, { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.querySelector(place).dispatchEvent(event);
  return event.defaultPrevented;
}"""

PASTE = """([place, given]) => {
  const transfer = new DataTransfer();
  for (const file of files(given)) transfer.items.add(file);
  const event = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
  document.querySelector(place).dispatchEvent(event);
}"""


def begun(page: Page, address: str) -> Page:
    """The page with the choice in place of its own program, once everything can be chosen."""
    page.route("**/main.js", lambda route: route.fulfill(content_type="text/javascript", body=MAIN))
    page.goto(address)
    expect(page.locator("body:not([aria-busy])")).to_be_attached()
    return page


@pytest.fixture
def page(chromium: Browser, bare: str) -> Iterator[Page]:
    """A page that must not complain."""
    complaints: list[str] = []
    page = chromium.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield begun(page, bare)
    page.close()
    assert complaints == []


def picture(width: int = 320, height: int = 200, format: str = "JPEG", mode: str = "RGB", **how: Any) -> bytes:
    """A smooth picture: every colour of it is somewhere else."""
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    channels = np.stack([across, down, 255 - across, np.clip(down * 2, 0, 255)], axis=2).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(channels[..., : len(mode)]).save(out, format, **how)
    return out.getvalue()


def file(name: str, data: bytes, type: str = "image/jpeg") -> dict[str, Any]:
    """A file as the page's `files` takes it."""
    return {"name": name, "type": type, "bytes": base64.b64encode(data).decode()}


def pick(page: Page, name: str, data: bytes, type: str = "image/jpeg") -> None:
    page.locator("#choose-photo input[type=file]").set_input_files({"name": name, "mimeType": type, "buffer": data})


def chosen(page: Page, title: str) -> tuple[dict[str, Any], Image.Image]:
    """The photo, once the one with this title is it: what is known of it, and its pixels."""
    expect(page.locator("#choose-photo strong")).to_have_text(title)
    photo: dict[str, Any] = page.evaluate("photo()")
    photo["bytes"] = base64.b64decode(photo["bytes"])
    image = Image.open(io.BytesIO(photo["bytes"]))
    assert image.size == (photo["width"], photo["height"])
    return photo, image


def refusal(page: Page) -> dict[str, str]:
    """The newest refusal, once there is one."""
    page.wait_for_function("heard.some(({ name }) => name === 'refused')")
    told: dict[str, str] = page.evaluate("heard.findLast(({ name }) => name === 'refused').detail")
    assert told["message"].endswith(".")
    assert told["hint"].endswith(".")
    return told


def heard(page: Page) -> list[str]:
    """What was told since this was asked last."""
    return [event["name"] for event in page.evaluate("heard.splice(0)")]


def names(page: Page) -> list[str]:
    chosen: list[str] = page.evaluate("choice.artworks.map(({ name }) => name)")
    return chosen


# ---------------------------------------------------------------- ways to give a photo


def test_it_begins_with_an_invitation_and_an_artwork(page: Page) -> None:
    expect(page.locator("#drop").get_by_role("heading")).to_have_text("Your photo goes here")
    assert page.evaluate("choice.photo") is None
    assert names(page) == NAMES[:1]
    assert page.evaluate("choice.blend") == []
    options = page.get_by_role("listbox", name="Artwork").get_by_role("option")
    expect(options).to_have_count(len(ARTWORKS))
    expect(options.first).to_have_accessible_name(ARTWORKS[0]["title"])
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(page.locator("#choose-artwork")).to_contain_text(f"{ARTWORKS[0]['manner']}, {ARTWORKS[0]['year']}")
    assert heard(page) == ["change"]


def test_a_photo_is_picked(page: Page) -> None:
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Choose a photo").click()
    assert not choosing.value.is_multiple()
    choosing.value.set_files({"name": "my_holiday.jpg", "mimeType": "image/jpeg", "buffer": picture()})
    photo, _ = chosen(page, "my holiday")
    assert (photo["width"], photo["height"]) == (320, 200)
    expect(page.locator("#choose-photo")).to_contain_text("320 × 200 pixels")
    expect(page.locator("#choose-photo").get_by_role("status")).to_have_text("“my holiday” is chosen.")
    expect(page.get_by_role("button", name="Another photo")).to_be_focused()
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Another photo").click()
    choosing.value.set_files({"name": "another.png", "mimeType": "image/png", "buffer": picture(format="PNG")})
    chosen(page, "another")


def test_a_photo_is_dropped_anywhere(page: Page) -> None:
    given = [file("dropped.jpg", picture())]
    sign = page.locator(".dropping")
    assert page.evaluate(DRAG, ["footer", "dragover", given])
    expect(sign).to_have_text("Drop it to paint it")
    page.evaluate(DRAG, ["footer", "dragleave", given])
    expect(sign).to_be_hidden()
    page.evaluate(DRAG, ["footer", "dragover", given])
    assert page.evaluate(DRAG, ["footer", "drop", given])
    expect(sign).to_be_hidden()
    chosen(page, "dropped")


def test_of_several_that_are_dropped_the_first_picture_is_taken(page: Page) -> None:
    given = [
        file("notes.txt", b"no picture", "text/plain"),
        file("one.jpg", picture()),
        file("two.jpg", picture()),
    ]
    page.evaluate(DRAG, ["body", "drop", given])
    chosen(page, "one")
    expect(page.locator("#choose-photo").get_by_role("status")).to_contain_text("It is the first of 3 files")


def test_what_is_no_file_is_refused_rather_than_followed(page: Page) -> None:
    prevented = page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.setData("text/uri-list", "https://example.org/picture.jpg");
          const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
          document.body.dispatchEvent(event);
          return event.defaultPrevented;
        }"""
    )
    assert prevented
    assert refusal(page)["message"] == "What was dropped is not a file."


def test_a_photo_is_pasted_but_not_while_one_types(page: Page) -> None:
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), { id: 'typing' }))")
    given = [file("image.png", picture(format="PNG"), "image/png")]
    page.evaluate(PASTE, ["#typing", given])
    page.evaluate(PASTE, ["body", given])
    chosen(page, "Pasted picture")
    assert heard(page) == ["change", "change"]
    page.evaluate(PASTE, ["#typing", []])
    assert heard(page) == []
    page.evaluate(PASTE, ["body", []])
    assert refusal(page)["message"] == "The clipboard holds no picture."


def test_a_sample_is_taken_as_it_is(page: Page) -> None:
    sample = json.loads((WEBSITE / "samples" / "samples.json").read_text(encoding="utf-8"))[0]
    page.get_by_role("group", name="Sample photos").get_by_role("button", name=sample["title"]).click()
    photo, _ = chosen(page, sample["title"])
    assert photo["bytes"] == (WEBSITE / "samples" / sample["file"]).read_bytes()


def test_the_last_photo_counts_however_long_it_takes_to_read(page: Page) -> None:
    page.evaluate(
        """async (given) => {
          const [large, small] = files(given);
          await Promise.all([choice.picked(large, "large"), choice.picked(small, "small")]);
        }""",
        [file("large.jpg", picture(3000, 2000)), file("small.jpg", picture(32, 32))],
    )
    chosen(page, "small")
    assert heard(page) == ["change", "change"]


# ---------------------------------------------------------------- the camera


@pytest.fixture(scope="module")
def watched(chromium: Browser, executable: str) -> Iterator[Browser]:
    """A browser with a camera: Chromium's own, which films a test pattern."""
    flags = [*browser.FLAGS, "--use-fake-device-for-media-stream=device-count=2"]
    running = chromium.browser_type.launch(executable_path=executable, args=flags)
    yield running
    running.close()


def test_the_camera_is_asked_for_on_a_click_and_let_go_afterwards(watched: Browser, bare: str) -> None:
    context = watched.new_context(permissions=["camera"])
    page = context.new_page()
    page.add_init_script(
        """window.streams = [];
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (...how) => {
          const stream = await open(...how);
          streams.push(stream);
          return stream;
        };"""
    )
    begun(page, bare)
    live = "streams.filter((stream) => stream.active).length"
    assert page.evaluate("streams.length") == 0
    page.get_by_role("button", name="Use the camera").click()
    dialog = page.get_by_role("dialog", name="Camera")
    expect(dialog.get_by_role("button", name="Take the photo")).to_be_enabled()
    dialog.get_by_role("button", name="Other camera").click()
    page.wait_for_function("streams.length === 2")
    assert page.evaluate(live) == 1
    devices = page.evaluate("streams.map((stream) => stream.getVideoTracks()[0].getSettings().deviceId)")
    assert devices[0] != devices[1]
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.wait_for_function(f"{live} === 0")
    assert page.evaluate("choice.photo") is None

    page.get_by_role("button", name="Use the camera").click()
    dialog.get_by_role("button", name="Take the photo").click()
    expect(dialog).to_be_hidden()
    page.wait_for_function(f"{live} === 0")
    photo, image = chosen(page, "From the camera")
    assert photo["type"] == "image/jpeg"
    assert np.asarray(image).std() > 10
    context.close()


def test_a_camera_that_is_not_allowed_is_said(watched: Browser, bare: str) -> None:
    context = watched.new_context()
    page = begun(context.new_page(), bare)
    page.get_by_role("button", name="Use the camera").click()
    assert refusal(page)["message"] == "The camera is not allowed on this page."
    expect(page.get_by_role("dialog", name="Camera")).to_be_hidden()
    context.close()


def test_a_machine_without_a_camera_is_said(chromium: Browser, bare: str) -> None:
    context = chromium.new_context(permissions=["camera"])
    page = begun(context.new_page(), bare)
    page.get_by_role("button", name="Use the camera").click()
    assert refusal(page)["message"] == "No camera was found."
    context.close()


def test_without_tls_the_device_takes_the_photo(chromium: Browser, bare: str) -> None:
    page = begun(chromium.new_page(), bare.replace("127.0.0.1", "0.0.0.0"))
    assert not page.evaluate("isSecureContext")
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Use the camera").click()
    assert choosing.value.element.get_attribute("capture") == "environment"
    choosing.value.set_files({"name": "1.jpg", "mimeType": "image/jpeg", "buffer": picture()})
    chosen(page, "1")
    page.close()


# ---------------------------------------------------------------- what is sent


@pytest.mark.slow
def test_a_large_photo_is_made_smaller(page: Page) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (4000, 6000, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG", quality=60)
    pick(page, "noise.jpg", out.getvalue())
    photo, image = chosen(page, "noise")
    assert (photo["width"], photo["height"]) == (2048, 1365)
    assert photo["type"] == "image/jpeg"
    assert len(photo["bytes"]) < 2_500_000
    # Each pixel is the mean of those that it stands for: of noise little is left, and its mean is.
    assert np.asarray(image).mean() == pytest.approx(noise.mean(), abs=2)
    assert np.asarray(image).std() < 0.62 * noise.std()


def test_a_photo_is_upright_whichever_way_the_camera_was_held(page: Page) -> None:
    seen = np.asarray(Image.open(io.BytesIO(picture(120, 80)))).astype(int)
    turns = {
        1: [], 2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM], 5: [Image.Transpose.TRANSPOSE], 6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE], 8: [Image.Transpose.ROTATE_270],
    }  # fmt: skip
    for orientation, turn in turns.items():
        stored = Image.open(io.BytesIO(picture(120, 80, "PNG")))
        for each in turn:
            stored = stored.transpose(each)
        exif = Image.Exif()
        exif[0x0112] = orientation
        out = io.BytesIO()
        stored.save(out, "JPEG", exif=exif, quality=95)
        pick(page, f"held {orientation}.jpg", out.getvalue())
        _, image = chosen(page, f"held {orientation}")
        assert image.size == (120, 80), orientation
        assert np.abs(np.asarray(image).astype(int) - seen).mean() < 4, orientation


def test_where_a_photo_was_taken_is_not_sent(page: Page) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 30.0)
    pick(page, "located.jpg", picture(exif=exif, xmp=b"<x:xmpmeta>at home</x:xmpmeta>"))
    photo, image = chosen(page, "located")
    assert not image.getexif()
    assert b"Exif" not in photo["bytes"]
    assert b"at home" not in photo["bytes"]


def test_a_small_file_is_sent_as_it_is(page: Page) -> None:
    for format in ("JPEG", "PNG"):
        data = picture(format=format)
        pick(page, f"{format}.x", data, f"image/{format.lower()}")
        assert chosen(page, format)[0]["bytes"] == data


def test_what_is_clear_stays_clear(page: Page) -> None:
    pick(page, "clear.png", picture(3000, 1500, "PNG", "RGBA"), "image/png")
    photo, image = chosen(page, "clear")
    assert (photo["type"], image.mode, image.size) == ("image/png", "RGBA", (2048, 1024))
    pick(page, "full.png", picture(3000, 1500, "PNG"), "image/png")
    assert chosen(page, "full")[0]["type"] == "image/jpeg"
    pick(page, "moving.gif", picture(64, 64, "GIF"), "image/gif")
    assert chosen(page, "moving")[0]["type"] == "image/jpeg"
    pick(page, "modern.webp", picture(64, 64, "WEBP"), "image/webp")
    assert chosen(page, "modern")[0]["type"] == "image/jpeg"


REFUSED = [
    ("notes.txt", b"Dear diary", "“notes.txt” is not a picture."),
    ("empty.jpg", b"", "The picture is empty: it has 0 bytes."),
    ("drawing.svg", b"<svg/>", "“drawing.svg” is an SVG drawing, which has no pixels."),
    ("a.heic", b"\0\0\0\x18ftypheic", "“a.heic” is an HEIC photo, which this browser cannot open."),
    ("scan.tif", picture(format="TIFF"), "“scan.tif” is a TIFF picture, which this browser cannot open."),
    ("cut.png", picture(format="PNG")[:60], "“cut.png” is a damaged PNG picture."),
    ("tiny.png", picture(40, 12, "PNG"), "The picture has 40 × 12 pixels, less than 16 on a side."),
    ("strip.png", picture(800, 20, "PNG"), "The picture has 800 × 20 pixels, which is narrower than 1:20."),
]


def test_what_cannot_be_painted_is_refused_and_the_photo_stays(page: Page) -> None:
    pick(page, "good.jpg", picture())
    chosen(page, "good")
    for name, data, message in REFUSED:
        page.evaluate("heard.splice(0)")
        pick(page, name, data, "image/whatever")
        assert refusal(page)["message"] == message
        assert heard(page) == ["refused"]
        chosen(page, "good")


# ---------------------------------------------------------------- artworks


def test_artworks_are_picked_by_keys(page: Page) -> None:
    listbox = page.get_by_role("listbox", name="Artwork")
    tops = page.evaluate("Array.from(document.querySelectorAll('[role=option]'), (option) => option.offsetTop)")
    columns = tops.count(tops[0])
    last = len(NAMES) - 1
    assert 1 < columns < len(NAMES)
    listbox.focus()
    for keys, place in [
        ("ArrowRight", 1), ("ArrowDown", 1 + columns), ("ArrowLeft", columns), ("ArrowUp", 0), ("ArrowLeft", 0),
        ("ArrowUp", 0), ("End", last), ("ArrowRight", last), ("ArrowDown", last), ("Home", 0),
    ]:  # fmt: skip
        listbox.press(keys)
        assert names(page) == [NAMES[place]], keys
        active = listbox.get_attribute("aria-activedescendant")
        expect(page.locator(f"#{active}")).to_have_accessible_name(ARTWORKS[place]["title"])
        expect(page.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
        expect(page.locator("#choose-artwork strong")).to_have_text(ARTWORKS[place]["title"])
    expect(listbox).to_be_focused()
    titles = [entry["title"] for entry in ARTWORKS]
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 60_000)  # letters belong together that come soon after another
    listbox.press_sequentially(titles[3][:6].lower())
    assert names(page) == [NAMES[3]]
    listbox.get_by_role("option", name=titles[2]).click()
    assert names(page) == [NAMES[2]]


def test_several_are_blended(page: Page) -> None:
    listbox = page.get_by_role("listbox", name="Artwork")
    several = page.get_by_role("button", name="Blend several")
    several.click()
    expect(several).to_have_attribute("aria-pressed", "true")
    expect(listbox).to_have_attribute("aria-multiselectable", "true")
    expect(page.get_by_text("Choose another to blend it with.")).to_be_visible()
    listbox.get_by_role("option").nth(1).click()
    listbox.focus()
    listbox.press("ArrowRight")
    assert names(page) == NAMES[:2]
    listbox.press("Space")
    assert names(page) == NAMES[:3]
    assert page.evaluate("choice.blend") == [33.3, 33.3, 33.3]
    page.evaluate("heard.splice(0)")

    slider = page.get_by_role("slider", name=ARTWORKS[0]["title"])
    slider.fill("50")
    assert page.evaluate("choice.blend") == [50, 25, 25]
    assert heard(page) == ["blend"]
    expect(slider).to_have_attribute("aria-valuetext", "50 per cent")
    page.get_by_role("slider", name=ARTWORKS[1]["title"]).press("ArrowRight")
    assert sum(page.evaluate("choice.blend")) == pytest.approx(100, abs=0.2)
    slider.fill("100")
    assert page.evaluate("choice.blend") == [100, 0, 0]
    slider.fill("0")
    assert page.evaluate("choice.blend") == [0, 50, 50]

    listbox.get_by_role("option").nth(2).click()
    assert page.evaluate("choice.blend") == [50, 50]
    several.click()
    assert names(page) == NAMES[:1]
    assert page.evaluate("choice.blend") == []


def test_a_blend_has_one_to_eight_artworks(page: Page) -> None:
    page.get_by_role("button", name="Blend several").click()
    options = page.get_by_role("listbox", name="Artwork").get_by_role("option")
    options.first.click()
    assert names(page) == NAMES[:1]
    assert refusal(page)["message"] == "A painting needs at least one artwork."
    own = [file(f"own {number}.png", picture(64, 64, "PNG"), "image/png") for number in range(9)]
    page.evaluate(DRAG, ["#artworks", "drop", own])
    page.wait_for_function("choice.artworks.length === 8")
    page.evaluate("heard.splice(0)")
    options.nth(8).click()
    assert refusal(page)["message"] == "At most 8 artworks can be blended."
    assert len(names(page)) == 8


def test_own_artworks_are_there_at_the_next_visit(page: Page, bare: str) -> None:
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Add your own").click()
    assert choosing.value.is_multiple()
    large = {"name": "my_drawing.png", "mimeType": "image/png", "buffer": picture(2000, 1000, "PNG")}
    choosing.value.set_files([large, {"name": "not.txt", "mimeType": "text/plain", "buffer": b"nothing"}])
    assert refusal(page)["message"] == "“not.txt” is not a picture."
    options = page.get_by_role("listbox", name="Artwork").get_by_role("option")
    expect(options.first).to_have_accessible_name("my drawing")
    expect(options.first).to_have_attribute("aria-selected", "true")
    size = "createImageBitmap(choice.artworks[0].blob).then(({ width, height }) => [width, height])"
    assert page.evaluate(size) == [1024, 512]
    assert page.evaluate(DRAG, ["#artworks", "dragover", []]) is False
    given = [file("dropped.jpg", picture())]
    page.evaluate(DRAG, ["#artworks", "dragover", given])
    expect(page.locator(".dropping")).to_have_text("Drop it to add it to the artworks")
    page.evaluate(DRAG, ["#artworks", "drop", given])
    expect(options.first).to_have_accessible_name("dropped")
    expect(options).to_have_count(len(NAMES) + 2)
    assert page.evaluate("choice.photo") is None
    page.wait_for_function("choice.artworks[0].title === 'dropped'")
    own = names(page)[0]

    kept(page, 2)
    page.reload()
    expect(options).to_have_count(len(NAMES) + 2)
    expect(options.nth(1)).to_have_accessible_name("my drawing")
    options.first.click()
    assert names(page) == [own]
    page.get_by_role("button", name="Remove").click()
    expect(options).to_have_count(len(NAMES) + 1)
    options.first.click()
    page.get_by_role("listbox", name="Artwork").press("Delete")
    expect(options).to_have_count(len(NAMES))
    assert names(page) == NAMES[:1]
    kept(page, 0)
    page.reload()
    expect(page.locator("body:not([aria-busy])")).to_be_attached()
    expect(options).to_have_count(len(NAMES))


def kept(page: Page, count: int) -> None:
    """Wait until so many artworks of one's own are written down."""
    page.wait_for_function(
        """(count) => new Promise((resolve) => {
          const request = indexedDB.open("visualneurons");
          request.onsuccess = () => {
            const all = request.result.transaction("artworks").objectStore("artworks").count();
            all.onsuccess = () => { request.result.close(); resolve(all.result === count); };
          };
        })""",
        arg=count,
    )


# ---------------------------------------------------------------- recipes, and coming back


def painted(**recipe: object) -> bytes:
    pixels = np.asarray(Image.open(io.BytesIO(picture(format="PNG"))))
    return pictures.encode(pixels, "png", recipe)


def test_a_painting_that_is_given_as_a_photo_brings_its_recipe(page: Page) -> None:
    sources = [{"name": NAMES[2], "digest": "1"}, {"name": f"website/artworks/{NAMES[4]}.jpg", "digest": "2"}]
    recipe = {"engine": "patches", "iterations": 33, "blend": [1.0, 3.0], "artworks": sources}
    pick(page, "painted.png", painted(**recipe), "image/png")
    photo, _ = chosen(page, "painted")
    assert photo["bytes"] == painted(**recipe)
    page.wait_for_function("heard.at(-1).name === 'recipe'")
    assert page.evaluate("heard.at(-1).detail") == recipe
    assert names(page) == [NAMES[2], NAMES[4]]
    assert page.evaluate("choice.blend") == [25, 75]
    said = page.locator("#choose-photo").get_by_role("status")
    expect(said).to_have_text("“painted” is chosen. It was painted here: its settings are back.")

    pick(page, "other.png", painted(artworks=[{"name": "gone", "digest": "3"}]), "image/png")
    expect(said).to_contain_text("Its artwork “gone” is not here")
    assert names(page) == [NAMES[2], NAMES[4]]


@pytest.mark.parametrize("recipe", [{"artworks": 3}, {"artworks": [None, {"name": 5}], "blend": "no"}, {"blend": [-1]}])
def test_a_strange_recipe_does_no_harm(page: Page, recipe: dict[str, object]) -> None:
    pick(page, "strange.png", painted(**recipe), "image/png")
    chosen(page, "strange")
    page.wait_for_function("heard.at(-1).name === 'recipe'")
    assert names(page) == NAMES[:1]


def test_what_was_chosen_is_chosen_again(page: Page) -> None:
    page.evaluate(
        """async ([given, name]) => {
          const [photo, own] = files(given);
          const artworks = [{ name: "own-1", title: "Mine", blob: own }, { name, title: "of the collection" }];
          await choice.restore({ photo: { blob: photo, title: "Before" }, artworks, blend: [60, 40] });
        }""",
        [[file("photo.png", painted(iterations=3), "image/png"), file("own.jpg", picture())], NAMES[5]],
    )
    chosen(page, "Before")
    assert names(page) == ["own-1", NAMES[5]]
    assert page.evaluate("choice.blend") == [60, 40]
    assert "recipe" not in heard(page)


def test_while_it_is_off_nothing_can_be_chosen(page: Page) -> None:
    pick(page, "good.jpg", picture())
    chosen(page, "good")
    page.evaluate("choice.enabled = false")
    for button in page.locator("#choose").get_by_role("button").all():
        expect(button).to_be_disabled()
    page.get_by_role("option").nth(1).click(force=True)
    assert names(page) == NAMES[:1]
    page.evaluate(DRAG, ["body", "drop", [file("other.jpg", picture())]])
    assert refusal(page)["message"] == "A painting is in the making."
    chosen(page, "good")
    page.evaluate("choice.enabled = true")
    page.get_by_role("option").nth(1).click()
    assert names(page) == [NAMES[1]]


def test_artworks_that_cannot_be_loaded_are_said(chromium: Browser, bare: str) -> None:
    page = chromium.new_page()
    page.route("**/artworks.json", lambda route: route.abort())
    begun(page, bare)
    assert refusal(page)["message"] == "The artworks could not be loaded."
    pick(page, "good.jpg", picture())
    chosen(page, "good")
    page.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(
            "document.querySelector('#wall').scrollWidth <= document.querySelector('#wall').clientWidth"
        )
        sizes = page.evaluate(
            """Array.from(document.querySelectorAll("button, [role=option]"), (each) => each.getBoundingClientRect())
              .filter(({ width }) => width).map(({ width, height }) => Math.min(width, height))"""
        )
        assert min(sizes) >= 24
        pick(page, "good.jpg", picture())
        chosen(page, "good")
