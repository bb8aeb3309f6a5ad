"""A pond without shore or horizon: willows and sky upside down in it, lily pads afloat, all in broken strokes."""

from __future__ import annotations

import numpy as np

from atelier.brush import Brush, Canvas, Touch, lay
from atelier.ground import Array, Sheet, along, clouds, cover, gradient, noise, ramp, rgb

RAFTS = (
    (170.0, 150.0, 190.0, 9), (720.0, 105.0, 250.0, 12), (455.0, 265.0, 150.0, 7), (880.0, 330.0, 190.0, 10),
    (190.0, 430.0, 260.0, 13), (620.0, 520.0, 250.0, 12), (340.0, 655.0, 260.0, 9), (905.0, 660.0, 190.0, 7),
)  # fmt: skip


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The whole picture, from deep water up to the flowers."""
    x, y = sheet.coordinates()
    upright = np.full_like(x, np.pi / 2)
    level = (0.06 * np.sin(x / 120 + y / 70) + 0.08 * noise(rng, sheet, 90)).astype(np.float32)
    hanging = along(sheet, clouds(rng, sheet, 90, 4), upright + 0.12 * noise(rng, sheet, 200), 150)
    hanging = hanging / hanging.std()
    broken = clouds(rng, sheet, 22, 3, stretch=5)

    opening = np.exp(-(((x - 560 - 70 * np.sin(y / 190)) / 150) ** 2)) + 0.55 * np.exp(-(((x - 60) / 80) ** 2))
    tone = 0.27 + 0.16 * hanging + 0.46 * opening + 0.16 * broken
    plan = gradient(rgb("10233f", "1c4257", "2c6a62", "5a7fa8", "8d8fc8", "b9a6d8", "ecc6cf", "fbe6cc"), tone)
    weed = ramp(0.2, 1.3, hanging) * (1 - opening)
    plan = cover(plan, gradient(rgb("1d5040", "4c8b4e", "97b556"), 0.45 + 0.5 * broken), weed * 0.9)
    dusk = ramp(0.15, 0.6, clouds(rng, sheet, 170, 3, stretch=2))
    plan = cover(plan, gradient(rgb("3a2f70", "6a55a6", "a98ac9"), 0.5 + 0.5 * broken), dusk * 0.45)
    pads = np.zeros_like(x)
    flowers = np.zeros_like(x)

    for raft_x, raft_y, spread, count in RAFTS:
        near = 0.55 + 0.75 * raft_y / sheet.height
        for _ in range(count):
            pad_x = raft_x + spread * rng.normal(0, 0.42)
            pad_y = raft_y + 40 * near * rng.normal(0, 0.6)
            wide, flat = 58 * near * rng.uniform(0.7, 1.35), rng.uniform(0.30, 0.40)
            dx, dy = (x - pad_x) / wide, (y - pad_y) / (wide * flat)
            r = np.hypot(dx, dy) + 0.05 * broken
            if pad_y > sheet.height + 40:
                continue
            under = np.hypot(dx, dy - 0.45) + 0.08 * broken
            plan = cover(plan, rgb("171d45"), ramp(1.15, 0.8, under) * 0.7)
            leaf = gradient(
                rgb("1f4f4a", "3f8a55", "83b765", "cfdc8a", "f3d9c0"),
                0.42 + rng.uniform(-0.15, 0.2) - 0.30 * dy + 0.16 * dx + 0.22 * broken,
            )
            notch = np.abs(np.arctan2(dy, dx) - rng.uniform(-2.6, 2.6)) < 0.22
            plan = cover(plan, leaf, ramp(1.0, 0.9, r) * ~notch)
            plan = cover(plan, rgb("e3a9b8"), np.exp(-(((r - 0.95) / 0.05) ** 2)) * (dy > 0.2) * 0.6)
            pads = np.maximum(pads, ramp(1.15, 0.95, r))
        for _ in range(3):
            flower_x, flower_y = raft_x + spread * rng.normal(0, 0.35), raft_y + 26 * near * rng.normal(0, 0.6)
            size = 25 * near * rng.uniform(0.8, 1.2)
            tint = rgb(
                *(("f7b6c8", "fff2ee", "d65a8c"), ("fff6dc", "ffffff", "f0b54a"), ("e58ac0", "fde4ef", "a83a86"))[
                    int(rng.integers(3))
                ]
            )
            for petal in np.linspace(-1.25, 1.25, 7):
                cos, sin = np.cos(petal - np.pi / 2), np.sin(petal - np.pi / 2)
                dx, dy = x - flower_x - cos * size * 0.6, y - flower_y - sin * size * 0.42
                u, v = dx * cos + dy * sin, dy * cos - dx * sin
                r = np.hypot(u / (size * 0.72), v / (size * 0.30))
                plan = cover(plan, tint[0] if abs(petal) > 0.8 else tint[1], ramp(1.05, 0.85, r))
                flowers = np.maximum(flowers, ramp(1.3, 0.9, r))
            heart = np.hypot((x - flower_x) / (size * 0.5), (y - flower_y) / (size * 0.28))
            plan = cover(plan, tint[2], ramp(1.05, 0.8, heart))

    canvas = Canvas(sheet, plan * 0.6 + rgb("3a4a6e") * 0.4)
    brush = Brush(rng, dryness=0.8)
    water = 1 - 0.9 * pads
    lay(
        canvas,
        brush,
        rng,
        plan,
        upright,
        Touch(38, 150, 2.0, value_jitter=0.08, hue_jitter=0.04, angle_jitter=0.22, keep_edges=0.5),
    )
    lay(
        canvas,
        brush,
        rng,
        plan,
        level,
        Touch(24, 110, 1.3, value_jitter=0.08, hue_jitter=0.05, angle_jitter=0.05, opacity=0.85, keep_edges=0.3),
    )
    lay(
        canvas,
        brush,
        rng,
        plan,
        upright,
        Touch(14, 80, 0.25, value_jitter=0.12, hue_jitter=0.06, angle_jitter=0.25, opacity=0.8),
        water,
    )
    lay(
        canvas,
        brush,
        rng,
        plan,
        level,
        Touch(12, 60, 1.0, value_jitter=0.14, hue_jitter=0.06, angle_jitter=0.07, keep_edges=0.24),
    )
    lay(
        canvas,
        brush,
        rng,
        plan,
        level,
        Touch(9, 26, 1.6, value_jitter=0.12, hue_jitter=0.06, angle_jitter=0.16, keep_edges=0.14),
        pads,
    )
    lay(
        canvas,
        brush,
        rng,
        plan,
        upright,
        Touch(8, 17, 3.0, value_jitter=0.08, hue_jitter=0.04, angle_jitter=0.7, keep_edges=0.16, relief=1.5),
        flowers,
    )
    return canvas.lit(0.8, 0.10)
