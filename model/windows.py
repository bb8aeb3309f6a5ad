"""Patches and blurs: the small windows through which pictures are looked at."""

from __future__ import annotations

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


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """A picture blurred both ways."""
    down, across = blur(pixels.shape[0], sigma), blur(pixels.shape[1], sigma)
    return np.asarray(np.einsum("yv,vuc,xu->yxc", down, pixels, across, optimize=True), np.float32)
