"""The sketch's engine paints as the Python engine does: the same numbers by chance, the same sizes, the same losses."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks.judge import photograph
from model import chance, flow
from model.pictures import Picture, fit, read
from model.recipe import MOST_ARTWORKS, Recipe, settings
from model.scales import plan, resized
from model.style_transfer import StyleTransfer

ARTWORKS = Path(__file__).resolve().parents[2] / "website" / "artworks"


@pytest.fixture(scope="module")
def page(chromium: Browser, bare: str) -> Iterator[Page]:
    """An empty page that can import the site's modules, which keep nothing from one call to the next."""
    page = chromium.new_page()
    page.route("**/blank", lambda route: route.fulfill(body="<!doctype html><title></title>", content_type="text/html"))
    page.goto(f"{bare}blank")
    yield page
    page.close()


def data_url(picture: Picture) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("key", [(), (0,), (7, 1, 171, 256), (2**32 - 1, 3, 0, 22)])
def test_chance_is_the_same(page: Page, key: tuple[int, ...]) -> None:
    told = page.evaluate(
        """async (key) => {
            const { bits, uniform, normal } = await import("/sketch/chance.js");
            return [bits, uniform, normal].map((numbers) => [...numbers(1000, ...key)]);
        }""",
        list(key),
    )
    assert told[0] == chance.bits(1000, *key).tolist()
    assert told[1] == chance.uniform((1000,), *key).tolist()
    assert told[2] == pytest.approx(chance.normal((1000,), *key).tolist(), abs=1e-5)


def test_projections_are_the_same(page: Page) -> None:
    told = page.evaluate("async () => [...(await import('/sketch/flow.js')).projections(5, 48, 64)]")
    assert np.abs(np.reshape(told, (-1, flow.POOL)) - flow.projections(5, 48, 64)).max() < 1e-6


@pytest.mark.parametrize(
    ("height", "width", "iterations"),
    [(171, 256, 80), (256, 256, 12), (16, 320, 9), (512, 384, 81), (97, 64, 3), (40, 32, 5), (1024, 683, 200)],
)
def test_scales_are_the_same(page: Page, height: int, width: int, iterations: int) -> None:
    told = page.evaluate(
        "async (sizes) => (await import('/sketch/scales.js')).plan(...sizes)", [height, width, iterations]
    )
    assert told == [vars(scale) for scale in plan(height, width, iterations, 0, 64)]


@pytest.mark.parametrize("size", [32, 97, 225])
def test_pictures_are_read_at_the_same_size_with_the_same_pixels(page: Page, size: int) -> None:
    photo = photograph("chelsea")[50:200, 100:325]
    told = page.evaluate(
        """async ({ photo, size }) => {
            const { read } = await import("/sketch/pictures.js");
            const bitmap = await createImageBitmap(await (await fetch(photo)).blob());
            const { height, width, data } = await read(bitmap, "photo", size);
            return { height, width, data: [...data] };
        }""",
        {"photo": data_url(photo), "size": size},
    )
    wanted = fit(photo, size)
    assert (told["height"], told["width"]) == wanted.shape[:2]
    apart = np.abs(np.reshape(told["data"], wanted.shape) * 255 - wanted)
    assert apart.max() < 1.01, "Pillow rounds its weights"
    assert apart.mean() < 0.01


@pytest.mark.parametrize("shape", [(16, 26), (32, 48), (64, 96), (90, 135)])
def test_pictures_are_resized_alike(page: Page, shape: tuple[int, int]) -> None:
    pixels = np.asarray(fit(photograph("chelsea"), 96) / np.float32(255))
    told = page.evaluate(
        """async ({ height, width, data, shape }) => {
            const { resized } = await import("/sketch/scales.js");
            return [...resized({ height, width, bands: 3, data: Float32Array.from(data) }, ...shape).data];
        }""",
        {
            "height": pixels.shape[0],
            "width": pixels.shape[1],
            "data": pixels.ravel().tolist(),
            "shape": list(shape),
        },
    )
    assert np.abs(np.reshape(told, (*shape, 3)) - resized(pixels, *shape)).max() < 2e-6


def test_settings_have_the_same_ranges_and_defaults(page: Page) -> None:
    told: dict[str, Any] = page.evaluate("async () => ({...await import('/sketch/recipe.js')})")
    for name, range in told["NUMBERS"].items():
        assert range["low"] == settings()[name].low
        if name == "size":  # it is a sketch
            assert range["high"] < (settings()[name].high or 0)
            continue
        assert range["high"] == settings()[name].high
        assert range["usual"] == getattr(Recipe(), name)
    assert told["MOST_ARTWORKS"] == MOST_ARTWORKS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("photo", "artworks", "more"),
    [
        ("chelsea", ["thick_oil"], {}),
        ("coffee", ["mosaic", "night_sky"], {"blend": [3, 1], "seed": 11}),
        ("astronaut", ["woodblock_wave"], {"keep_colors": True, "seed": 7}),
        ("china", ["thick_oil"], {"style_weight": 2, "content_weight": 0.5, "variation_weight": 30, "size": 97}),
    ],
)
def test_losses_are_the_same(page: Page, photo: str, artworks: list[str], more: dict[str, Any]) -> None:
    content, *styles = (
        fit(picture, 256) for picture in (photograph(photo), *(read(ARTWORKS / f"{name}.jpg") for name in artworks))
    )
    order = {"size": 128, "iterations": 12} | more
    told = page.evaluate(
        """async ({ photo, artworks, order }) => {
            const { read } = await import("/sketch/pictures.js");
            const { recipeOf } = await import("/sketch/recipe.js");
            const { paint } = await import("/sketch/style_transfer.js");
            const pictures = await Promise.all([photo, ...artworks].map(async (url) => {
              return read(await createImageBitmap(await (await fetch(url)).blob()), "picture", order.size);
            }));
            const [content, ...styles] = pictures;
            return [...paint(content, styles, recipeOf(order, styles.length))].map(({ losses }) => losses);
        }""",
        {"photo": data_url(content), "artworks": list(map(data_url, styles)), "order": order},
    )
    painting = StyleTransfer("patches").paint(content, styles, Recipe(**order))
    wanted = [iteration.losses for iteration in painting]
    assert len(told) == len(wanted) == order["iterations"]
    for number, (here, there) in enumerate(zip(told, wanted, strict=True)):
        assert here == pytest.approx(there, rel=0.01), f"iteration {number}"
