"""Small pictures that tests paint with, made here."""

from __future__ import annotations

import numpy as np

from model import chance
from model.pictures import Picture
from model.windows import blur


def photo(width: int = 96, height: int = 72) -> Picture:
    """A sunny hill with a house: large shapes, edges, a gradient."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    scene = np.stack([0.5 + 0.4 * y, 0.7 + 0.1 * y, 0.95 - 0.3 * y], axis=-1)
    hill = y > 0.6 + 0.15 * np.sin(4 * x)
    scene[hill] = np.stack([0.25 + 0.2 * x, 0.5 + 0.1 * x, 0.15 + 0 * x], axis=-1)[hill]
    scene[(abs(x - 0.55) < 0.12) & (abs(y - 0.55) < 0.15)] = (0.75, 0.3, 0.2)
    scene[(x - 0.2) ** 2 + (y - 0.2) ** 2 < 0.01] = (1, 0.95, 0.6)
    return np.asarray(scene * 255, np.uint8)


def artwork(width: int = 96, height: int = 80, seed: int = 0) -> Picture:
    """Stripes of strokes in a few colours."""
    noise = chance.uniform((height, width), seed)
    strokes = blur(height, 3) @ noise @ blur(width, 0.8).T
    ranks = strokes.ravel().argsort().argsort().reshape(height, width) * 5 // (height * width)
    palette = (chance.uniform((5, 3), seed, 1) * 255).astype(np.uint8)
    return palette[ranks]
