"""The brush: bristle marks rendered once, then bent, turned and laid by the thousand, with paint that has height."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atelier.ground import WIDTH, Array, Sheet, blur, clamp

MARKS = 16
MARK_WIDTHS = (6, 12, 24, 48)
MARK_LENGTH = 5
MakeMark = Callable[[np.random.Generator, int, float], Array]


@dataclass(frozen=True)
class Touch:
    """How one pass of strokes is laid; lengths are in units."""

    width: float
    length: float
    coverage: float = 2.0
    opacity: float = 0.92
    value_jitter: float = 0.06
    hue_jitter: float = 0.03
    angle_jitter: float = 0.12
    bend: float = 1.0
    """Share of the field's own curvature that a stroke follows."""
    keep_edges: float = 0.16
    """Colour difference along a stroke at which it is cut short, so that shapes hold."""
    relief: float = 1.0


def _smooth(field: Array, along: int, across: int) -> Array:
    for axis, size in ((0, along), (1, across)):
        for _ in range(2):
            pad = [(0, 0), (0, 0)]
            pad[axis] = (size, size)
            padded = np.pad(field, pad, mode="reflect")
            field = np.mean([np.roll(padded, k, axis) for k in range(-size, size + 1)], axis=0, dtype=np.float32)
            field = field[size:-size] if axis == 0 else field[:, size:-size]
    return field


def bristle_mark(rng: np.random.Generator, width: int, dryness: float) -> Array:
    """One mark of the brush, (5·width, width, 3): cover, height of paint, and tone between its two colours."""
    length = MARK_LENGTH * width
    s = np.linspace(0, 1, length, dtype=np.float32)[:, None]
    t = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    combed = rng.normal(0, 1, (1, width)) + 0.35 * rng.normal(0, 1, (length, width))
    hairs = _smooth(combed.astype(np.float32), max(1, width), 1)
    hairs = (hairs - hairs.mean()) / (hairs.std() + 1e-6)
    drift = _smooth(rng.normal(0, 1, (length, width)).astype(np.float32), width, max(1, width // 5))
    tone = np.clip(0.5 + 0.22 * hairs + 0.25 * drift / (drift.std() + 1e-6), 0, 1)
    # Every hair begins and ends a little elsewhere, and lifts off the canvas as its paint runs out.
    begin = 0.05 + 0.10 * t**2 + 0.03 * hairs
    end = 0.93 - 0.10 * t**2 + (0.05 + 0.12 * dryness) * hairs
    body = np.clip((s - begin) / 0.05, 0, 1) * np.clip((end - s) / 0.06, 0, 1)
    ragged = 0.90 + 0.06 * np.sin(2 * np.pi * (s * rng.uniform(1, 3) + rng.uniform())) * np.sign(t)
    side = np.clip((ragged - np.abs(t)) / (3.0 / width), 0, 1)
    thin = np.clip(1.15 - dryness * np.clip(s - 0.4, 0, 1) * 1.6 * (hairs < 0.1), 0, 1)
    ridge = np.exp(-(((np.abs(t) - 0.78) / 0.14) ** 2))
    lump = np.exp(-(((s - 0.88) / 0.06) ** 2))
    height = 0.55 + 0.24 * hairs + 0.40 * ridge + 0.35 * lump
    return np.stack([body * side * thin, height * body * side, tone * np.ones_like(s)], axis=-1).astype(np.float32)


def dab_mark(rng: np.random.Generator, width: int, dryness: float) -> Array:
    """One touch of a round brush's tip, in the form of `bristle_mark`: an uneven disc, thickest in the middle."""
    s = np.linspace(-1, 1, MARK_LENGTH * width, dtype=np.float32)[:, None]
    t = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    around = np.arctan2(t, s)
    phases = rng.uniform(0, 2 * np.pi, 3)
    edge = 0.86 + sum(0.10 * dryness / k * np.sin((k + 1) * around + phases[k - 1]) for k in (1, 2, 3))
    r = np.hypot(s, t) / edge
    cover = np.clip((1 - r) * width / 2.5, 0, 1)
    height = cover * (0.75 - 0.5 * r * r + 0.25 * np.exp(-(((r - 0.8) / 0.15) ** 2)))
    tone = np.clip(0.5 + 0.35 * np.sin(2 * s + phases[0]) * np.cos(2 * t + phases[1]), 0, 1)
    return np.stack([cover, height, tone], axis=-1).astype(np.float32)


class Brush:
    """Marks of one character at several resolutions, so that small strokes are not aliased."""

    def __init__(self, rng: np.random.Generator, dryness: float = 0.35, mark: MakeMark = bristle_mark) -> None:
        self._marks = {width: [mark(rng, width, dryness).reshape(-1, 3) for _ in range(MARKS)] for width in MARK_WIDTHS}

    def mark(self, width_in_pixels: float, which: int) -> tuple[Array, int]:
        width = next((w for w in MARK_WIDTHS if w >= width_in_pixels * 0.8), MARK_WIDTHS[-1])
        return self._marks[width][which % MARKS], width


class Canvas:
    """Wet paint: a colour and a height at every pixel."""

    def __init__(self, sheet: Sheet, ground: Array) -> None:
        self.sheet = sheet
        self.colour: Array = np.broadcast_to(ground, (sheet.down, sheet.across, 3)).astype(np.float32).copy()
        self.height: Array = np.zeros((sheet.down, sheet.across), np.float32)

    def stroke(
        self,
        mark: Array,
        mark_width: int,
        centre: tuple[float, float],
        angle: float,
        bend: float,
        size: tuple[float, float],
        colours: Array,
        opacity: float,
        relief: float,
    ) -> None:
        """Lays one stroke; centre, size (length, width) and bend (curvature) in pixels."""
        (x, y), (length, width) = centre, size
        cos, sin = np.cos(angle), np.sin(angle)
        sag = abs(bend) * length * length / 8 + width / 2
        reach_x = abs(cos) * length / 2 + abs(sin) * sag + 1
        reach_y = abs(sin) * length / 2 + abs(cos) * sag + 1
        left, right = max(0, int(x - reach_x)), min(self.sheet.across, int(x + reach_x) + 2)
        top, bottom = max(0, int(y - reach_y)), min(self.sheet.down, int(y + reach_y) + 2)
        if left >= right or top >= bottom:
            return
        dx = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x)
        dy = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - y))[:, None]
        u = cos * dx + sin * dy
        slope = bend * u
        # A parabola stands in for the arc; dividing by its slope keeps the stroke equally wide all along.
        v = (cos * dy - sin * dx - 0.5 * slope * u + bend * length * length / 24) / np.sqrt(1 + slope * slope)
        s = u / length + 0.5
        t = v / width + 0.5
        inside = (s >= 0) & (s < 1) & (t >= 0) & (t < 1)
        rows, columns = np.nonzero(inside)
        if not len(rows):
            return
        rows_of_mark = (s[inside] * (MARK_LENGTH * mark_width)).astype(np.intp)
        found = mark[rows_of_mark * mark_width + (t[inside] * mark_width).astype(np.intp)]
        cover = found[:, :1] * opacity
        place = (rows + top) * self.sheet.across + columns + left
        flat = self.colour.reshape(-1, 3)
        paint = colours[0] + (colours[1] - colours[0]) * found[:, 2:]
        below = flat[place]
        flat[place] = below + (paint - below) * cover
        heights = self.height.reshape(-1)
        below_height = heights[place]
        heights[place] = below_height + (found[:, 1] * relief - below_height * 0.75) * cover[:, 0]

    def lit(self, strength: float = 0.5, gloss: float = 0.12) -> Array:
        """The picture with light from the upper left raking over the paint."""
        slope_y, slope_x = np.gradient(blur(self.height, 1.0))
        raking = np.asarray(np.clip(-0.7 * (slope_x + slope_y), -0.35, 0.35) * strength * 2.0)
        shine = np.clip(raking - 0.10 * strength, 0, 1) * gloss * 4
        hollow = np.clip(blur(self.height, 4.0) - self.height, 0, 0.4) * strength * 0.25
        return clamp(self.colour * (1 + raking - hollow)[..., None] + shine[..., None])


def curvature(sheet: Sheet, angle: Array, x: Array, y: Array, reach: float) -> Array:
    """How fast the field turns along itself at the points, in radians a unit."""
    heading = sheet.at(angle, x, y)
    ahead = sheet.at(angle, x + np.cos(heading) * reach, y + np.sin(heading) * reach)
    behind = sheet.at(angle, x - np.cos(heading) * reach, y - np.sin(heading) * reach)
    # A field of lines has no sign: turns are taken modulo half a circle.
    turn = (ahead - behind + np.pi / 2) % np.pi - np.pi / 2
    return (turn / (2 * reach)).astype(np.float32)


def scatter(rng: np.random.Generator, sheet: Sheet, count: int, density: Array | None = None) -> tuple[Array, Array]:
    """About `count` points, evenly jittered over the sheet, fewer where `density` is below 1, in random order."""
    margin = 12.0
    wide, high = WIDTH + 2 * margin, sheet.height + 2 * margin
    cell = float(np.sqrt(wide * high / max(1, count)))
    columns, rows = int(np.ceil(wide / cell)), int(np.ceil(high / cell))
    place = rng.permutation(columns * rows)
    x = ((place % columns + rng.uniform(0, 1, len(place))) * cell - margin).astype(np.float32)
    y = ((place // columns + rng.uniform(0, 1, len(place))) * cell - margin).astype(np.float32)
    if density is not None:
        kept = rng.uniform(0, 1, len(place)) < sheet.at(density, x, y)
        x, y = x[kept], y[kept]
    return x, y


def _shortened(sheet: Sheet, plan: Array, x: Array, y: Array, angle: Array, length: Array, limit: float) -> Array:
    """Lengths cut where a stroke would run over a change of colour in the plan."""
    here = sheet.at(plan, x, y)
    kept = length.copy()
    for share in (0.5, 0.36, 0.22):
        for sign in (-1, 1):
            reach = sign * share * length
            there = sheet.at(plan, x + np.cos(angle) * reach, y + np.sin(angle) * reach)
            crossing = np.abs(there - here).max(axis=-1) > limit
            kept = np.where(crossing, np.minimum(kept, length * max(0.3, share * 1.3)), kept)
    return kept.astype(np.float32)


def _jittered(rng: np.random.Generator, colours: Array, value: float, hue: float) -> Array:
    shift = rng.normal(0, 1, (len(colours), 1)) * value
    tint = rng.normal(0, 1, colours.shape) * hue
    # Shadows take less of the jitter than lights, as mixed paint does.
    weight = 0.35 + 0.65 * colours.mean(axis=1, keepdims=True)
    return clamp(colours * (1 + shift) + (tint + shift * 0.25) * weight)


def lay(
    canvas: Canvas,
    brush: Brush,
    rng: np.random.Generator,
    plan: Array,
    angle: Array,
    touch: Touch,
    density: Array | None = None,
) -> None:
    """One pass: strokes all over the sheet (or where `density` allows), coloured by `plan`, following `angle`."""
    sheet = canvas.sheet
    count = int(touch.coverage * WIDTH * sheet.height / (touch.width * touch.length))
    x, y = scatter(rng, sheet, count, density)
    heading = sheet.at(angle, x, y) + rng.normal(0, touch.angle_jitter, len(x)).astype(np.float32)
    length = (touch.length * rng.uniform(0.65, 1.3, len(x))).astype(np.float32)
    width = (touch.width * rng.uniform(0.7, 1.25, len(x))).astype(np.float32)
    length = np.maximum(_shortened(sheet, plan, x, y, heading, length, touch.keep_edges), width)
    bend = curvature(sheet, angle, x, y, touch.length * 0.3) * touch.bend
    bend = np.clip(bend, -1.6 / length, 1.6 / length)
    # Two neighbouring colours are loaded on each brush; the bristles mix them.
    first = _jittered(rng, sheet.at(plan, x, y), touch.value_jitter, touch.hue_jitter)
    aside = rng.normal(0, touch.width * 0.5, (2, len(x))).astype(np.float32)
    second = _jittered(rng, sheet.at(plan, x + aside[0], y + aside[1]), touch.value_jitter, touch.hue_jitter)
    second = np.where(np.abs(second - first).max(axis=1, keepdims=True) > 0.3, first, second)
    colours = np.stack([first, second], axis=1)
    for stroke in _in_pixels(sheet, x, y, heading, bend, length, width):
        index, centre, turn, sag, size = stroke
        mark, mark_width = brush.mark(size[1], int(rng.integers(MARKS)))
        canvas.stroke(mark, mark_width, centre, turn, sag, size, colours[index], touch.opacity, touch.relief)


Placed = tuple[int, tuple[float, float], float, float, tuple[float, float]]


def _in_pixels(
    sheet: Sheet, x: Array, y: Array, heading: Array, bend: Array, length: Array, width: Array
) -> Iterator[Placed]:
    scale = sheet.pixels_per_unit
    columns: list[NDArray[np.float32]] = [x * scale, y * scale, heading, bend / scale, length * scale, width * scale]
    for index, (px, py, turn, sag, long, wide) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        yield index, (px, py), turn, sag, (long, max(wide, 1.5))
