"""Colours: luminance and chroma, an artwork's palette, a photo's tones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]  # (height, width, 3), 0 to 1

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
# RGB to luminance and two chromas (the JPEG standard's YCbCr, without its offset).
TO_CHROMA = np.array([LUMINANCE, [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32).T
EQUALISED = 0.5
FROM_CHROMA = np.linalg.inv(TO_CHROMA).astype(np.float32)


def with_palette_of(pixels: Pixels, model: Pixels) -> Pixels:
    """`pixels` recoloured so that mean and covariance of the colours are those of `model`.

    The linear map that moves colours the least (Pitié and Kokaram, 2007).
    """
    colours, wanted = pixels.reshape(-1, 3), model.reshape(-1, 3)
    floor = 1e-4 * np.eye(3)
    root = _root(np.cov(colours.T) + floor)
    inverse = np.linalg.inv(root)
    change = inverse @ _root(root @ (np.cov(wanted.T) + floor) @ root) @ inverse
    moved = (colours - colours.mean(0)) @ change.astype(np.float32) + wanted.mean(0)
    return np.asarray(np.clip(moved, 0, 1).reshape(pixels.shape), np.float32)


def with_tones_of(light: Pixels, model: Pixels) -> Pixels:
    """A photo's luminance `light` brought into the range of an artwork's: between stretching it and equalising it.

    Stretching alone leaves tones that the artwork lacks; equalising alone makes edges of noise.
    """
    stretched = (light - light.mean()) / (light.std() + 1e-4) * model.std() + model.mean()
    steps = np.linspace(0, 1, 257)
    some = light.ravel()[:: max(1, light.size // 50_000)]
    equalised = np.interp(light, np.quantile(some, steps), np.quantile(model, steps))
    return np.asarray(np.clip(stretched, 0, 1) * (1 - EQUALISED) + equalised * EQUALISED, np.float32)


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
