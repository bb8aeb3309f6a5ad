"""The pictures that speed is measured with: the page's sample photo and the first of its artworks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.colour import Pixels
from model.pictures import Picture

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "website" / "samples" / "golden_hour.jpg"
ARTWORK = ROOT / "website" / "artworks" / "night_sky.jpg"


def floats(picture: Picture) -> Pixels:
    """The same picture, from 0 to 1."""
    return picture.astype(np.float32) / np.float32(255)
