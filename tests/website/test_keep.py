"""What the page keeps, in a real browser: recipes inside PNGs, the history, films, files and links."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import struct
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from playwright.sync_api import Browser, Page, expect

from model import pictures
from model.errors import Refusal
from tests import browser

MAIN = """
import * as film from "./keep/film.js";
import { History } from "./keep/history.js";
import * as png from "./keep/png.js";
import * as saving from "./keep/saving.js";
import { byId } from "./html.js";

const history = new History(byId("history"));
const heard = [];
for (const name of ["open", "forget"]) history.addEventListener(name, ({ detail }) => heard.push({ name, detail }));
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const entry = (number, more = {}) => ({
  id: `painting-${number}`, key: "open-sesame", at: Date.now() - 86_400_000 + 1000 * number, title: `Photo ${number}`,
  artwork: "Night", state: "begun", photo: new Blob([`photo ${number}`]), order: { settings: { seed: number } },
  ...more,
});
Object.assign(window, {
  film, paintings: history, png, saving, heard, entry,
  blob: (text, type = "image/png") => new Blob([bytesOf(text)], { type }),
  text: async (blob) =>
    btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (byte) => String.fromCharCode(byte)).join("")),
});
document.body.removeAttribute("aria-busy");
"""

RECIPE = {"engine": "patches", "blend": [0.25, 0.75], "artworks": [{"name": "Nächte “☾”", "digest": "a"}]}


def begun(page: Page, address: str) -> Page:
    """The page with what it keeps in place of its own program."""
    page.route("**/main.js", lambda route: route.fulfill(content_type="text/javascript", body=MAIN))
    page.goto(address)
    expect(page.locator("body:not([aria-busy])")).to_be_attached()
    return page


@pytest.fixture
def page(chromium: Browser, bare: str) -> Iterator[Page]:
    """A page that must not complain."""
    complaints: list[str] = []
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield begun(page, bare)
    context.close()
    assert complaints == []


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def picture(width: int = 64, height: int = 48, tone: int = 120) -> bytes:
    pixels = np.full((height, width, 3), tone, np.uint8)
    pixels[: height // 2, : width // 2] = (255 - tone, tone, 20)
    return pictures.encode(pixels, "png")


# ---------------------------------------------------------------- recipes


def with_recipe(page: Page, data: bytes, recipe: object) -> bytes:
    changed: str = page.evaluate(
        "async ([data, recipe]) => text(await png.withRecipe(blob(data), recipe))", [text(data), recipe]
    )
    return base64.b64decode(changed)


def recipe_in(page: Page, data: bytes) -> object:
    found: object = page.evaluate("(data) => png.recipeIn(blob(data))", text(data))
    return found


def chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png_with(*chunks: bytes) -> bytes:
    """A PNG with these chunks behind its first."""
    data = picture()
    return data[:33] + b"".join(chunks) + data[33:]


def itxt(content: bytes, flags: bytes = b"\0\0") -> bytes:
    return chunk(b"iTXt", b"recipe\0" + flags + b"\0\0" + content)


def test_the_studio_reads_what_the_page_writes(page: Page) -> None:
    data = with_recipe(page, picture(), RECIPE)
    assert pictures.recipe_in(data) == RECIPE
    with Image.open(io.BytesIO(data)) as image:
        assert image.text["recipe"] == json.dumps(RECIPE, ensure_ascii=False, separators=(",", ":"))  # type: ignore[attr-defined]
        assert np.array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(picture()))))
    again = with_recipe(page, data, {"seed": 7})
    assert pictures.recipe_in(again) == recipe_in(page, again) == {"seed": 7}
    assert again.count(b"recipe\0") == 1


def test_the_page_reads_what_the_studio_writes(page: Page) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(picture())))
    assert recipe_in(page, pictures.encode(pixels, "png", RECIPE)) == RECIPE
    compressed = PngImagePlugin.PngInfo()
    compressed.add_itxt("recipe", json.dumps(RECIPE), zip=True)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", pnginfo=compressed)
    assert pictures.recipe_in(out.getvalue()) == recipe_in(page, out.getvalue()) == RECIPE


def test_both_read_the_same_and_nothing_into_what_is_damaged(page: Page) -> None:
    good = itxt(b'{"seed": 1}')
    large = json.dumps({"seed": 1, "much": "x" * 2**20}).encode()
    cases = {
        "good": png_with(good),
        "language": png_with(chunk(b"iTXt", b'recipe\0\0\0de\0Rezept\0{"seed": 1}')),
        "first": png_with(good, itxt(b'{"seed": 2}')),
        "other": png_with(chunk(b"iTXt", b'title\0\0\0\0\0{"seed": 2}'), good),
        "none": picture(),
        "jpeg": b"\xff\xd8\xff" + b"\0" * 100,
        "empty": b"",
        "signature only": picture()[:8],
        "checksum": png_with(good).replace(b'"seed": 1', b'"seed": 3'),
        "cut": png_with(good)[:60],
        "no text": png_with(chunk(b"iTXt", b"recipe\0\0\0")),
        "not json": png_with(itxt(b"seed")),
        "not a number": png_with(itxt(b'{"seed": NaN}')),
        "a list": png_with(itxt(b"[1]")),
        "nothing": png_with(itxt(b"null")),
        "not utf-8": png_with(itxt(b'{"seed": "\xff"}')),
        "too large": png_with(itxt(large)),
        "too large, compressed": png_with(itxt(zlib.compress(large), b"\1\0")),
        "not compressed": png_with(itxt(b'{"seed": 1}', b"\1\0")),
        "deep": png_with(itxt(b"[" * 200_000)),
    }
    for name, data in cases.items():
        try:
            expected = pictures.recipe_in(data)
        except Refusal:
            expected = None
        assert recipe_in(page, data) == expected, name
    assert recipe_in(page, cases["good"]) == {"seed": 1}


def test_only_a_png_takes_a_recipe(page: Page) -> None:
    said = page.evaluate("png.withRecipe(new Blob(['GIF89a']), {}).catch((error) => error.message)")
    assert said == "Only a PNG takes a recipe."


# ---------------------------------------------------------------- history


def test_a_painting_is_remembered_and_changed(page: Page) -> None:
    assert page.evaluate("paintings.entries()") == []
    assert page.evaluate("paintings.remember(entry(1))") is True
    page.evaluate("paintings.remember(entry(2))")
    # Two who change different things of one painting at the same time both succeed.
    page.evaluate(
        """Promise.all([
          paintings.update("painting-1", { state: "finished" }),
          paintings.update("painting-1", { picture: new Blob(["picture"]) }),
          paintings.update("painting-9", { state: "finished" }),
        ])"""
    )
    page.reload()
    expect(page.locator("body:not([aria-busy])")).to_be_attached()
    assert page.evaluate("paintings.entries().then((all) => all.map(({ id }) => id))") == ["painting-2", "painting-1"]
    found = page.evaluate(
        """paintings.find("painting-1").then(async ({ key, state, order, photo, picture }) =>
             [key, state, order.settings.seed, await photo.text(), await picture.text()])"""
    )
    assert found == ["open-sesame", "finished", 1, "photo 1", "picture"]
    page.evaluate("paintings.forget('painting-1')")
    assert page.evaluate("paintings.find('painting-1').then(String)") == "undefined"


def test_small_pictures_are_kept_for_the_list(page: Page) -> None:
    width = """paintings.find("painting-1").then(({ thumbnail }) => thumbnail && createImageBitmap(thumbnail))
      .then((bitmap) => bitmap && [bitmap.width, bitmap.height].join())"""
    page.evaluate("(data) => paintings.remember(entry(1, { photo: blob(data) }))", text(picture(960, 640)))
    page.wait_for_function(f"() => {width}.then((size) => size === '192,128')")
    page.evaluate("(data) => paintings.update('painting-1', { picture: blob(data) })", text(picture(300, 600)))
    assert page.evaluate(width) == "96,192"


def test_the_oldest_go_when_there_are_too_many(page: Page) -> None:
    page.evaluate(
        "async () => { for (let number = 0; number < 53; number++) await paintings.remember(entry(number)); }"
    )
    ids = page.evaluate("paintings.entries().then((all) => all.map(({ id }) => id))")
    assert ids == [f"painting-{number}" for number in range(52, 2, -1)]


def test_the_oldest_go_when_they_are_too_large(page: Page) -> None:
    page.evaluate(
        """(async () => {
          const large = new Blob([new Uint8Array(45 * 2 ** 20)]);
          for (let number = 0; number < 3; number++) await paintings.remember(entry(number, { picture: large }));
        })()"""
    )
    assert page.evaluate("paintings.entries().then((all) => all.map(({ id }) => id))") == ["painting-2", "painting-1"]


def test_what_is_remembered_survives_the_browser(chromium: Browser, executable: str, bare: str, tmp_path: Path) -> None:
    """It is killed right after the painting is said to be safe."""
    for visit in (1, 2):
        process = subprocess.Popen(
            [executable, *browser.FLAGS, "--headless", "--no-sandbox", "--remote-debugging-port=0",
             f"--user-data-dir={tmp_path}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            running = chromium.browser_type.connect_over_cdp(f"http://127.0.0.1:{door(tmp_path)}")
            page = begun(running.contexts[0].new_page(), bare)
            if visit == 1:
                assert page.evaluate("paintings.remember(entry(1))") is True
            else:
                assert page.evaluate("paintings.find('painting-1').then(({ photo }) => photo.text())") == "photo 1"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        (tmp_path / "DevToolsActivePort").unlink()
        running.close()


def door(profile: Path) -> int:
    """The port at which a browser with this profile can be spoken to, once it is open."""
    for _ in range(300):
        told = profile / "DevToolsActivePort"
        if told.exists() and (lines := told.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.1)
    raise AssertionError("the browser did not start")


def test_where_there_is_no_room_memory_serves(page: Page, bare: str) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": bare.rstrip("/"), "quotaSize": 20_000})
    page.evaluate("paintings.remember(entry(1))")
    kept = page.evaluate("paintings.remember(entry(2, { photo: new Blob([new Uint8Array(200_000)]) }))")
    assert kept is False
    page.evaluate("paintings.update('painting-2', { state: 'finished' })")
    states = page.evaluate("paintings.entries().then((all) => all.map(({ id, state }) => `${id} ${state}`))")
    assert states == ["painting-2 finished", "painting-1 begun"]
    page.evaluate("paintings.show()")
    expect(page.get_by_role("dialog")).to_contain_text("This browser keeps nothing for the page")
    page.evaluate("paintings.forget('painting-2')")
    assert page.evaluate("paintings.entries().then((all) => all.length)") == 1


def test_the_dialog_lists_opens_and_forgets(page: Page) -> None:
    dialog = page.get_by_role("dialog", name="Your paintings")
    page.evaluate("paintings.show()")
    expect(dialog).to_contain_text("Nothing here yet")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    page.evaluate(
        """async (data) => {
          const photo = blob(data);
          await paintings.remember(entry(1, { photo, at: Date.now() - 3 * 3600_000, state: "finished" }));
          await paintings.remember(entry(2, { photo, at: Date.now() }));
          await paintings.show();
        }""",
        text(picture()),
    )
    items = dialog.get_by_role("listitem")
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text("Photo 2")
    expect(items.first).to_contain_text("just now, begun")
    expect(items.nth(1)).to_contain_text("3 hours ago, finished")
    page.wait_for_function("document.querySelector('#history img').naturalWidth === 64")
    dialog.get_by_role("button", name="Forget Photo 2", exact=True).click()
    sure = dialog.get_by_role("button", name="Yes, forget Photo 2")
    expect(sure).to_be_focused()
    expect(items).to_have_count(2)
    sure.click()
    expect(items).to_have_count(1)
    expect(dialog.get_by_role("button", name="Open Photo 1")).to_be_focused()
    dialog.get_by_role("button", name="Open Photo 1").click()
    expect(dialog).to_be_hidden()
    assert page.evaluate("heard.map(({ name, detail }) => [name, detail.id ?? detail, detail.key ?? ''])") == [
        ["forget", "painting-2", "open-sesame"],
        ["open", "painting-1", ""],
    ]


# ---------------------------------------------------------------- films


@pytest.mark.slow
def test_a_film_has_every_frame_and_holds_the_last(page: Page) -> None:
    frames = [text(picture(101 if number > 9 else 51, 75 if number > 9 else 38, 10 * number)) for number in range(20)]
    made: dict[str, Any] = page.evaluate(
        """async (frames) => {
          const shares = [];
          const onprogress = (share) => shares.push(share);
          const began = performance.now();
          const { blob: made, suffix } = await film.film(frames.map((frame) => blob(frame)), { onprogress });
          const took = (performance.now() - began) / 1000; // it is recorded as it is shown
          return { bytes: await text(made), type: made.type, suffix, shares, took };
        }""",
        frames,
    )
    assert made["type"] == f"video/{made['suffix']}"
    assert made["shares"] == sorted(made["shares"])
    assert made["shares"][-1] == 1
    with av.open(io.BytesIO(base64.b64decode(made["bytes"]))) as container:
        shown = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert shown[0][1].shape == (76, 102, 3)
    tones = [int(pixels[-8, -8, 0]) for _, pixels in shown]
    assert tones == sorted(tones)
    assert len({round(tone / 10) for tone in tones}) >= 16
    assert tones[-1] == pytest.approx(190, abs=8)
    assert 20 / 5 <= shown[-1][0] - shown[0][0] <= made["took"]


def test_a_film_can_be_called_off(page: Page) -> None:
    said = page.evaluate(
        """async (frame) => {
          const leaving = new AbortController();
          const how = { signal: leaving.signal, onprogress: () => leaving.abort() };
          return film.film(Array(50).fill(blob(frame)), how).catch((error) => error.name);
        }""",
        text(picture()),
    )
    assert said == "AbortError"


def test_a_browser_that_cannot_film_says_so(chromium: Browser, bare: str) -> None:
    page = chromium.new_page()
    page.add_init_script("delete window.MediaRecorder")
    begun(page, bare)
    assert page.evaluate("film.filmType() ?? null") is None
    said = page.evaluate("film.film([new Blob()]).catch((error) => error.message)")
    assert said == "This browser cannot make films; save the picture instead."
    page.close()


# ---------------------------------------------------------------- files and links


def test_a_file_is_saved_under_a_name_that_every_system_takes(page: Page) -> None:
    with page.expect_download() as saving:
        page.evaluate("(data) => saving.save(blob(data), saving.fileName('A/B: C?', 'Nächte', 'png'))", text(picture()))
    assert saving.value.suggested_filename == "A B C – Nächte.png"
    assert Path(saving.value.path()).read_bytes() == picture()
    assert page.evaluate("saving.fileName('..', '', 'jpg')") == "painting.jpg"
    assert page.evaluate("saving.fileName('x'.repeat(300), 'y', 'jpg').length") == 104


def test_a_link_is_copied(page: Page) -> None:
    told = page.evaluate("saving.share('https://example.org/display?id=1', 'A', document.querySelector('#keep'))")
    assert told == "The link is copied."
    assert page.evaluate("navigator.clipboard.readText()") == "https://example.org/display?id=1"


def test_without_a_clipboard_a_link_can_be_copied_by_hand(chromium: Browser, bare: str) -> None:
    page = begun(chromium.new_page(), bare.replace("127.0.0.1", "0.0.0.0"))
    page.evaluate("document.querySelector('#keep').hidden = false")
    told = page.evaluate("saving.share('https://example.org/display?id=1', 'A', document.querySelector('#keep'))")
    assert told == "Copy the link from the field."
    field = page.get_by_label("The link")
    expect(field).to_be_focused()
    expect(field).to_have_value("https://example.org/display?id=1")
    assert page.evaluate("getSelection().toString()") == "https://example.org/display?id=1"
    page.close()
