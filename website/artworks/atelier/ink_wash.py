"""Mountains, mist and pines in ink: wet washes that pool at their edges, dry strokes for rock, bark and needles."""

from __future__ import annotations

import numpy as np

from atelier.brush import Brush, Canvas, Touch, lay
from atelier.ground import Array, Sheet, blur, clamp, clouds, cover, grain, noise, ramp, rgb

PAPER = rgb("efe4cd")
INK = rgb("14161c")
RANGES = (
    # base, height, wavelength, phase, darkness
    (300.0, 90.0, 118.0, 0.3, 0.44), (390.0, 150.0, 150.0, 2.1, 0.66), (490.0, 120.0, 105.0, 4.0, 0.82),
    (610.0, 105.0, 165.0, 5.2, 0.98),
)  # fmt: skip


def _ridge(rng: np.random.Generator, x: Array, base: float, height: float, wavelength: float, phase: float) -> Array:
    line = np.sin(x / wavelength + phase) + 0.45 * np.abs(np.sin(x / wavelength * 2.3 + 2 * phase)) * 1.3
    for octave in range(4):
        line += 0.22 / 1.7**octave * np.sin(x / wavelength * 3.1 * 1.9**octave + rng.uniform(0, 6.3))
    return np.asarray(base - height * (0.5 + 0.5 * line), np.float32)


def _pooled(sheet: Sheet, shape: Array, radius: float) -> Array:
    """Where a wash dried darker: just inside its edge."""
    soft = blur(shape, radius * sheet.pixels_per_unit)
    return clamp(shape * (1 - soft) * 2)


def _pine(
    rng: np.random.Generator, sheet: Sheet, foot: tuple[float, float], tall: float, lean: float
) -> tuple[Array, Array]:
    """A pine's ink: (trunk and boughs, clumps of needles)."""
    x, y = sheet.coordinates()
    up = np.clip((foot[1] - y) / tall, 0, 1)
    spine = foot[0] + lean * tall * up**1.4 + 0.035 * tall * np.sin(up * 9 + lean * 7)
    on = (y < foot[1]) & (y > foot[1] - tall)
    wood = ramp(1.0, 0.75, np.abs(x - spine) / (0.045 * tall * (1.1 - 0.85 * up) + 0.5)) * on
    needles = np.zeros_like(x)
    ragged = noise(rng, sheet, 16) + 0.7 * noise(rng, sheet, 7)
    for number, level in enumerate(np.linspace(0.40, 0.97, 9)):
        side = 1 if number % 2 else -1
        reach = tall * (0.38 - 0.30 * level) * rng.uniform(0.7, 1.4)
        start_x = foot[0] + lean * tall * level**1.4 + 0.035 * tall * np.sin(level * 9 + lean * 7)
        start_y = foot[1] - tall * level
        away = (x - start_x) * side / reach
        sag = start_y + 0.16 * reach * np.sin(np.clip(away, 0, 1) * 3.0)
        bough = (np.abs(y - sag) < 0.016 * tall * (1.15 - away)) & (away > 0) & (away < 1)
        wood = np.maximum(wood, bough.astype(np.float32))
        for share, size in ((0.35, 0.7), (0.95, 1.0)):
            pad_y = start_y + 0.16 * reach * np.sin(share * 3) - 0.02 * tall
            pad = np.hypot(
                (x - start_x - side * reach * share) / (0.125 * tall * size * (1.3 - 0.6 * level)),
                (y - pad_y) / (0.030 * tall * size),
            )
            needles = np.maximum(needles, ramp(1.05, 0.75, pad + 0.30 * ragged))
    tip_x, tip_y = foot[0] + lean * tall + 0.035 * tall * np.sin(9 + lean * 7), foot[1] - tall
    crown = np.hypot((x - tip_x) / (0.11 * tall), (y - tip_y) / (0.05 * tall))
    return wood, np.maximum(needles, ramp(1.05, 0.7, crown + 0.35 * ragged))


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The whole sheet, far to near, then the paper's own grain."""
    x, y = sheet.coordinates()
    tooth = blur(grain(rng, sheet), 1.0)
    tooth = tooth / tooth.std()
    mottled = clouds(rng, sheet, 90, 5)
    ink = 0.10 * ramp(-0.2, 0.9, clouds(rng, sheet, 260, 4, stretch=2.2)) + 0.12 * ramp(150, -40, y + 40 * mottled)
    angle = np.zeros_like(x)
    strokes = np.zeros_like(x)
    for base, height, wavelength, phase, dark in RANGES:
        line = _ridge(rng, x, base, height, wavelength, phase) + 3 * noise(rng, sheet, 22)
        below = y - line
        shape = ramp(-1.2, 1.2, below)
        fall = np.exp(-np.clip(below, 0, None) / (95 + 60 * dark)) * (
            0.75 + 0.45 * mottled + 0.18 * noise(rng, sheet, 34)
        )
        wash = np.clip(dark * (0.12 + fall) + 0.30 * dark * _pooled(sheet, shape, 5), 0, 1) * shape
        mist = ramp(0.1, 0.8, clouds(rng, sheet, 170, 4, stretch=3) + below / 170)
        wash *= 1 - 0.72 * mist
        ink = ink * (1 - shape * 0.93) + wash
        side = np.sign(np.gradient(line, axis=1))
        angle = np.where(below > 0, np.pi / 2 - side * 0.62 + 0.35 * noise(rng, sheet, 60), angle)
        strokes = strokes * (1 - shape) + shape * fall * dark * (1 - mist)
    sun = np.hypot(x - 705, y - 118)
    plan = PAPER * (1 - 0.02 * mottled)[..., None]
    plan = cover(plan, rgb("c7402c"), ramp(38, 34, sun + 2 * mottled) * (0.80 + 0.12 * mottled))
    plan = cover(plan, rgb("b08a5a"), ramp(0.2, 0.9, clouds(rng, sheet, 200, 3)) * 0.16)

    canvas = Canvas(sheet, np.ones(3, np.float32))
    canvas.colour[:] = (1 - np.clip(ink, 0, 0.97))[..., None]
    stone = np.repeat(np.clip(0.62 - 0.75 * strokes, 0.06, 1)[..., None], 3, axis=2).astype(np.float32)
    dry = Brush(rng, dryness=1.3)
    drift = (0.10 * np.sin(x / 170 + y / 90)).astype(np.float32)
    haze = np.repeat((canvas.colour[..., :1] - 0.17 - 0.16 * mottled[..., None]), 3, axis=2).astype(np.float32)
    lay(canvas, dry, rng, haze, drift, Touch(52, 330, 1.0, 0.44, 0.06, 0.0, 0.08, keep_edges=0.2))
    lay(canvas, dry, rng, haze, drift, Touch(22, 190, 0.7, 0.44, 0.08, 0.0, 0.10, keep_edges=0.2))
    turn = angle.astype(np.float32)
    rock = ramp(0.22, 0.62, strokes)
    lay(canvas, dry, rng, stone, turn, Touch(30, 120, 2.2, 0.42, 0.10, 0.0, 0.25, keep_edges=0.5), rock)
    lay(canvas, dry, rng, stone, turn, Touch(15, 80, 1.6, 0.42, 0.14, 0.0, 0.30, keep_edges=0.5), rock)

    wood, needles = np.zeros_like(x), np.zeros_like(x)
    for foot, tall, lean in (
        ((120.0, 760.0), 520.0, 0.20),
        ((330.0, 760.0), 250.0, -0.15),
        ((930.0, 750.0), 300.0, -0.30),
    ):
        trunk, clumps = _pine(rng, sheet, foot, tall, lean)
        wood, needles = np.maximum(wood, trunk), np.maximum(needles, clumps)
    wet = np.maximum(
        wood * (0.80 + 0.25 * mottled), needles * (0.55 + 0.3 * mottled) + 0.35 * _pooled(sheet, needles, 3)
    )
    canvas.colour *= (1 - np.clip(wet, 0, 0.95))[..., None]
    spikes = np.full((sheet.down, sheet.across, 3), 0.05, np.float32)
    fan = (-np.pi / 2 + 1.0 * noise(rng, sheet, 34)).astype(np.float32)
    lay(canvas, dry, rng, spikes, fan, Touch(3.2, 22, 2.2, 0.8, 0.0, 0.0, 0.5), ramp(0.25, 0.8, needles))
    reeds = ramp(640, 720, y + 60 * noise(rng, sheet, 120)) * 0.5
    lay(canvas, dry, rng, spikes, fan * 0.4 - np.float32(0.9), Touch(5, 58, 0.5, 0.75, 0.0, 0.0, 0.35), reeds)

    density = np.clip(1 - canvas.colour[..., 0], 0, 1)
    # Ink settles in the hollows of the paper: grain shows most in the middle greys.
    density = np.clip(density * (1 + 0.10 * tooth * (1.1 - density) + 0.16 * mottled * (1 - density)), 0, 1)
    tinted = cover(plan, INK + (rgb("5b6878") - INK) * (1 - density)[..., None], density)
    fibres = ramp(1.6, 2.4, noise(rng, sheet, 3, 14) * 3 + noise(rng, sheet, 60))
    return clamp(tinted * (1 + 0.018 * tooth - 0.03 * fibres)[..., None])
