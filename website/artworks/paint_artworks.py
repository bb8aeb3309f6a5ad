"""Paints the site's artworks and sample photos, a small copy of each for lists, and their manifests.

    python website/artworks/paint_artworks.py                     everything
    python website/artworks/paint_artworks.py night_sky           one
    python website/artworks/paint_artworks.py --size 240 --into /some/folder

Every picture is composed and painted from a seed: the same call gives the same picture.
"""

from __future__ import annotations

import argparse
import io
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from atelier import (
    canal_houses,
    cubist_still_life,
    golden_hour,
    ink_wash,
    mosaic,
    night_sky,
    pears_by_the_window,
    pointillist_garden,
    poured_threads,
    red_evening,
    stained_glass,
    thick_oil,
    turning_discs,
    water_lilies,
    woodblock_wave,
)
from atelier.ground import Array, Sheet

Paint = Callable[[np.random.Generator, Sheet], Array]


@dataclass(frozen=True)
class Entry:
    """One picture of the site: what the manifest says of it, and what paints it."""

    name: str
    title: str
    manner: str
    paint: Paint
    aspect: float = 0.75
    year: int = 2026

    @property
    def file(self) -> str:
        return f"{self.name}.jpg"


ARTWORKS = (
    Entry("night_sky", "Wind over the Lake", "swirling night sky", night_sky.paint),
    Entry("thick_oil", "Harvest Road, Late Sun", "thick oil", thick_oil.paint),
    Entry("woodblock_wave", "The Hollow Wave", "woodblock print", woodblock_wave.paint, 0.7),
    Entry("pointillist_garden", "Garden at Noon", "pointillist", pointillist_garden.paint),
    Entry("stained_glass", "Window of the Valley", "stained glass", stained_glass.paint, 1.2),
    Entry("water_lilies", "The Pond in June", "broken colour on still water", water_lilies.paint),
    Entry("mosaic", "Two Fish Turning", "mosaic of glass and stone", mosaic.paint, 0.8),
    Entry("ink_wash", "Pines above the Mist", "ink wash on paper", ink_wash.paint, 0.72),
    Entry("cubist_still_life", "Guitar and Bottle", "cubist still life", cubist_still_life.paint, 1.25),
    Entry("red_evening", "Walking Home, Red Evening", "expressionist figure and sky", red_evening.paint, 1.25),
    Entry("turning_discs", "Turning Discs", "geometry in fields of colour", turning_discs.paint, 1.0),
    Entry("poured_threads", "Poured Threads", "drip painting", poured_threads.paint, 0.72),
)
SAMPLES = (
    Entry("golden_hour", "Golden Hour at the Lake", "photograph", golden_hour.photograph, 2 / 3),
    Entry("pears_by_the_window", "Pears by the Window", "photograph", pears_by_the_window.photograph, 4 / 3),
    Entry("canal_houses", "Canal Houses at the Blue Hour", "photograph", canal_houses.photograph, 2 / 3),
)
WEBSITE = Path(__file__).resolve().parent.parent
SUPERSAMPLING = 1.5
LIMITS = {"artworks": 350_000, "samples": 200_000}
SMALL, SMALL_LIMIT = 240, 10_000


def picture(entry: Entry, size: int) -> Image.Image:
    """The entry, its longer side `size` pixels; painted larger and reduced, which smooths the edges of strokes."""
    width = round(size / max(1, entry.aspect))
    large = round(width * SUPERSAMPLING)
    rng = np.random.default_rng(zlib.crc32(entry.name.encode()))
    colours = entry.paint(rng, Sheet(large, round(large * entry.aspect)))
    whole = Image.fromarray((np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8))
    return whole.resize((width, round(width * entry.aspect)), Image.Resampling.LANCZOS)


def jpeg(image: Image.Image, limit: int) -> bytes:
    """The picture as JPEG in the best quality that stays within `limit` bytes."""
    for quality in range(90, 30, -3):
        held = io.BytesIO()
        image.save(held, "JPEG", quality=quality, optimize=True, progressive=True)
        if held.tell() <= limit:
            break
    return held.getvalue()


def small(image: Image.Image) -> Image.Image:
    """The picture as a list shows it."""
    image = image.copy()
    image.thumbnail((SMALL, SMALL), Image.Resampling.LANCZOS)
    return image


def manifest(place: Path, entries: Sequence[Entry]) -> list[dict[str, object]]:
    """What is told of each picture that is there: ours, then those that somebody added."""
    known = place / f"{place.name}.json"
    kept = json.loads(known.read_text(encoding="utf-8")) if known.exists() else []
    ours = {entry.file for entry in entries}
    told: list[dict[str, object]] = []
    for entry in entries:
        if (place / entry.file).exists():
            with Image.open(place / entry.file) as image:
                width, height = image.size
            told.append(
                {
                    "file": entry.file,
                    "title": entry.title,
                    "manner": entry.manner,
                    "year": entry.year,
                    "width": width,
                    "height": height,
                }
            )
    return told + [each for each in kept if each["file"] not in ours]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Paints the site's artworks and sample photos.")
    names = [entry.name for entry in ARTWORKS + SAMPLES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to paint (default: all): {', '.join(names)}")
    parser.add_argument("--size", type=int, default=960, help="longer side in pixels (default: %(default)s)")
    parser.add_argument("--into", type=Path, default=WEBSITE, help="folder to hold artworks/ and samples/")
    chosen = parser.parse_args(arguments)
    for name in chosen.names:
        if name not in names:
            parser.error(f"there is no picture called {name!r}; there are {', '.join(names)}")
    for folder, entries in (("artworks", ARTWORKS), ("samples", SAMPLES)):
        place = chosen.into / folder
        (place / "small").mkdir(parents=True, exist_ok=True)
        for entry in entries:
            if not chosen.names or entry.name in chosen.names:
                image = picture(entry, chosen.size)
                (place / entry.file).write_bytes(jpeg(image, LIMITS[folder]))
                (place / "small" / entry.file).write_bytes(jpeg(small(image), SMALL_LIMIT))
        told = json.dumps(manifest(place, entries), indent=2) + "\n"
        (place / f"{folder}.json").write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
