"""A breaking wave in the manner of a colour woodcut: flat inks, dark key lines, graded sky, and the wood's grain."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from atelier.ground import Array, Sheet, along, blur, clamp, clouds, cover, gradient, grain, noise, ramp, rgb

INK = rgb("14233f")
FOAM = rgb("f3ead2")
BLUES = rgb("17345f", "235a8c", "4a8bb0", "93bcc4", "d9e0cf")


def _inside(sheet: Sheet, points: Array) -> Array:
    """1 inside the polygon, in units."""
    mask = Image.new("L", (sheet.across, sheet.down))
    ImageDraw.Draw(mask).polygon([(float(px), float(py)) for px, py in points * sheet.pixels_per_unit], fill=255)
    return np.asarray(mask, np.float32) / 255


def _outlined(sheet: Sheet, plan: Array, shape: Array, thickness: float) -> Array:
    """The plan with a key line around the shape's edge."""
    reach = max(1.0, thickness * sheet.pixels_per_unit / 2)
    soft = blur(shape, reach)
    return cover(plan, INK, ramp(0.10, 0.32, np.minimum(soft, 1 - soft)))


def _foam(
    rng: np.random.Generator, sheet: Sheet, plan: Array, centres: Array, sizes: Array, thickness: float = 2.6
) -> Array:
    """Scalloped foam: lobes of pale paper inside one common key line, with small blue hollows."""
    scale = sheet.pixels_per_unit
    line, body, hollow = (Image.new("L", (sheet.across, sheet.down)) for _ in range(3))
    for image, grow, shift in ((line, thickness, 0.0), (body, 0.0, 0.0)):
        pen = ImageDraw.Draw(image)
        for (fx, fy), size in zip(centres.tolist(), sizes.tolist(), strict=True):
            box = [(fx + shift - size - grow) * scale, (fy - size - grow) * scale]
            pen.ellipse([*box, (fx + shift + size + grow) * scale, (fy + size + grow) * scale], fill=255)
    pen = ImageDraw.Draw(hollow)
    for (fx, fy), size in zip(centres.tolist(), sizes.tolist(), strict=True):
        start = float(rng.uniform(0, 360))
        r = size * 0.62
        if size > 5:
            box = [(fx - r) * scale, (fy - r) * scale, (fx + r) * scale, (fy + r) * scale]
            pen.arc(box, start, start + 170, fill=255, width=max(1, round(size * 0.2 * scale)))
    plan = cover(plan, INK, blur(np.asarray(line, np.float32) / 255, 0.6))
    plan = cover(plan, FOAM, blur(np.asarray(body, np.float32) / 255, 0.6))
    return cover(plan, BLUES[2], blur(np.asarray(hollow, np.float32) / 255, 0.6))


def _breaker(cx: float, cy: float, size: float, foot: float, reach: float) -> tuple[Array, Array, Array]:
    """A wave curling to the left around (cx, cy): its outline, and the runs along its lip and its back."""
    turn = np.linspace(0, 1, 60)
    back = np.stack(
        [cx + size * 0.25 + reach * (1 - turn) ** 1.15, foot - (foot - cy + size) * np.sin(turn * np.pi / 2) ** 1.3], 1
    )
    around = np.radians(np.linspace(-76, -206, 50))
    grow = np.linspace(1.0, 0.93, 50)
    lip = np.stack([cx + size * grow * np.cos(around), cy + size * grow * np.sin(around)], axis=1)
    inner = np.radians(np.linspace(-198, 72, 90))
    r = size * np.linspace(0.84, 0.62, 90)
    tube = np.stack([cx - size * 0.08 + r * np.cos(inner), cy + r * np.sin(inner)], axis=1)
    t = np.linspace(0, 1, 40)
    trough = np.stack(
        [tube[-1, 0] - t * (tube[-1, 0] + 60), tube[-1, 1] + (foot - tube[-1, 1]) * (1 - (1 - t) ** 2.2)], axis=1
    )
    corner = np.array([[-60.0, foot + 300], [cx + reach + size, foot + 300]])
    return (
        np.concatenate([back, lip, tube, trough, corner]).astype(np.float32),
        lip.astype(np.float32),
        back.astype(np.float32),
    )


def _sea(x: Array, y: Array, cx: float, cy: float, size: float, sway: Array) -> Array:
    """Flat bands of blue wound around the wave's hollow."""
    dx, dy = x - cx, y - cy
    r = np.hypot(dx, dy) / size
    winding = r * 7.5 + 0.9 * np.arctan2(dy, dx) + 1.1 * sway + 0.004 * x
    step = winding % 3
    light = np.where(step < 1.0, 0.0, np.where(step < 1.5, 0.25, np.where(step < 2.25, 0.5, 0.75)))
    return clamp(light + np.where(r > 2.0, -0.12, 0.0))


def _stepped(plan: Array, sheet: Sheet, light: Array, where: Array) -> Array:
    """Bands printed in the blues, a thin key line between them."""
    edges = np.zeros_like(light)
    edges[1:] = np.maximum(edges[1:], np.abs(np.diff(light, axis=0)) > 0.05)
    edges[:, 1:] = np.maximum(edges[:, 1:], np.abs(np.diff(light, axis=1)) > 0.05)
    plan = cover(plan, blur(gradient(BLUES, light), 0.7), where)
    return cover(
        plan, INK, ramp(0.10, 0.35, blur(edges.astype(np.float32), 0.9 * sheet.pixels_per_unit)) * where * 0.75
    )


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The whole print, block by block, then the grain of wood and paper over it."""
    x, y = sheet.coordinates()
    horizon = 395.0
    plan = gradient(rgb("24406e", "6f93a8", "e5d9b4", "efd9ac", "e8b189", "d98b6c"), y / horizon)
    rays = np.hypot(x - 205, y - 205)
    plan = cover(plan, rgb("cf4630"), ramp(72, 70.5, rays))
    plan = cover(plan, INK, np.exp(-(((rays - 72) / 1.6) ** 2)))
    for base, phase, shade in ((62, 0.0, "f2e6c6"), (118, 1.7, "e7cfa4"), (262, 3.1, "f3e3c0"), (318, 4.4, "e9b79a")):
        middle = base + 9 * np.sin(x / 90 + phase)
        thick = 15 * np.clip(np.sin(x / 130 + phase * 2.3) + 0.35, 0, 1) + 5 * np.clip(np.sin(x / 37 + phase), 0, 1)
        cloud = (np.abs(y - middle) < thick).astype(np.float32)
        plan = cover(plan, rgb(shade), blur(cloud, 0.8))
        plan = _outlined(sheet, plan, cloud, 1.3)
    isle = (y > horizon - 62 * np.exp(-(((x - 120) / 75) ** 2)) - 34 * np.exp(-(((x - 235) / 60) ** 2))).astype(
        np.float32
    )
    plan = cover(plan, gradient(rgb("39597f", "7d96a0", "c7bd9f"), (y - 325) / 70), isle)
    plan = _outlined(sheet, plan, isle, 1.6)
    sway = noise(rng, sheet, 150)
    far_sea = (y > horizon + 5 * np.sin(x / 33)).astype(np.float32)
    ripples = ((y - horizon) / 11 + 0.9 * np.sin(x / 41 + y / 31) + sway) % 3
    plan = _stepped(
        plan, sheet, np.where(ripples < 1, 0.25, np.where(ripples < 2, 0.5, 0.75)).astype(np.float32), far_sea
    )
    plan = _outlined(sheet, plan, far_sea, 2.0)

    for cx, cy, size, foot, reach in ((610.0, 285.0, 215.0, 640.0, 560.0),):
        outline, lip, back = _breaker(cx, cy, size, foot, reach)
        body = _inside(sheet, outline)
        # The far wall of the hollow: a crescent between two circles, banded the other way and darker.
        inside = np.hypot(x - cx + size * 0.06, y - cy) < size * 0.86
        open_air = np.hypot(x - cx + size * 0.34, y - cy - size * 0.14) < size * 0.72
        wall = (inside & ~open_air & (y < cy + size * 0.75) & (x > cx - size * 0.55)).astype(np.float32)
        streaks = (np.arctan2(y - cy - size * 0.2, x - cx + size * 0.7) * 9 + 0.6 * sway) % 2
        plan = _stepped(
            plan, sheet, np.where(streaks < 1.2, 0.0, np.where(streaks < 1.6, 0.2, 0.42)).astype(np.float32), wall
        )
        plan = _outlined(sheet, plan, wall, 2.4)
        plan = _stepped(plan, sheet, _sea(x, y, cx, cy, size, sway), body)
        plan = _outlined(sheet, plan, body, 3.2)
        crest = np.concatenate([back[36::3], np.repeat(lip, 2, axis=0)])
        spread = np.linspace(0.03, 0.115, len(crest))[:, None] * size
        centres = crest + rng.normal(0, 1, crest.shape) * spread * 0.75
        sizes = size * rng.uniform(0.04, 0.12, len(crest)) * np.linspace(0.5, 1.35, len(crest))
        # The lip breaks into fingers that reach down into the hollow.
        fingers, finger_sizes = [], []
        for px, py in lip[14::4].tolist():
            away, long = np.arctan2(cy - py, cx - px) + rng.normal(0.0, 0.35), size * rng.uniform(0.18, 0.42)
            for share in np.linspace(0, 1, 6):
                hook = away - 1.1 * share * share
                fingers.append((px + np.cos(hook) * long * share, py + np.sin(hook) * long * share))
                finger_sizes.append(size * 0.05 * (1.2 - 0.9 * share))
        centres = np.concatenate([np.asarray(fingers), centres]).astype(np.float32)
        sizes = np.concatenate([np.asarray(finger_sizes), sizes]).astype(np.float32)
        plan = _foam(rng, sheet, plan, centres, sizes, 2.0 if size < 120 else 2.8)
        tip = np.concatenate([lip[10:], lip[10:], lip[25:]])
        spray = tip + rng.normal(0, 1, tip.shape) * size * 0.17 + np.array([-size * 0.10, -size * 0.03])
        plan = _foam(
            rng,
            sheet,
            plan,
            spray.astype(np.float32),
            (size * rng.uniform(0.005, 0.016, len(tip))).astype(np.float32),
            0.9,
        )

    for sea_level, height, phase in ((590.0, 34.0, 0.4), (645.0, 26.0, 2.6)):
        swell = (y > sea_level - height * np.sin(x / 118 + phase) - 8 * np.sin(x / 37 + phase)).astype(np.float32)
        depth = (y - sea_level + height * np.sin(x / 118 + phase)) / 15
        bands = (depth + 0.8 * np.sin(x / 60 + phase) + 0.7 * sway) % 3
        light = np.where(bands < 1.2, 0.0, np.where(bands < 1.8, 0.25, np.where(bands < 2.5, 0.5, 0.75))).astype(
            np.float32
        )
        plan = _stepped(plan, sheet, light, swell)
        plan = _outlined(sheet, plan, swell, 3.0)
        along_x = np.linspace(-20, 1020, 150)
        top = sea_level - height * np.sin(along_x / 118 + phase) - 8 * np.sin(along_x / 37 + phase)
        kept = np.sin(along_x / 118 + phase) > rng.uniform(-0.2, 0.7, len(along_x))
        centres = np.stack([along_x, top + rng.normal(0, 5, len(along_x))], axis=1)[kept].astype(np.float32)
        plan = _foam(rng, sheet, plan, centres, rng.uniform(3, 11, len(centres)).astype(np.float32), 2.2)

    grain_way = (0.03 * np.sin(y / 60) + 0.10 * noise(rng, sheet, 260)).astype(np.float32)
    wood = along(sheet, grain(rng, sheet), grain_way, 45, 16)
    rings = np.sin((y + 40 * noise(rng, sheet, 300, 2.5)) / 2.7 + 4 * noise(rng, sheet, 120, 4))
    fibre = blur(grain(rng, sheet), 1.0)
    rubbed = clouds(rng, sheet, 60, 4)
    ink = 1 - plan.mean(axis=-1)
    wear = 0.05 * wood / wood.std() * (0.5 + ink) + 0.030 * rings * (0.4 + ink) + 0.05 * rubbed
    speck = ramp(2.3, 2.9, fibre / fibre.std() + 0.6 * rubbed) * (0.25 + 0.6 * ink)
    plan = plan * (1 + wear[..., None]) + 0.02 * (fibre / fibre.std())[..., None] * rgb("fff0d8")
    return cover(plan * rgb("fff9ec"), rgb("f0e4c8"), speck * 0.7)
