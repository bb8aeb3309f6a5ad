"""A garden path at noon, in dots of unmixed colour: every area holds its own hue and a little of the opposite one."""

from __future__ import annotations

import numpy as np

from atelier.brush import Brush, Canvas, Touch, dab_mark, lay
from atelier.ground import Array, Sheet, clouds, cover, gradient, noise, ramp, rgb

HORIZON = 265.0
POPLARS = ((640.0, 30.0, 300.0), (705.0, 26.0, 250.0), (765.0, 24.0, 265.0), (822.0, 22.0, 215.0))
BED_COLOURS = ("e8336d", "fbe14d", "f47a2a", "fdf3ee", "8d4ec4", "e0242f", "f39ac0")


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The whole picture, from pale ground to the last bright dots."""
    x, y = sheet.coordinates()
    soft = clouds(rng, sheet, 110, 4, stretch=1.6)
    plan = gradient(rgb("3c78c8", "6fa8dc", "a9cfe4", "f4e6c4"), y / HORIZON + 0.12 * soft)
    puffs = ramp(0.12, 0.55, clouds(rng, sheet, 150, 4, stretch=2.2) - 0.05 - 0.5 * np.abs(y - 130) / 130)
    plan = cover(plan, gradient(rgb("8fa2d8", "d9bfd8", "f9e2cf", "fffbea"), 0.5 + 0.8 * soft), puffs)

    ridge = HORIZON - 34 - 18 * np.sin(x / 110 + 0.7) - 8 * np.sin(x / 41)
    plan = cover(plan, gradient(rgb("5a63b0", "7f8cc9", "9db7a9"), 0.5 + 0.5 * soft), ramp(-2, 2, y - ridge))
    lawn = gradient(rgb("2f6b3a", "5fa43c", "a6cc3f", "efe65a"), 0.52 + 0.35 * soft + 0.25 * np.sin(x / 160 + y / 50))
    plan = cover(plan, lawn, ramp(-2, 2, y - HORIZON))

    for trunk, wide, tall in POPLARS:
        top = HORIZON + 22 - tall
        share = np.clip((y - top) / tall, 0, 1)
        body = np.abs(x - trunk + 7 * soft) / (wide * np.sqrt(share) * (1.25 - 0.55 * share) + 0.1)
        lit = 0.55 - 0.42 * (x - trunk) / wide + 0.4 * noise(rng, sheet, 26)
        plan = cover(
            plan,
            gradient(rgb("162f5a", "1d5a4a", "4d9440", "cfd84a"), lit),
            ramp(1.1, 0.85, body) * (y > top) * (y < top + tall),
        )
    leaf = clouds(rng, sheet, 46, 3)
    crown = np.hypot((x - 165) / 235, (y - 105) / 175) + 0.22 * leaf
    lit = 0.42 + 0.50 * leaf - 0.25 * (x - 165) / 235 - 0.3 * (y - 105) / 175
    canopy = gradient(rgb("1a1f52", "1b4d50", "2f7d43", "8cbf3f", "f6e35c"), lit)
    bole = 160 + 22 * np.sin(y / 90)
    plan = cover(
        plan,
        gradient(rgb("d58a5a", "7a3f5c", "2b2459"), (x - bole) / 50 + 0.5),
        ramp(26, 20, np.abs(x - bole)) * (y > 180) * (y < 440),
    )
    plan = cover(plan, canopy, ramp(1.02, 0.92, crown))
    shade = ramp(1.0, 0.7, np.hypot((x - 210) / 300, (y - 455) / 58) + 0.14 * leaf)
    plan = cover(plan, gradient(rgb("2a2a72", "2b5a6a", "3a7a4a"), 0.5 + 0.6 * leaf), shade * 0.85)

    depth = np.clip((y - HORIZON) / (sheet.height - HORIZON), 0, 1)
    middle = 560 - 120 * depth + 120 * np.sin(depth * 4.4)
    wide = 12 + 190 * depth**1.15
    side = np.abs(x - middle) / wide
    path = gradient(
        rgb("fff3cf", "fbdcae", "e9b9a8", "b59bc9"), side * 0.75 + 0.35 * soft + 0.25 * noise(rng, sheet, 20, 3)
    )
    plan = cover(plan, path, ramp(1.03, 0.95, side) * (depth > 0))
    plan = cover(
        plan, rgb("5c58ad"), ramp(0.3, 0.6, noise(rng, sheet, 44, 2.6)) * ramp(1.0, 0.9, side) * (depth > 0) * 0.7
    )

    beds = (ramp(1.05, 1.12, side) * ramp(2.3, 1.8, side) * ramp(0.02, 0.09, depth)) * (1 - shade)
    plan = cover(plan, gradient(rgb("16324a", "1f6a44", "57a043"), 0.5 + 0.7 * leaf), beds * 0.9)
    blooms = np.zeros_like(x)
    for index, colour in enumerate(BED_COLOURS):
        size = 15 + 24 * (index % 3)
        patch = ramp(0.30, 0.45, noise(rng, sheet, size, 1.5)) * beds
        plan = cover(plan, gradient(np.stack([rgb(colour) * 0.72, rgb(colour)]), 0.5 + 0.8 * leaf), patch)
        blooms = np.maximum(blooms, patch)

    canvas = Canvas(sheet, plan * 0.55 + rgb("f1e4c6") * 0.45)
    brush = Brush(rng, dryness=0.6, mark=dab_mark)
    angle = (0.4 * soft).astype(np.float32)
    opposite = np.clip(plan.mean(axis=-1, keepdims=True) * 1.55 - plan * 0.5, 0, 1)
    lay(canvas, brush, rng, plan, angle, Touch(19, 22, 2.2, value_jitter=0.10, hue_jitter=0.07, opacity=0.9))
    lay(canvas, brush, rng, plan, angle, Touch(13, 14, 1.1, value_jitter=0.16, hue_jitter=0.13))
    sparse = np.full_like(x, 0.22)
    lay(canvas, brush, rng, opposite, angle, Touch(11, 11.5, 1.0, value_jitter=0.12, hue_jitter=0.08), sparse)
    lay(canvas, brush, rng, plan, angle, Touch(9.5, 10, 1.0, value_jitter=0.20, hue_jitter=0.14))
    vivid = np.clip(plan + (plan - plan.mean(axis=-1, keepdims=True)) * 0.5 + 0.06, 0, 1)
    lay(canvas, brush, rng, vivid, angle, Touch(8, 8.5, 0.55, value_jitter=0.14, hue_jitter=0.10), 0.35 + 0.65 * blooms)
    return canvas.lit(0.45, 0.05)
