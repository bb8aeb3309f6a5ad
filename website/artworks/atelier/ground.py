"""What a picture stands on: the sheet and its coordinates, noise, colours, and fields sampled at points.

Scenes are composed in units of a thousandth of the picture's width, so one composition paints at any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Array = NDArray[np.floating[Any]]
WIDTH = 1000.0


@dataclass(frozen=True)
class Sheet:
    """A canvas of `across` × `down` pixels, seen as 1000 units across."""

    across: int
    down: int

    @property
    def pixels_per_unit(self) -> float:
        return self.across / WIDTH

    @property
    def height(self) -> float:
        """The sheet's height in units."""
        return self.down / self.pixels_per_unit

    def coordinates(self) -> tuple[Array, Array]:
        """x and y, in units, at the centre of every pixel."""
        x = (np.arange(self.across, dtype=np.float32) + 0.5) / np.float32(self.pixels_per_unit)
        y = (np.arange(self.down, dtype=np.float32) + 0.5) / np.float32(self.pixels_per_unit)
        grid_x, grid_y = np.meshgrid(x, y)
        return grid_x, grid_y

    def at(self, field: Array, x: Array, y: Array) -> Array:
        """The field's values at points given in units; points outside take the nearest edge."""
        column = np.clip(x * self.pixels_per_unit, 0, self.across - 1).astype(np.intp)
        row = np.clip(y * self.pixels_per_unit, 0, self.down - 1).astype(np.intp)
        found: Array = field[row, column]
        return found


def noise(rng: np.random.Generator, sheet: Sheet, wavelength: float, stretch: float = 1.0) -> Array:
    """Smooth noise in about [-1, 1]; `stretch` makes it that much longer across than down."""
    columns = max(2, round(WIDTH / (wavelength * stretch)) + 2)
    rows = max(2, round(sheet.height / wavelength) + 2)
    seeds = rng.uniform(-1, 1, (rows, columns)).astype(np.float32)
    # Cut out of a slightly larger grid, so that the knots lie `wavelength` apart whatever the sheet's size.
    right, bottom = min(0.5 + WIDTH / (wavelength * stretch), columns), min(0.5 + sheet.height / wavelength, rows)
    smooth = Image.fromarray(seeds).resize(
        (sheet.across, sheet.down), Image.Resampling.BICUBIC, (0.5, 0.5, right, bottom)
    )
    return np.asarray(smooth, dtype=np.float32)


def grain(rng: np.random.Generator, sheet: Sheet) -> Array:
    """Independent noise at every pixel, of deviation 1."""
    # From a child generator: what is drawn after it must not depend on how many pixels there are.
    return rng.spawn(1)[0].normal(0, 1, (sheet.down, sheet.across)).astype(np.float32)


def clouds(
    rng: np.random.Generator, sheet: Sheet, wavelength: float, octaves: int = 5, stretch: float = 1.0, fade: float = 0.5
) -> Array:
    """Fractal noise: octaves of `noise`, each half as long and `fade` as strong."""
    total = np.zeros((sheet.down, sheet.across), np.float32)
    weight = 1.0
    for octave in range(octaves):
        total += np.float32(weight) * noise(rng, sheet, wavelength / 2**octave, stretch)
        weight *= fade
    return total


def clamp(value: ArrayLike) -> Array:
    """The value held within [0, 1]."""
    return np.asarray(np.clip(value, 0, 1), np.float32)


def ramp(low: float, high: float, value: ArrayLike) -> Array:
    """0 below `low`, 1 above `high`, smooth in between; with `low` above `high` it falls instead."""
    t = np.clip((np.asarray(value, np.float32) - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def rgb(*codes: str) -> Array:
    """Colours from hex codes, as rows in [0, 1]; one code gives one row's three numbers."""
    rows = [[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in codes]
    return np.asarray(rows[0] if len(codes) == 1 else rows, np.float32)


def gradient(colours: Array, value: Array) -> Array:
    """Colours along a palette laid out evenly over [0, 1]."""
    place = np.clip(value, 0, 1) * (len(colours) - 1)
    low = np.minimum(place.astype(np.intp), len(colours) - 2)
    share = (place - low)[..., None]
    return np.asarray(colours[low] * (1 - share) + colours[low + 1] * share, np.float32)


def cover(picture: Array, colour: Array, share: Array) -> Array:
    """`colour` laid over `picture` where `share` is 1."""
    return (picture + (colour - picture) * share[..., None]).astype(np.float32)


def blur(field: Array, radius: float) -> Array:
    """A Gaussian-like blur of `radius` pixels, by three box filters along each axis."""
    size = max(1, round(radius))
    for axis in (0, 1):
        for _ in range(3):
            pad = [(0, 0)] * field.ndim
            pad[axis] = (size + 1, size)
            total = np.cumsum(np.pad(field, pad, mode="edge"), axis=axis, dtype=np.float64)
            count = 2 * size + 1
            high = np.take(total, range(count, total.shape[axis]), axis)
            low = np.take(total, range(total.shape[axis] - count), axis)
            field = ((high - low) / count).astype(np.float32)
    return field


def seams(labels: NDArray[np.generic], thickness: float) -> Array:
    """Lines `thickness` pixels wide where neighbouring pixels belong to different pieces."""
    edges = np.zeros(labels.shape, np.float32)
    edges[1:] = labels[1:] != labels[:-1]
    edges[:, 1:] = np.maximum(edges[:, 1:], labels[:, 1:] != labels[:, :-1])
    radius = max(1, round(thickness / 2.4))
    deviation = np.sqrt(((2 * radius + 1) ** 2 - 1) / 4)
    # A line too thin for the pixels is drawn fainter instead.
    strength = min(1.0, thickness / (2.4 * radius))
    return ramp(0.38, 0.68, blur(edges, radius) * np.sqrt(2 * np.pi) * deviation) * np.float32(strength)


def along(sheet: Sheet, field: Array, angle: Array, reach: float, steps: int = 10) -> Array:
    """The field smeared along the lines of `angle`, `reach` units each way (line integral convolution)."""
    total = field.copy()
    stride = reach / steps
    for sign in (-1.0, 1.0):
        x, y = sheet.coordinates()
        for _ in range(steps):
            heading = sheet.at(angle, x, y)
            # Mirrored at the edges: standing still there would draw one value out into a scratch.
            x = WIDTH - np.abs(WIDTH - np.abs(x + np.float32(sign * stride) * np.cos(heading)))
            y = sheet.height - np.abs(sheet.height - np.abs(y + np.float32(sign * stride) * np.sin(heading)))
            total += sheet.at(field, x, y)
    return total / np.float32(2 * steps + 1)
