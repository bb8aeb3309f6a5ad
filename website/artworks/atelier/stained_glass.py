"""A leaded window: a sun over a river valley and irises, every pane its own glass, light coming through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atelier.ground import Array, Sheet, blur, clamp, clouds, cover, grain, noise, ramp, rgb, seams

Labels = NDArray[np.int64]
SUN = (560.0, 330.0)
IRISES = ((200.0, 850.0, 165.0, 0.2), (505.0, 1010.0, 180.0, 0.9), (815.0, 880.0, 172.0, 0.5))


class Panes:
    """The window as it is cut: a label for every pixel, and the glass chosen for each region."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.labels: Labels = np.zeros(shape, np.int64)
        self._palettes: list[Array] = []

    def cut(self, where: Array | NDArray[np.bool_], pieces: NDArray[np.floating], palette: Array) -> None:
        """Replaces a region by panes, one for each whole value of `pieces`, in glass of `palette`."""
        number = len(self._palettes) + 1
        self._palettes.append(palette)
        inner = np.floor(pieces).astype(np.int64) + 50_000
        self.labels = np.where(where, number * 1_000_000 + inner, self.labels)

    def coloured(self, rng: np.random.Generator) -> Array:
        """A colour for every pane: somewhere on its region's palette."""
        names, place = np.unique(self.labels, return_inverse=True)
        colours = np.zeros((len(names), 3), np.float32)
        for index, name in enumerate(names.tolist()):
            palette = self._palettes[name // 1_000_000 - 1]
            first, second = rng.integers(len(palette), size=2)
            colours[index] = palette[first] + (palette[second] - palette[first]) * rng.uniform(0, 0.5)
        return colours[place.reshape(self.labels.shape)]


def _cut_sky(panes: Panes, x: Array, y: Array) -> None:
    dx, dy = x - SUN[0], y - SUN[1]
    r, around = np.hypot(dx, dy), np.arctan2(dy, dx) + np.pi
    everywhere = np.ones_like(x, dtype=bool)
    ring = np.floor(np.log(np.maximum(r, 30) / 90) / 0.30)
    spokes = np.where(ring < 0, 8, 22 + 2 * np.maximum(ring, 0))
    sector = around / (2 * np.pi) * spokes + 0.5 * (ring % 2) + 0.35 * np.sin(r / 55)
    panes.cut(everywhere, np.floor(sector) + 100 * ring + 300, rgb("1d3f9e", "2f6fd0", "5fb0e8", "274a9c", "7a4fb5"))
    near = r < 90 * np.exp(0.30 * 3)
    panes.cut(near, np.floor(sector) + 100 * ring + 300, rgb("f7a823", "ffd24d", "f06a2a", "ffe79a", "e8456b"))
    panes.cut(r < 90, np.floor(around / (2 * np.pi) * 7 + 0.02 * r) + 20 * (r < 42), rgb("ffe36b", "fff2b8", "ffc53a"))


def _cut_land(panes: Panes, x: Array, y: Array) -> None:
    ridges = (
        (520, 60, 150, 0.3, 4.6, rgb("5b3f9a", "7f5bc0", "3f4fa8", "a06fc6")),
        (610, 44, 120, 2.4, 4.1, rgb("1f6f8f", "2f9fa0", "23588f", "4fb8b0")),
        (700, 40, 170, 4.4, 3.6, rgb("1f7a4a", "46a85a", "8cc44f", "2f8f6f")),
    )
    for base, height, wavelength, phase, pace, palette in ridges:
        edge = base - height * np.sin(x / wavelength + phase) - 0.3 * height * np.sin(x / wavelength * 2.3)
        below = y - edge
        band = np.floor(below / 52)
        piece = np.floor((x + 46 * (band % 2) + below * 0.7 + 20 * np.sin(y / 40)) / (26 * pace))
        panes.cut(below > 0, piece + 60 * band + 400, palette)
    depth = np.clip((y - 640) / 560, 0, 1)
    middle = 520 + 130 * np.sin(depth * 5.2) - 60 * depth
    wide = 16 + 150 * depth
    across = (x - middle) / wide
    flow = np.floor(depth * 11 + 0.35 * np.sin(3 * across))
    panes.cut(
        (np.abs(across) < 1) & (y > 668),
        np.floor(across * 1.5 + 10 + 0.5 * (flow % 2)) + 30 * flow,
        rgb("8fd6ee", "d5f1f2", "4fa6dc", "b9e3e0", "f7dfa0"),
    )
    meadow = 880 + 46 * np.sin(x / 140 + 1.0) + 60 * np.abs(x - 500) / 500 * -1
    blade = np.floor(x / 47 + 0.8 * np.sin(y / 74)) + 40 * np.floor((y - meadow) / 108 + 0.5 * np.sin(x / 60))
    panes.cut((y > meadow) & (np.abs(across) > 1), blade + 400, rgb("0f5a3c", "1f8a4c", "6fb23f", "15694f", "b5cf4a"))


def _cut_iris(panes: Panes, x: Array, y: Array, cx: float, cy: float, size: float, tilt: float) -> None:
    stem = np.abs(x - cx - 16 * np.sin((y - cy) / 110)) < size * 0.085
    panes.cut(stem & (y > cy), np.floor((y - cy) / 130), rgb("2f9a4a", "8cc63f"))
    for side in (-1, 1):
        height = (y - cy - size * 0.4) / (size * 2.4)
        leaf = np.abs(x - cx - side * size * (0.25 + 0.75 * (1 - height) ** 2)) < size * 0.15 * np.clip(height, 0, 1)
        panes.cut(leaf & (height > 0), np.floor(height * 5 + 10), rgb("2aa05a", "a8d04a", "1f7f55"))
    for petal, (turn, long, wide) in enumerate(
        (
            (-1.57, 1.0, 0.5),
            (-2.6, 0.95, 0.42),
            (-0.54, 0.95, 0.42),
            (2.25, 1.0, 0.45),
            (0.9, 1.0, 0.45),
            (1.57, 0.8, 0.34),
        )
    ):
        turn += 0.25 * (tilt - 0.4)
        dx, dy = x - cx - np.cos(turn) * size * 0.5 * long, y - cy - np.sin(turn) * size * 0.5 * long
        u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        inside = np.hypot(u / (size * 0.54 * long), v / (size * wide * (0.62 + 0.35 * u / size))) < 1
        tongue = np.hypot((u + size * 0.14) / (size * 0.26), v / (size * 0.10)) < 1
        palette = rgb("5a2ea8", "8a4fd0", "b583e6") if petal < 3 else rgb("3a1f8a", "6a35b8", "d24fa0")
        panes.cut(inside, np.where(v > 0, 1, 0) + 2 * np.floor(u / size + 5.1), palette)
        panes.cut(inside & tongue, np.zeros_like(x), rgb("ffd23f", "ffb02a"))


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The window, from the cutting of the glass to the light in it."""
    x, y = sheet.coordinates()
    # Hand-cut: every line wavers a little.
    bent_x = x + 7 * noise(rng, sheet, 90) + 2 * noise(rng, sheet, 30)
    bent_y = y + 7 * noise(rng, sheet, 90) + 2 * noise(rng, sheet, 30)
    panes = Panes(x.shape)
    _cut_sky(panes, bent_x, bent_y)
    _cut_land(panes, bent_x, bent_y)
    for iris in IRISES:
        _cut_iris(panes, bent_x, bent_y, *iris)

    scale = sheet.pixels_per_unit
    lead = seams(panes.labels, 6.2 * scale)
    glass = panes.coloured(rng)
    seeds = noise(rng, sheet, 60, 1) + 0.5 * noise(rng, sheet, 14, 1)
    # Each pane was blown by itself: its streaks run their own way.
    way = (panes.labels * 2654435761 % 628) / 100
    swirl = np.sin((x * np.cos(way) + y * np.sin(way)) / 5.5 + 3.5 * seeds) * 0.6 + np.sin(
        (x * np.sin(way) - y * np.cos(way)) / 17 + 2 * seeds
    )
    lit = 1 + 0.13 * swirl + 0.16 * clouds(rng, sheet, 120, 3)
    specks = blur(grain(rng, sheet), scale)
    bubbles = ramp(2.9, 3.3, specks / specks.std())
    glow = 0.80 + 0.42 * np.exp(-((np.hypot(x - SUN[0], y - SUN[1]) / 420) ** 2))
    near_lead = np.clip(blur(lead, 9 * scale) * 1.6, 0, 1)
    glass = np.clip(glass * (lit * glow * (1.10 - 0.42 * near_lead))[..., None] + 0.18 * bubbles[..., None], 0, 1)

    height = blur(lead, 1.4 * scale)
    slope_y, slope_x = np.gradient(height)
    shine = np.clip(-(slope_x + slope_y) * 1.5, -0.4, 0.8)
    came = rgb("1a1a20") + (0.10 * clouds(rng, sheet, 12, 3) + 0.45 * shine)[..., None] * rgb("8f97a8")
    window = cover(glass.astype(np.float32), came.astype(np.float32), lead)
    # Bright glass bleeds light over the lead, as it does to the eye.
    return clamp(window + 0.16 * blur(window, 10 * scale) - 0.03)
