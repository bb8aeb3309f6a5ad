"""What is measured in the browser: weights, the first stroke, blocked moments, shifts."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Request

from model.pictures import Picture, read
from tests.judge import Judgement, judge
from tests.website.visitor import Visitor

WEBSITE = Path(__file__).resolve().parents[2] / "website"
_PICTURES = ("/artworks/", "/samples/")

# To be evaluated: from then on, `longTasks` has the milliseconds of each that blocked the page.
LONG_TASKS = """() => {
    window.longTasks = [];
    new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((entry) => entry.duration)))
        .observe({ type: "longtask" });
}"""

# To be evaluated: `shifts` has how much what is on the page has moved by itself, from the beginning.
SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
    }).observe({ type: "layout-shift", buffered: true });
}"""

_FIRST_STROKE = """() => {
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    document.querySelector("#paint").addEventListener("click", () => {
        const clicked = performance.now();
        CanvasRenderingContext2D.prototype.drawImage = function (...what) {
            draw.apply(this, what);
            if (this.canvas.id === "picture") window.firstStroke ??= performance.now() - clicked;
        };
    }, { once: true });
}"""


def weight(visitor: Visitor) -> dict[str, int]:
    """Open the page; how many bytes came over the wire for each of its files, artworks and samples left out."""
    weights: dict[str, int] = {}

    def weigh(request: Request) -> None:
        sizes = request.sizes()
        weights[request.url] = sizes["responseBodySize"] + sizes["responseHeadersSize"]

    visitor.page.on("requestfinished", weigh)
    visitor.open()
    visitor.page.wait_for_load_state("networkidle")
    return {url: size for url, size in weights.items() if not any(part in url for part in _PICTURES)}


def best(measure: Callable[[], float], limit: float, tries: int = 3) -> float:
    """The least of a few measurements, or the first within the limit: a busy machine only ever makes them larger."""
    least = measure()
    while least > limit and (tries := tries - 1):
        least = min(least, measure())
    return least


def first_stroke(visitor: Visitor) -> float:
    """Press Paint; how many milliseconds later a frame is first drawn on the page."""
    visitor.page.evaluate(_FIRST_STROKE)
    visitor.paint()
    milliseconds: float = visitor.page.wait_for_function("() => window.firstStroke", timeout=30_000).json_value()
    return milliseconds


def saved(visitor: Visitor) -> bytes:
    """Save the picture."""
    with visitor.page.expect_download() as saving:
        visitor.button("Save picture").click()
    return Path(saving.value.path()).read_bytes()


def judged(painted: bytes, sample: str, artwork: str) -> Judgement:
    """How good a painting of a sample after an artwork of the collection is."""
    result: Picture = np.asarray(Image.open(io.BytesIO(painted)).convert("RGB"))
    return judge(result, read(WEBSITE / f"samples/{sample}.jpg"), read(WEBSITE / f"artworks/{artwork}.jpg"))
