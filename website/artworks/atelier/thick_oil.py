"""A harvest field in late sun, in paint thick enough to cast shadows: broad, dry, short, decided strokes."""

from __future__ import annotations

import numpy as np

from atelier.brush import Brush, Canvas, Touch, lay
from atelier.ground import Array, Sheet, clouds, cover, gradient, noise, ramp, rgb

HORIZON = 300.0
SUN = (690.0, 205.0, 44.0)
TREES = (
    (165.0, 318.0, 92.0, 1.25), (70.0, 330.0, 70.0, 1.1), (262.0, 310.0, 52.0, 1.0),
    (905.0, 322.0, 66.0, 1.5), (975.0, 326.0, 56.0, 1.2),
)  # fmt: skip


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The whole picture, from warm ground to raking light."""
    x, y = sheet.coordinates()
    sun_x, sun_y, sun_size = SUN
    from_sun = np.hypot(x - sun_x, (y - sun_y) * 1.25)

    drift = clouds(rng, sheet, 130, 4, stretch=2.4)
    sky = gradient(
        rgb("fff1b8", "ffd15e", "f99f3e", "e56f45", "b8557a", "6b4a86", "3d3c78"), from_sun / 760 + 0.10 * drift
    )
    banks = ramp(0.15, 0.65, clouds(rng, sheet, 120, 4, stretch=3.2) + 0.35 * np.sin(y / 33))
    sky = cover(
        sky, gradient(rgb("ffc777", "f0825a", "9a4f7d", "4e4080"), from_sun / 620), banks * ramp(60, 150, from_sun)
    )
    plan = cover(sky, rgb("fffbe6"), ramp(sun_size * 1.1, sun_size * 0.8, from_sun))
    angle = np.arctan2(x - sun_x, -(y - sun_y) * 1.4)
    angle = np.where(from_sun > 230, 0.22 * np.sin(x / 170 + y / 60) + 0.25 * noise(rng, sheet, 120), angle)

    hills = HORIZON - 26 - 30 * np.sin(x / 140 + 2.2) - 10 * np.sin(x / 47)
    dusk = 0.4 + 0.4 * noise(rng, sheet, 40) + 0.3 * ramp(400, 0, from_sun)
    plan = cover(plan, gradient(rgb("3e3a7c", "6f4c8c", "c06a6a"), dusk), ramp(-1.5, 1.5, y - hills))
    angle = np.where(y > hills, 0.35 * np.cos(x / 140 + 2.2) * -1, angle)

    # The field's furrows run to a vanishing point under the sun.
    land = y > HORIZON
    depth = np.maximum(y - HORIZON + 14, 1)
    furrow = (x - 560) / depth
    rows = np.sin(furrow * 9 + 0.6 * noise(rng, sheet, 60))
    wheat = 0.52 + 0.22 * rows + 0.24 * clouds(rng, sheet, 60, 3, stretch=2) - 0.16 * ramp(HORIZON + 60, 750, y)
    wheat += 0.20 * np.exp(-(((x - sun_x) / 190) ** 2)) * ramp(560, HORIZON, y)
    field = gradient(rgb("4a1d2e", "8e3425", "c8611f", "e9952a", "fbc647", "fff0a0"), wheat)
    poppies = ramp(0.42, 0.62, clouds(rng, sheet, 30, 2, stretch=1.8)) * ramp(HORIZON + 60, HORIZON + 190, y)
    field = cover(field, rgb("d3202a"), poppies * 0.9)
    green = ramp(0.35, 0.75, clouds(rng, sheet, 170, 3, stretch=2.5)) * 0.75
    field = cover(field, gradient(rgb("23402f", "5f7a2f", "b9b545"), wheat), green)
    plan = cover(plan, field, land.astype(np.float32))
    angle = np.where(land, np.arctan2(depth, x - 560), angle)

    bend = 560 + 150 * np.sin((y - HORIZON) / 125) * ramp(HORIZON, 760, y) - 90 * ramp(HORIZON, 760, y)
    wide = 4 + 0.23 * (y - HORIZON)
    ruts = np.abs((x - bend) / np.maximum(wide, 1))
    road = gradient(rgb("f6c9a0", "b57a92", "6d5a96", "e3a47c", "8a5f80"), ruts + 0.15 * noise(rng, sheet, 30))
    plan = cover(plan, road, ramp(1.05, 0.92, ruts) * land)
    turn = np.arctan2(np.ones_like(y), np.gradient(bend, axis=0) * sheet.pixels_per_unit)
    angle = np.where((ruts < 1) & land, turn, angle)

    leaf = clouds(rng, sheet, 34, 3)
    for tree_x, foot, size, tall in TREES:
        dx, dy = (x - tree_x) / size, (y - foot + size * tall * 0.8) / (size * tall)
        crown = np.hypot(dx, dy) + 0.20 * leaf
        lit = 0.45 + 0.35 * leaf + 0.28 * dx * np.sign(sun_x - tree_x) - 0.30 * dy
        plan = cover(
            plan, gradient(rgb("141a2b", "1f3a35", "4d6130", "b98a2c", "f7c24c"), lit), ramp(0.98, 0.86, crown)
        )
        angle = np.where(crown < 0.95, np.arctan2(dy, dx) + np.pi / 2 + 0.5 * leaf, angle)
        shade = np.exp(
            -(((y - foot - 16) / 13) ** 2) - ((x - tree_x - np.sign(tree_x - sun_x) * size * 0.5) / size / 1.2) ** 4
        )
        plan = cover(plan, rgb("3a2148"), shade * 0.85 * land)

    canvas = Canvas(sheet, plan * 0.6 + rgb("7a2f2a") * 0.4)
    brush = Brush(rng, dryness=0.7)
    angle = angle.astype(np.float32)
    lay(canvas, brush, rng, plan, angle, Touch(60, 130, 3.2, value_jitter=0.07, hue_jitter=0.04, keep_edges=0.4))
    lay(canvas, brush, rng, plan, angle, Touch(38, 92, 2.0, value_jitter=0.10, hue_jitter=0.05, keep_edges=0.3))
    lay(canvas, brush, rng, plan, angle, Touch(22, 58, 0.7, value_jitter=0.13, hue_jitter=0.06, keep_edges=0.22))
    busy = ramp(0.02, 0.10, np.abs(np.gradient(plan.mean(axis=-1))).sum(axis=0) * sheet.pixels_per_unit)
    lay(canvas, brush, rng, plan, angle, Touch(13, 34, 1.1, value_jitter=0.10, keep_edges=0.2, relief=1.2), busy)
    return canvas.lit(0.95, 0.16)
