"""Coarse to fine: which sizes a painting goes through, and how many steps it spends on each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from model.colour import Pixels
from model.recipe import Recipe

# Each scale gets this many times the steps of the next finer one: they are cheap, and large shapes are decided there.
COARSER = 1.19


@dataclass(frozen=True)
class Scale:
    """One size, and the steps painted at it."""

    height: int
    width: int
    steps: int


def plan(height: int, width: int, steps: int, most: int, smallest: int) -> list[Scale]:
    """The scales of a painting of this size, coarsest first: at most `most` (0: as many as fit), each with a step."""
    fitting = 1
    while max(height, width) >> fitting >= smallest and min(height, width) >> fitting >= 16:
        fitting += 1
    count = min(fitting, most or fitting, steps)
    weights = COARSER ** np.arange(count)[::-1]
    ends = np.rint(np.cumsum(weights / weights.sum()) * (steps - count)).astype(int) + np.arange(1, count + 1)
    return [
        Scale(max(16, round(height / 2**level)), max(16, round(width / 2**level)), int(end - start))
        for level, start, end in zip(range(count - 1, -1, -1), [0, *ends], ends, strict=False)
    ]


def passes(height: int, width: int, recipe: Recipe, smallest: int) -> list[Scale]:
    """All that `recipe` paints of a picture of this size: the plan's scales, then each further pass at the finest."""
    scales = plan(height, width, recipe.iterations, recipe.scales, smallest)
    return [*scales, *(replace(scales[-1], steps=steps) for steps in recipe.further)]


def resized(pixels: Pixels, height: int, width: int) -> Pixels:
    """`pixels` at another size: by Lanczos' filter when lower, else by cubic interpolation."""
    if pixels.shape[:2] == (height, width):
        return pixels
    method = Image.Resampling.LANCZOS if height < pixels.shape[0] else Image.Resampling.BICUBIC
    bands = [Image.fromarray(np.ascontiguousarray(pixels[..., band])) for band in range(3)]
    planes = [np.asarray(band.resize((width, height), method), np.float32) for band in bands]
    return np.clip(np.stack(planes, axis=-1), 0, 1)
