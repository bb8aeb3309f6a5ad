"""Discs, rings and bars in flat fields of colour, each field set against its neighbours; brushed on coarse linen."""

from __future__ import annotations

import numpy as np

from atelier.ground import Array, Sheet, along, blur, clamp, clouds, cover, grain, noise, ramp, rgb

FIELDS = rgb("d8322a", "f3c02d", "1f4fa3", "f4ead4", "15161a", "e98a1f", "6fb3c9", "e9b7b0", "0f6b5c")
DISCS = (
    # x, y, radius, rings, turn, first colour
    (365.0, 400.0, 330.0, 6, 0.30, 0), (760.0, 690.0, 250.0, 5, 1.15, 2), (770.0, 190.0, 150.0, 3, 0.78, 5),
    (215.0, 815.0, 135.0, 3, -0.35, 1), (520.0, 905.0, 78.0, 2, 0.55, 4), (930.0, 420.0, 70.0, 2, 0.1, 7),
)  # fmt: skip
BARS = (
    # x, y, heading, length, width, colour
    (560.0, 480.0, -0.78, 860.0, 34.0, 4), (620.0, 455.0, -0.78, 520.0, 15.0, 0), (330.0, 700.0, 0.42, 420.0, 22.0, 2),
    (880.0, 880.0, 0.79, 300.0, 26.0, 1),
)  # fmt: skip


def _composed(x: Array, y: Array) -> tuple[Array, Array]:
    """The number of the colour at every point, and the heading in which it is brushed."""
    corners = (np.array(x + y > 760, int), np.array(x - y > 160, int), np.array(x * 0.4 + y > 1010, int))
    ground = np.array([3, 7, 6, 1, 3, 8, 5, 3])[corners[0] + 2 * corners[1] + 4 * corners[2]]
    angle = np.array([0.78, -0.78])[corners[1]]
    for number, (cx, cy, radius, rings, turn, first) in enumerate(DISCS):
        dx, dy = x - cx, y - cy
        r, around = np.hypot(dx, dy), np.arctan2(dy, dx) + turn
        ring = np.floor(r / radius * rings).astype(int)
        # Quarters change sides from ring to ring, as if each had been turned by itself.
        quarter = np.floor((around + 0.5 * np.pi * (ring % 2) * 0.5) / (np.pi / 2)).astype(int) % 4
        colour = (first + 2 * ring + [0, 4, 7, 3][number % 4] * (quarter % 2) + 5 * (quarter // 2)) % len(FIELDS)
        ground = np.where(r < radius, colour, ground)
        angle = np.where(r < radius, around - turn + np.pi / 2, angle)
        ground = np.where(r < radius * 0.42 / rings, (first + 3) % len(FIELDS), ground)
    for bar_x, bar_y, heading, length, width, colour in BARS:
        u = (x - bar_x) * np.cos(heading) + (y - bar_y) * np.sin(heading)
        v = (y - bar_y) * np.cos(heading) - (x - bar_x) * np.sin(heading)
        on = (np.abs(u) < length / 2) & (np.abs(v) < width / 2)
        # Where a bar crosses a field of its own colour it changes to another.
        ground = np.where(on, np.where(ground == colour, (colour + 3) % len(FIELDS), colour), ground)
        angle = np.where(on, heading, angle)
    return ground, angle.astype(np.float32)


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The whole picture: fields, brushed one by one, then the linen that shows through."""
    x, y = sheet.coordinates()
    wobble_x, wobble_y = (1.6 * noise(rng, sheet, 60) + 0.8 * noise(rng, sheet, 14) for _ in range(2))
    number, angle = _composed(x + wobble_x, y + wobble_y)
    scale = sheet.pixels_per_unit
    plan = blur(FIELDS[number].astype(np.float32), 0.7 * scale)
    # Every colour is deeper along one side of its field.
    edge = np.abs(FIELDS[number] - blur(FIELDS[number].astype(np.float32), 26 * scale)).mean(axis=-1)
    tone = 0.10 * clouds(rng, sheet, 160, 4) - 0.34 * edge + 0.05
    bristles = along(sheet, grain(rng, sheet), angle, 34, 14)
    bristles = bristles / bristles.std()
    broad = along(sheet, noise(rng, sheet, 9), angle, 60, 12)
    broad = broad / broad.std()
    light = plan.mean(axis=-1)
    plan = plan * (1 + tone + 0.050 * bristles + 0.055 * broad)[..., None]
    plan = plan + (0.022 * bristles + 0.02 * broad)[..., None] * (0.4 + light)[..., None] * rgb("fff2d8")

    thread_x, thread_y = np.sin(x * 2 * np.pi / 5.4 + 0.9 * noise(rng, sheet, 40)), np.sin(y * 2 * np.pi / 5.4)
    over = np.sin(x * np.pi / 5.4) * np.sin(y * np.pi / 5.4) > 0
    weave = np.where(over, thread_x, thread_y) * (0.6 + 0.4 * noise(rng, sheet, 25))
    bare = ramp(1.1, 2.6, broad + 0.55 * bristles + 0.5 * weave) * 0.75
    plan = cover(plan.astype(np.float32), rgb("d9c6a0"), bare)
    return clamp(plan * (1 + 0.055 * weave)[..., None])
