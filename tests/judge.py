"""How good a painting is, in three figures, so that a test can tell beauty from noise.

style: the share of the way from the photo to the artwork in the distribution of colour patches (1: reached); sliced
Wasserstein distances of patches of three sizes at two scales, along projections of our own drawing. content: the
correlation of the strength of blurred luminance edges with the photo's. speckle: the energy of the finest detail over
the artwork's, the worst of light and the two chromas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.colour import LUMINANCE, TO_CHROMA
from model.pictures import Picture
from model.windows import blur

LONG_SIDE = 384
PATCHES = (3, 7, 13)
PROJECTIONS = 48

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Judgement:
    style: float
    content: float
    speckle: float


def judge(result: Picture, photo: Picture, artwork: Picture) -> Judgement:
    """Judge `result`, a painting of `photo` after `artwork`."""
    after, before, wanted = _at_size(result, photo), _at_size(photo, photo), _at_size(artwork, artwork)
    return Judgement(
        style=float(1 - _distance(after, wanted) / _distance(before, wanted)),
        content=float(np.corrcoef(_edges(after), _edges(before))[0, 1]),
        speckle=float(((_detail(after) + 0.02) / (_detail(wanted) + 0.02)).max()),
    )


def _at_size(picture: Picture, like: Picture) -> Array:
    height, width = (max(1, round(side * LONG_SIDE / max(like.shape[:2]))) for side in like.shape[:2])
    small = Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(small, np.float64) / 255


def _distance(one: Array, other: Array) -> float:
    total = 0.0
    for scale in (1, 2):
        for size in PATCHES:
            ways = np.random.default_rng([size, scale]).standard_normal((size * size * 3, PROJECTIONS))
            ways /= np.linalg.norm(ways, axis=0)
            total += np.abs(_quantiles(one, scale, size, ways) - _quantiles(other, scale, size, ways)).mean()
    return total


def _quantiles(pixels: Array, scale: int, size: int, ways: Array) -> Array:
    """The distribution of the patches along each way."""
    height, width = (side // scale for side in pixels.shape[:2])
    small = pixels[: height * scale, : width * scale].reshape(height, scale, width, scale, 3).mean((1, 3))
    windows = np.lib.stride_tricks.sliding_window_view(small, (size, size), axis=(0, 1))[::2, ::2]
    along = windows.transpose(0, 1, 3, 4, 2).reshape(-1, size * size * 3) @ ways
    return np.quantile(along, np.linspace(0, 1, 256), axis=0)


def _edges(pixels: Array) -> Array:
    light = pixels @ LUMINANCE
    soft = blur(light.shape[0], 2) @ light @ blur(light.shape[1], 2).T
    down, across = np.gradient(soft[6:-6, 6:-6])
    return np.hypot(down, across).ravel()


def _detail(pixels: Array) -> Array:
    bands = pixels @ TO_CHROMA
    middle = bands[1:-1, 1:-1]
    around = bands[:-2, 1:-1] + bands[2:, 1:-1] + bands[1:-1, :-2] + bands[1:-1, 2:]
    return np.sqrt(((4 * middle - around) ** 2).mean((0, 1)))
