"""A night over a lake: wind drawn as whirling strokes, stars as rings of light, hills and lit windows below."""

from __future__ import annotations

import numpy as np

from atelier.brush import Brush, Canvas, Touch, lay
from atelier.ground import Array, Sheet, along, clouds, cover, gradient, ramp, rgb

HORIZON = 560.0
WHIRLS = (
    (300.0, 225.0, 125.0, 1.0),
    (640.0, 330.0, 100.0, -1.0),
    (880.0, 140.0, 120.0, 1.0),
    (60.0, 420.0, 80.0, -1.0),
)
STARS = (
    (110.0, 95.0, 34.0), (475.0, 75.0, 26.0), (560.0, 190.0, 20.0), (700.0, 95.0, 30.0), (455.0, 395.0, 24.0),
    (180.0, 395.0, 20.0), (945.0, 330.0, 28.0), (790.0, 400.0, 17.0), (285.0, 60.0, 16.0),
)  # fmt: skip
MOON = (835.0, 215.0, 52.0)


def _sky_flow(x: Array, y: Array) -> Array:
    """The heading of the wind: a rolling current from left to right, wound up around each whirl."""
    east = np.ones_like(x)
    south = 0.45 * np.sin(x / 150 + y / 190)
    for whirl_x, whirl_y, size, sign in WHIRLS:
        dx, dy = x - whirl_x, y - whirl_y
        pull = 4.5 * np.exp(-(dx * dx + dy * dy) / (2 * size * size)) / size * sign
        # A little inflow turns rings into spirals.
        east += pull * (-dy - 0.22 * sign * dx)
        south += pull * (dx - 0.22 * sign * dy)
    for star_x, star_y, size in (*STARS, MOON):
        dx, dy = x - star_x, y - star_y
        pull = 9 * np.exp(-(dx * dx + dy * dy) / (2 * (size * 1.5) ** 2)) / size
        east -= pull * dy
        south += pull * dx
    return np.arctan2(south, east).astype(np.float32)


def _hill(x: Array, base: float, *waves: tuple[float, float, float]) -> Array:
    edge = np.full_like(x, base)
    for height, wavelength, phase in waves:
        edge -= height * np.sin(x / wavelength + phase)
    return edge


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The whole picture, from dark ground to raking light."""
    x, y = sheet.coordinates()
    angle = _sky_flow(x, y)

    wind = along(sheet, clouds(rng, sheet, 70, 4), angle, 70)
    wind = (wind - wind.mean()) / wind.std()
    glow = ramp(80, HORIZON, y)
    tone = 0.30 + 0.17 * wind + 0.22 * glow
    for whirl_x, whirl_y, size, _ in WHIRLS:
        r = np.hypot(x - whirl_x, y - whirl_y) / size
        tone += 0.26 * np.exp(-((r - 0.75) ** 2) / 0.08) + 0.20 * np.exp(-(r**2) / 0.06)
    night = rgb("0a1233", "122a66", "1c4a96", "3577b8", "74aecb", "c5d8c4", "efe3a4")
    plan = gradient(night, tone)

    for star_x, star_y, size in STARS:
        r = np.hypot(x - star_x, y - star_y) / size
        rings = 0.86 + 0.14 * np.cos(r * 6.5)
        plan = cover(plan, gradient(rgb("fffbe2", "ffe27a", "f0bb45", "9cc4b0"), r / 2.3), ramp(2.5, 0.7, r) * rings)
    moon_x, moon_y, size = MOON
    r = np.hypot(x - moon_x, y - moon_y) / size
    halo = gradient(rgb("fff7d0", "ffdc62", "f2a72e", "f3d98a", "8fc0b4"), r / 2.6)
    plan = cover(plan, halo, ramp(2.8, 1.0, r) * (0.9 + 0.1 * np.cos(r * 9)))
    bite = np.hypot(x - moon_x + 24, y - moon_y + 12) / (size * 0.8)
    plan = cover(plan, rgb("c8690f"), ramp(1.1, 0.9, bite) * ramp(1.05, 0.95, r) * 0.8)

    far = _hill(x, HORIZON - 22, (22, 95, 0.4), (10, 37, 1.0))
    near = _hill(x, HORIZON + 22, (26, 130, 3.4), (9, 51, 0.2))
    shore = HORIZON + 48 + 10 * np.sin(x / 120)
    folds = along(sheet, clouds(rng, sheet, 40, 3), _slope(far, sheet), 40)
    plan = cover(plan, gradient(rgb("0a1638", "1b3a72", "3f74a0"), 0.40 + 0.8 * folds), ramp(-2, 2, y - far))
    angle = np.where(y > far, _slope(far, sheet), angle)
    plan = cover(plan, gradient(rgb("060b18", "0c2430", "1f5346", "6f9350"), 0.30 + 0.9 * folds), ramp(-2, 2, y - near))
    angle = np.where(y > near, _slope(near, sheet) + 0.25, angle)

    ripple = clouds(rng, sheet, 26, 3, stretch=6)
    water = gradient(night[:6], 0.20 + 0.30 * ramp(760, shore.min(), y) + 0.22 * ripple)
    for light_x, _, size in (*STARS, MOON):
        wobble = 16 * np.sin(y / 9 + light_x) * ramp(HORIZON, 760, y) + 5 * ripple
        column = np.exp(-(((x - light_x - wobble) / (size * 0.55)) ** 2)) * (0.55 + 0.45 * np.sin(y / 4.4 + 3 * ripple))
        water = cover(water, rgb("f6c34a"), np.clip(column * 0.95, 0, 1))
    wet = ramp(-2, 2, y - shore)
    plan = cover(plan, water, wet)
    angle = np.where(y > shore, 0.10 * np.sin(x / 80 + y / 21), angle).astype(np.float32)

    houses = np.random.default_rng(11)
    lights = np.zeros_like(x)
    for _ in range(16):
        house_x, scale = houses.uniform(60, 940), houses.uniform(11, 20)
        foot = HORIZON + 46 + 10 * np.sin(house_x / 120)
        wall = (np.abs(x - house_x) < scale) & (y < foot) & (y > foot - scale * 1.3)
        roof = (np.abs(x - house_x) < (y - foot + scale * 2.5)) & (y <= foot - scale * 1.3) & (y > foot - scale * 2.5)
        plan = cover(plan, rgb("27406b"), wall.astype(np.float32))
        plan = cover(plan, rgb("0b1020"), (roof & (np.abs(x - house_x) < scale * 1.25)).astype(np.float32))
        pane = (np.abs(x - house_x) < scale * 0.45) & (np.abs(y - foot + scale * 0.7) < scale * 0.4)
        plan = cover(plan, rgb("ffd257"), pane.astype(np.float32))
        lights = np.maximum(lights, (wall | roof).astype(np.float32))

    canvas = Canvas(sheet, plan * 0.75 + rgb("152447") * 0.25)
    brush = Brush(rng)
    lay(canvas, brush, rng, plan, angle, Touch(34, 120, 2.0, value_jitter=0.10, keep_edges=0.30))
    lay(canvas, brush, rng, plan, angle, Touch(17, 72, 1.6, value_jitter=0.13, hue_jitter=0.05, keep_edges=0.2))
    lay(canvas, brush, rng, plan, angle, Touch(10, 44, 0.9, value_jitter=0.18, hue_jitter=0.06, relief=1.2))
    bright = ramp(0.5, 0.75, plan.max(axis=-1)) * ramp(0.1, 0.3, np.ptp(plan, axis=-1)) + lights
    lay(canvas, brush, rng, plan, angle, Touch(8, 26, 1.3, value_jitter=0.08, keep_edges=0.12, relief=1.3), bright)
    return canvas.lit(0.9, 0.16)


def _slope(edge: Array, sheet: Sheet) -> Array:
    return np.asarray(np.arctan(np.gradient(edge, axis=1) * sheet.pixels_per_unit), np.float32)
