"""Somebody walking home under a burning sky: long winding strokes, hard contours, no colour as it is."""

from __future__ import annotations

import numpy as np

from atelier.brush import Brush, Canvas, Touch, lay
from atelier.ground import Array, Sheet, blur, cover, gradient, noise, ramp, rgb

HORIZON = 640.0
FOOT, HEAD = 1150.0, 610.0
CONTOUR = rgb("0d1030")


def _tangent(field: Array) -> Array:
    """The heading along which the field stays as it is."""
    down, across = np.gradient(field)
    return np.arctan2(across, -down).astype(np.float32)


def _outlined(sheet: Sheet, plan: Array, shape: Array, thickness: float) -> Array:
    soft = blur(shape, max(1.0, thickness * sheet.pixels_per_unit / 2))
    return cover(plan, CONTOUR, ramp(0.12, 0.36, np.minimum(soft, 1 - soft)))


def _figure(x: Array, y: Array) -> dict[str, tuple[Array, Array]]:
    """Cover and tone (0 dark, 1 light) of what the walker is made of, from back to front."""
    up = (FOOT - y) / (FOOT - HEAD)
    lean = 560 + 36 * np.clip(up, 0, None) ** 1.5
    side = x - lean
    # The coat: narrow at the shoulders, blown out to the left at its hem.
    left = 40 + 92 * np.clip(0.80 - up, 0, 1) ** 0.8 + 70 * np.clip(0.42 - up, 0, 1) * (1 + 0.35 * np.sin(y / 17))
    right = 44 + 42 * np.clip(0.80 - up, 0, 1) ** 0.9 + 8 * np.sin(y / 60)
    shoulders = ramp(0.845, 0.775, up + 0.0011 * np.abs(side))
    coat = (side > -left) * (side < right) * (up > 0.10) * shoulders
    legs = (
        ((np.abs(side + 20 + 26 * (0.1 - up)) < 15) | (np.abs(side - 24 + 40 * (0.1 - up)) < 15))
        * (up < 0.13)
        * (up > -0.02)
    )
    head = np.hypot((x - 600) / 39, (y - HEAD - 34) / 54)
    hat_brim = np.hypot((x - 596 - 0.25 * (y - HEAD)) / 76, (y - HEAD - 4 + 0.16 * (x - 596)) / 11)
    hat_top = np.hypot((x - 590) / 40, (y - HEAD + 26) / 36)
    away = (575 - x) / 390
    wave = HEAD + 84 - 70 * np.clip(away, 0, 1) + 46 * np.sin(away * 6.2 + 0.3) * np.clip(away * 1.6, 0, 1)
    scarf = (np.abs(y - wave) < 26 * (1.05 - 0.45 * away)) * (away > -0.16) * (away < 1 + 0.03 * np.sin(y / 6))
    arm_x = lean + 62 + 34 * np.sin(np.clip((0.74 - up) / 0.34, 0, 1) * 2.6)
    arm = (np.abs(x - arm_x) < 25) * (up < 0.76) * (up > 0.40)
    hand = np.hypot((x - arm_x) / 21, (up - 0.385) / 0.035)
    light = 0.5 + 0.5 * side / 90
    return {
        "legs": (legs.astype(np.float32), light),
        "scarf": (scarf.astype(np.float32), 0.5 + (wave - y) / 60 + 0.25 * np.sin(away * 24)),
        "coat": (coat.astype(np.float32), light + 0.16 * np.sin(side / 13 + y / 90)),
        "arm": (arm.astype(np.float32), 0.5 + (x - arm_x) / 50),
        "hand": (ramp(1.05, 0.9, hand), 0.6 + 0 * x),
        "head": (ramp(1.03, 0.95, head), 0.62 + (x - 600) / 80),
        "hat": (np.maximum(ramp(1.05, 0.95, hat_brim), ramp(1.04, 0.95, hat_top) * (y < HEAD)), 0.5 + (x - 590) / 90),
    }


COLOURS = {
    "legs": ("0b0f2c", "27306e"),
    "scarf": ("b8860f", "f6c21f", "fff08a", "fffbd0"),
    "coat": ("0b1038", "182a7a", "2f58b8", "63a4d8"),
    "arm": ("0b1038", "1d3590", "4f8ad0"),
    "hand": ("2f8f6a", "f6c9a8"),
    "head": ("1f6a5a", "5fb58a", "f4b08a", "ffd9b0"),
    "hat": ("0a0c20", "1c2250", "4a3f8c"),
}


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The whole picture, from the sky's long waves to the contours."""
    x, y = sheet.coordinates()
    swell = noise(rng, sheet, 330, 1.7)
    waves = y / 62 + 1.25 * np.sin(x / 190 + y / 260 + 0.6) + 1.1 * swell + 0.35 * np.sin(x / 70 - y / 110)
    waves += 2.6 * np.exp(-(((x - 250) / 190) ** 2) - ((y - 270) / 150) ** 2)
    bands = waves + 0.22 * noise(rng, sheet, 36, 3)
    sky = gradient(
        rgb("6a0f3c", "b3123f", "e2263c", "f0553f", "f9a05a", "fbd98a", "f28aa0", "d4407a", "8a1a5a", "6a0f3c"),
        (bands % 5.2) / 5.2,
    )
    plan = cover(sky, rgb("fff3b8"), ramp(0.80, 0.97, np.sin(bands * 1.21 + 1.0)) * 0.8)
    sun = np.hypot(x - 250, (y - 300) * 1.1)
    plan = cover(plan, gradient(rgb("fffbe0", "ffe66a", "ff9a3a"), sun / 95), ramp(100, 84, sun))
    angle = _tangent(waves)

    water = y - HORIZON - 5 * np.sin(x / 60)
    tide = (y - HORIZON) / 26 + 0.8 * np.sin(x / 120 + y / 60) + 0.9 * noise(rng, sheet, 140, 2.4)
    sea = gradient(rgb("06283a", "0b5a5f", "1d9a86", "7fd0b0", "0f6f78", "06283a"), (tide % 3.4) / 3.4)
    glitter = np.exp(-(((x - 262 - 12 * np.sin(y / 12)) / (46 + 0.2 * water)) ** 2)) * (np.sin(y / 5.2) > -0.2)
    plan = cover(plan, cover(sea, rgb("ffd76a"), 0.9 * glitter), ramp(-1.5, 1.5, water))
    angle = np.where(water > 0, _tangent(tide), angle)
    hills = HORIZON - 74 * np.exp(-(((x - 860) / 190) ** 2)) - 34 * np.exp(-(((x - 1010) / 90) ** 2))
    hills -= 24 * np.exp(-(((x - 40) / 130) ** 2))
    ridge = ((y > hills) & (water < 0)).astype(np.float32)
    plan = cover(plan, gradient(rgb("201050", "4a1f86", "9a3f9c"), 0.5 + 0.5 * np.sin((y - hills) / 9 + x / 70)), ridge)
    plan = _outlined(sheet, plan, (y > np.minimum(hills, HORIZON + 5 * np.sin(x / 60))).astype(np.float32), 6)

    shore = 905 - 150 * np.sin(x / 330 + 0.5) + 0.16 * (500 - x) + 12 * np.sin(x / 41)
    land = (y > shore).astype(np.float32)
    rows = (y - shore) / 34 + 0.9 * np.sin(x / 150) + 0.6 * swell + 0.2 * noise(rng, sheet, 40, 2)
    dune = gradient(
        rgb("1c1440", "123f4a", "1f6a3f", "7d9a2c", "d9c04a", "3f7a3a", "3a1f5a", "1c1440"), (rows % 4.6) / 4.6
    )
    depth = np.clip((y - shore) / 420, 0, 1)
    middle = 690 - 330 * depth + 150 * np.sin(depth * 4.0) + 10 * np.sin(y / 23)
    path = np.abs(x - middle) / (16 + 150 * depth)
    rose = gradient(rgb("ffe6c4", "f7b08a", "e0605a", "8a2a5a"), path * 0.8 + 0.25 * np.sin(y / 13 + x / 40))
    dune = cover(dune, rose, ramp(1.05, 0.95, path))
    plan = cover(plan, dune, land)
    plan = _outlined(sheet, plan, land, 6)
    plan = _outlined(sheet, plan, land * (path < 1), 5)
    angle = np.where(land > 0, _tangent(rows), angle)
    shadow = np.hypot((x - 700 - 0.9 * (y - FOOT)) / 170, (y - FOOT - 8) / 20)
    plan = cover(plan, rgb("1a1050"), ramp(1.05, 0.8, shadow) * 0.85 * land)

    figure = np.zeros_like(x)
    folds = (np.pi / 2 + 0.25 * np.sin(x / 31) + 0.15 * noise(rng, sheet, 60)).astype(np.float32)
    for name, (shape, tone) in _figure(x, y).items():
        plan = cover(plan, gradient(rgb(*COLOURS[name]), tone), shape)
        plan = _outlined(sheet, plan, shape, 6)
        figure = np.maximum(figure, shape)
        angle = np.where(shape > 0.5, 0.35 * np.cos(x / 60) if name in ("scarf", "hat") else folds, angle)

    canvas = Canvas(sheet, plan * 0.6 + rgb("5a1030") * 0.4)
    brush = Brush(rng, dryness=0.75)
    angle = angle.astype(np.float32)
    scene = 1 - figure
    lay(canvas, brush, rng, plan, angle, Touch(34, 190, 2.4, value_jitter=0.07, hue_jitter=0.04, keep_edges=0.35))
    lay(
        canvas, brush, rng, plan, angle, Touch(18, 130, 1.6, value_jitter=0.10, hue_jitter=0.05, keep_edges=0.24), scene
    )
    lay(canvas, brush, rng, plan, angle, Touch(11, 64, 1.2, value_jitter=0.10, hue_jitter=0.05, keep_edges=0.18))
    lay(canvas, brush, rng, plan, angle, Touch(8, 30, 3.0, value_jitter=0.06, keep_edges=0.12, relief=1.2), figure)
    dark = ramp(0.22, 0.12, plan.mean(axis=-1))
    lay(canvas, brush, rng, plan, angle, Touch(7, 24, 1.6, value_jitter=0.04, keep_edges=0.12), dark)
    return canvas.lit(0.85, 0.12)
