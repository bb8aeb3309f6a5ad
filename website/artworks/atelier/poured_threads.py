"""Paint poured and flung from a stick onto raw linen: threads, pools and spatter, layer over layer, wet into wet."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from atelier.brush import Canvas
from atelier.ground import WIDTH, Array, Sheet, along, blur, clouds, cover, grain, noise, ramp, rgb

LINEN = rgb("c9b48c")
# Each layer: colour, threads, how thick they are, how far they run, and how much is flung.
POURS = (
    ("8d9a9c", 7, 19.0, 1300, 0.3),
    ("23222b", 8, 18.0, 1500, 0.4),
    ("1f6f7c", 8, 16.0, 1200, 0.4),
    ("e6dcc4", 8, 15.0, 1400, 0.4),
    ("b5452a", 6, 14.0, 1000, 0.4),
    ("1d1c24", 6, 12.0, 1500, 0.4),
    ("d9a62c", 6, 11.5, 900, 0.4),
    ("8fb9bd", 6, 10.5, 1100, 0.4),
    ("ece3ce", 7, 9.0, 1400, 0.5),
    ("1a191f", 5, 7.5, 1200, 0.4),
)
STEP = 1.6


def _thread(rng: np.random.Generator, height: float, thick: float, steps: int) -> tuple[Array, Array]:
    """One pour: points along it, and its half-width at each; slow turns are thick, swift runs are thin."""
    loose = np.convolve(rng.normal(0, 1, steps + 160), np.hanning(161) / np.sqrt(60), "valid")
    swing = 0.011 * loose + rng.uniform(0.002, 0.014) * np.sin(
        np.arange(steps) / rng.uniform(50, 260) + rng.uniform(0, 6.3)
    )
    heading, place = rng.uniform(0, 2 * np.pi), rng.uniform(-0.05, 1.05, 2) * (WIDTH, height)
    points = np.empty((steps, 2))
    for index in range(steps):
        # The arm comes back over the canvas before it has gone far.
        home = np.arctan2(height / 2 - place[1], WIDTH / 2 - place[0])
        outside = max(abs(place[0] / WIDTH - 0.5), abs(place[1] / height - 0.5)) > 0.52
        heading += swing[index] + outside * 0.02 * np.sin(home - heading)
        place = place + STEP * np.array([np.cos(heading), np.sin(heading)])
        points[index] = place
    pulse = np.convolve(rng.normal(0, 1, steps + 60), np.hanning(61) / np.sqrt(23), "valid")
    slow = np.abs(np.gradient(heading + np.cumsum(swing)))
    wide = thick * np.clip(0.62 + 0.52 * pulse + 16 * slow, 0.14, 3.4)
    ends = np.minimum(np.arange(steps), np.arange(steps)[::-1]) / 60
    return points, wide * np.clip(ends, 0.1, 1)


def _drops(rng: np.random.Generator, points: Array, thick: float, share: float) -> tuple[Array, Array]:
    """What flies off a pour: many specks near it, a few blots further away."""
    count = int(len(points) * 0.045 * share)
    start = points[rng.integers(len(points), size=count)]
    flung = rng.normal(0, 1, (count, 2)) * rng.exponential(26, (count, 1))
    return start + flung, thick * np.clip(rng.lognormal(-0.55, 0.5, count), 0.3, 2.6)


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The whole picture, pour upon pour, each with its own gloss and shadow."""
    x, y = sheet.coordinates()
    scale = sheet.pixels_per_unit
    weave = np.sin(x * 2 * np.pi / 5) * np.sin(y * 2 * np.pi / 5) + 0.5 * blur(grain(rng, sheet), 1.0) * 3
    ground = LINEN * (1 + 0.05 * weave + 0.08 * clouds(rng, sheet, 160, 4))[..., None]
    stain = ramp(0.15, 0.75, clouds(rng, sheet, 210, 4, stretch=1.4))
    ground = cover(ground.astype(np.float32), rgb("a5aeb0"), 0.65 * stain)
    canvas = Canvas(sheet, LINEN)
    canvas.colour[:] = ground
    canvas.height[:] = 0.05 * weave
    for code, threads, thick, steps, flung in POURS:
        mask = Image.new("L", (sheet.across, sheet.down))
        pen = ImageDraw.Draw(mask)
        for _ in range(threads):
            points, wide = _thread(rng, sheet.height, thick, int(steps * rng.uniform(0.5, 1.2)))
            spots, sizes = _drops(rng, points, thick, flung)
            dots = np.concatenate([points, spots]) * scale
            radii = np.maximum(np.concatenate([wide, sizes]) * scale, 0.35)
            for (px, py), r in zip(dots.tolist(), radii.tolist(), strict=True):
                pen.ellipse((px - r, py - r, px + r, py + r), fill=255)
        shape = blur(np.asarray(mask, np.float32) / 255, 0.6)
        # A thread is round: highest in its middle, and the paint below shows a little at its rim.
        round_of = np.clip(blur(shape, 1.6 * scale) * 0.6 + blur(shape, 3.2 * scale) * 0.6, 0, 1)
        shade = blur(np.roll(shape, (round(2 * scale), round(2 * scale)), (0, 1)), 1.6 * scale) * (1 - shape)
        canvas.colour *= (1 - 0.38 * shade)[..., None]
        marbled = 1 + 0.10 * along(sheet, noise(rng, sheet, 14), noise(rng, sheet, 120) * 3, 12, 5)
        canvas.colour = cover(canvas.colour, rgb(code) * marbled[..., None], np.clip(shape * 1.05, 0, 1))
        canvas.height = canvas.height * (1 - shape) + shape * (0.25 + 0.9 * round_of)
    return canvas.lit(0.55, 0.30)
