"""Patches and blurs: the small windows through which pictures are looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.backend import Tensor, ops
from model.colour import Pixels

PATCH = 7
EDGE = PATCH // 2


def convolved(picture: Tensor, kernels: Tensor, stride: int = 1) -> Tensor:
    """The dot products of each pixel's patch with `kernels`; beyond its edges the picture is mirrored."""
    edges = [[0, 0], [EDGE, EDGE], [EDGE, EDGE], [0, 0]]
    return ops.conv(ops.pad(picture, edges, mode="symmetric"), kernels, strides=stride, padding="valid")


def samples(pixels: Pixels, most: int) -> NDArray[np.float32]:
    """At most about so many patches of a picture, evenly spread, as rows."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (PATCH, PATCH), axis=(0, 1))
    stride = max(1, int(np.ceil(np.sqrt(windows.shape[0] * windows.shape[1] / most))))
    rows: NDArray[np.float32] = windows[::stride, ::stride].transpose(0, 1, 3, 4, 2).reshape(-1, PATCH * PATCH * 3)
    return rows


def blur(length: int, sigma: float) -> NDArray[np.float32]:
    """The matrix that blurs a line of pixels; at the ends it weighs what is there."""
    at = np.arange(length)
    matrix = np.exp(-((at[:, None] - at) ** 2) / (2 * sigma**2))
    return np.asarray(matrix / matrix.sum(1, keepdims=True), np.float32)


def blurred(pixels: NDArray[np.float32], down: NDArray[np.float32], across: NDArray[np.float32]) -> NDArray[np.float32]:
    """A picture blurred by the matrices of its columns and its rows."""
    return np.asarray(
        np.einsum("yvc,xv->yxc", np.einsum("yv,vuc->yuc", down, pixels, optimize=True), across, optimize=True),
        np.float32,
    )


def softened(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """A picture blurred by about a pixel."""
    for axis in (0, 1):
        edges = [(3, 3) if each == axis else (0, 0) for each in range(pixels.ndim)]
        padded, length = np.pad(pixels, edges, mode="symmetric"), pixels.shape[axis]
        weights = np.exp(-(np.arange(-3, 4) ** 2) / 2).astype(np.float32)
        shifted = (padded.take(range(start, start + length), axis=axis) for start in range(7))
        pixels = sum(weight * each for weight, each in zip(weights / weights.sum(), shifted, strict=True))
    return pixels


def mixture(rows: Sequence[NDArray[np.float32]], shares: Sequence[float], count: int) -> NDArray[np.float32]:
    """About `count` rows, of each array as many as its share says, evenly spread."""
    chosen = [np.linspace(0, len(each) - 1, round(share * count)) for each, share in zip(rows, shares, strict=True)]
    return np.concatenate([each[at.round().astype(int)] for each, at in zip(rows, chosen, strict=True)])
