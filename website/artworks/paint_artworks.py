"""Paints the site's artworks and sample photos, and their manifests.

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
    golden_hour,
    ink_wash,
    mosaic,
    night_sky,
    pointillist_garden,
    stained_glass,
    thick_oil,
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
)
SAMPLES = (Entry("golden_hour", "Golden Hour at the Lake", "photograph", golden_hour.photograph, 2 / 3),)
WEBSITE = Path(__file__).resolve().parent.parent
SUPERSAMPLING = 1.5
LIMITS = {"artworks": 350_000, "samples": 200_000}


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
    for quality in range(90, 40, -3):
        held = io.BytesIO()
        image.save(held, "JPEG", quality=quality, optimize=True, progressive=True)
        if held.tell() <= limit:
            break
    return held.getvalue()


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
        place.mkdir(parents=True, exist_ok=True)
        for entry in entries:
            if not chosen.names or entry.name in chosen.names:
                (place / entry.file).write_bytes(jpeg(picture(entry, chosen.size), LIMITS[folder]))
        manifest = [{"file": e.file, "title": e.title, "manner": e.manner, "year": e.year} for e in entries]
        (place / f"{folder}.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
