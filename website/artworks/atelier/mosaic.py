"""Two fish turning about each other in a current: small stones laid in rows that follow the forms.

Stones are the cells of an oriented Manhattan-distance Voronoi diagram, relaxed until they lie evenly
(A. Hausner, Simulating Decorative Mosaics, SIGGRAPH 2001).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atelier.brush import scatter
from atelier.ground import Array, Sheet, blur, clamp, clouds, cover, gradient, noise, ramp, rgb, seams

STONES = 4200
ROUNDS = 9
CENTRE = (500.0, 400.0)


def _fish(x: Array, y: Array, start: float, hue: Array) -> tuple[Array, Array, Array, Array]:
    """A fish bent along an arc around the centre: its cover, colours, heading, and outline."""
    dx, dy = x - CENTRE[0], (y - CENTRE[1]) * 1.06
    r, around = np.hypot(dx, dy), np.arctan2(dy, dx)
    s = ((around - start) % (2 * np.pi)) / 2.6  # 0 at the nose, 1 at the tail's end
    t = (r - 262) / 100
    trunk = np.sin(np.pi * np.clip(s / 0.90, 0, 1) ** 0.66)
    body = 0.60 * np.clip(trunk, 0, 1) ** 0.9 + 0.10 * ramp(0.0, 0.06, s)
    fork = 0.93 - 0.09 * np.cos(np.clip(t, -1.4, 1.4) * 2.0)
    tail = np.where(s > 0.74, 1.05 * np.clip((s - 0.74) / 0.22, 0, 1) ** 0.9, 0) * (s < fork)
    ridge = np.clip(np.sin((s - 0.24) / 0.42 * np.pi), 0, 1)
    fin = np.where((s > 0.24) & (s < 0.66), 0.26 * ridge**0.7, 0) * (t > 0)
    half = np.maximum(body, tail) + fin
    inside = (np.abs(t) < half) & (s < np.where(s > 0.74, fork, 1.0))
    cover_of = inside.astype(np.float32)
    scales = np.sin(s * 46 + 2.2 * np.abs(t)) * 0.5 + 0.5
    colours = gradient(hue, 0.62 - 0.55 * t / np.maximum(half, 0.1) * 0.6 + 0.20 * scales - 0.25 * (s > 0.80))
    colours = cover(colours, rgb("fff0c8"), ramp(-0.30, -0.55, t) * (s < 0.72))
    head = (s < 0.17).astype(np.float32)
    colours = cover(colours, hue[1], head * 0.8)
    gill = np.exp(-(((s - 0.175 - 0.02 * np.cos(t * 3)) / 0.011) ** 2))
    colours = cover(colours, rgb("3a1020"), gill)
    colours = cover(
        colours, rgb("5a1420"), ((np.abs(t) > body) & inside & (np.sin(s * 120) > 0.1)).astype(np.float32) * 0.55
    )
    eye_x, eye_y = (CENTRE[0] + 278 * np.cos(start + 0.24), CENTRE[1] + 278 / 1.06 * np.sin(start + 0.24))
    eye = np.hypot(x - eye_x, y - eye_y)
    colours = cover(cover(colours, rgb("fff6dc"), ramp(23, 20, eye)), rgb("10131f"), ramp(10, 8, eye))
    return cover_of, colours, (around + np.pi / 2).astype(np.float32), np.abs(np.abs(t) - half).astype(np.float32)


def _design(rng: np.random.Generator, sheet: Sheet) -> tuple[Array, Array]:
    """The cartoon: colours, and the heading of the rows of stones."""
    x, y = sheet.coordinates()
    dx, dy = x - CENTRE[0], (y - CENTRE[1]) * 1.06
    r, around = np.hypot(dx, dy), np.arctan2(dy, dx)
    wave = np.sin(r / 21 - 2 * around + 0.8 * noise(rng, sheet, 150))
    tone = 0.45 + 0.34 * wave + 0.12 * clouds(rng, sheet, 80, 3) - 0.22 * ramp(250, 640, r)
    plan = gradient(rgb("0c1f4a", "123f7a", "17708f", "2fa3a0", "8fd0b5", "eef0cf"), tone)
    angle = (around + np.pi / 2 - 0.5).astype(np.float32)
    heart = gradient(rgb("fff2b0", "f6c64a", "e88a2a", "b5402f"), r / 95 + 0.12 * np.sin(9 * around + r / 9))
    plan = cover(plan, heart, ramp(112, 106, r + 12 * np.sin(9 * around + r / 12)))
    angle = np.where(r < 112, around + np.pi / 2, angle)
    for start, hue in (
        (-2.5, rgb("7a1426", "d8341f", "f2762a", "fbb63f", "ffe9a0")),
        (0.64, rgb("3a1446", "8a2a6a", "e0568a", "f79aa0", "ffe3d0")),
    ):
        inside, colours, heading, rim = _fish(x, y, start, hue)
        halo = ramp(0.02, 0.06, blur(inside, 9 * sheet.pixels_per_unit))
        plan = cover(plan, rgb("f4efdc"), halo)
        plan = cover(plan, colours, inside)
        plan = cover(plan, rgb("2a0d18"), ramp(0.10, 0.05, rim) * inside * 0.8)
        angle = np.where(halo > 0.5, heading, angle)
    return plan, angle.astype(np.float32)


def _cells(sheet: Sheet, x: Array, y: Array, angle: Array) -> NDArray[np.intp]:
    """The stone that each pixel belongs to: the nearest, measured along each stone's own axes."""
    scale = sheet.pixels_per_unit
    reach = int(np.ceil(2.1 * np.sqrt(sheet.across * sheet.down / len(x))))
    nearest = np.full((sheet.down, sheet.across), np.inf, np.float32)
    owner = np.zeros((sheet.down, sheet.across), np.intp)
    headings = sheet.at(angle, x, y)
    for index, (px, py, heading) in enumerate(
        zip((x * scale).tolist(), (y * scale).tolist(), headings.tolist(), strict=True)
    ):
        left, top = max(0, int(px) - reach), max(0, int(py) - reach)
        right, bottom = min(sheet.across, int(px) + reach), min(sheet.down, int(py) + reach)
        if left >= right or top >= bottom:
            continue
        dx = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - px)
        dy = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - py))[:, None]
        cos, sin = np.float32(np.cos(heading)), np.float32(np.sin(heading))
        # The larger of the two axes' distances: cells of evenly spread points become squares along the heading.
        away = np.maximum(np.abs(cos * dx + sin * dy), np.abs(cos * dy - sin * dx))
        window = nearest[top:bottom, left:right]
        closer = away < window
        window[closer] = away[closer]
        owner[top:bottom, left:right][closer] = index
    return owner


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The mosaic: cartoon, stones relaxed into rows, then grout, bevels and the gloss of glass."""
    plan, angle = _design(rng, sheet)
    x, y = scatter(rng, sheet, STONES)
    x, y = np.clip(x, 0, 999), np.clip(y, 0, sheet.height - 1)
    draft = Sheet(480, round(480 * sheet.down / sheet.across))
    step_x, step_y = draft.coordinates()
    draft_angle = sheet.at(angle, step_x, step_y)
    for _ in range(ROUNDS):
        owner = _cells(draft, x, y, draft_angle)
        count = np.bincount(owner.ravel(), minlength=len(x))
        held = count > 0
        for points, step in ((x, step_x), (y, step_y)):
            points[held] = (np.bincount(owner.ravel(), step.ravel(), len(x))[held] / count[held]).astype(np.float32)
    owner = _cells(sheet, x, y, angle)

    stones = sheet.at(plan, x, y)
    # Grout greys the whole, so the stones are stronger than the cartoon.
    stones = stones.mean(axis=1, keepdims=True) * -0.18 + stones * 1.28
    light = rng.normal(1, 0.11, (len(x), 1))
    stones = np.clip(stones * light + rng.normal(0, 0.035, stones.shape), 0, 1).astype(np.float32)
    gold = rng.uniform(0, 1, len(x)) < 0.012
    stones[gold] = rgb("f4cf63")
    scale = sheet.pixels_per_unit
    grout = seams(owner, 2.2 * scale)
    # Each stone lies a little tilted, so each catches the light differently along its face.
    tilt = rng.uniform(-1, 1, (2, len(x))).astype(np.float32)
    step_x, step_y = sheet.coordinates()
    face = tilt[0][owner] * (step_x - x[owner]) + tilt[1][owner] * (step_y - y[owner])
    slope_y, slope_x = np.gradient(blur(1 - grout, 1.6 * scale))
    bevel = np.clip((slope_x + slope_y) * 0.9, -0.5, 0.5)
    grain = clouds(rng, sheet, 7, 3)
    shine = 0.5 * clamp(bevel - 0.12)
    colour = stones[owner] * (1 + 0.016 * face + 0.05 * grain + bevel)[..., None] + shine[..., None]
    mortar = rgb("3d3833") * (1 + 0.25 * grain)[..., None]
    return clamp(cover(colour, mortar, grout))
