"""A photograph that nobody took: a mountain lake in the last sun, rendered from a landscape of noise.

The mountains are a height map seen in perspective, front to back; the lake is their mirror image, roughened.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atelier.ground import WIDTH, Array, Sheet, blur, clamp, clouds, cover, gradient, grain, noise, ramp, rgb

HORIZON = 330.0
FOCUS = 1000.0
EYE = 0.16
SHORE = 6.5
NEAR, FAR = 5.2, 26.0
SUN = np.array([0.86, 0.30, -0.30]) / np.linalg.norm([0.86, 0.30, -0.30])
SUNLIGHT = rgb("ffa04e") * 2.5
SKYLIGHT = rgb("7690c4") * 0.62
MAP = Sheet(1400, 1400)
Mask = NDArray[np.bool_]
# One unit of the height map in units of the scene.
GRID = 0.028


def _heights(rng: np.random.Generator) -> Array:
    """The land: ridged mountains that rise with distance, hills nearer by, below zero where the lake lies."""
    across, away = MAP.coordinates()
    x, z = (across - 500) * GRID, away * GRID
    rough = np.zeros_like(x)
    weight = 1.0
    for octave in range(8):
        ridge = 1 - np.abs(noise(rng, MAP, 260 / 2**octave)) * 1.9
        rough += weight * ridge * (0.55 + 0.45 * np.clip(rough, 0, 1.2))
        weight *= 0.47
    valley = 1 - 0.78 * np.exp(-(((x + 0.10 * z - 0.1) / (0.6 + 0.12 * z)) ** 2))
    rise = ramp(SHORE - 0.6, 15, z + 1.6 * noise(rng, MAP, 130) + 0.5 * noise(rng, MAP, 40))
    coast = ramp(SHORE - 1.2, SHORE + 2.2, z + 0.8 * np.abs(x))
    return np.asarray((0.10 + 3.1 * rise * valley) * (0.28 + 0.55 * rough) * coast - 0.07, np.float32)


def _shadows(heights: Array) -> Array:
    """1 where the sun reaches the ground, found by walking from every point towards the sun."""
    lit = np.ones_like(heights)
    x, z = MAP.coordinates()
    slope = SUN[1] / np.hypot(SUN[0], SUN[2])
    heading = SUN[[0, 2]] / np.hypot(SUN[0], SUN[2])
    for reach in np.geomspace(2, 190, 30):
        blocked = MAP.at(heights, x + np.float32(heading[0] * reach), z + np.float32(heading[1] * reach))
        lit = np.minimum(lit, ramp(0.06, -0.02, blocked - heights - np.float32(reach * GRID * slope)))
    return lit


def _sky(rng: np.random.Generator, sheet: Sheet, x: Array, y: Array) -> Array:
    height = np.clip((HORIZON - y) / HORIZON, 0, 1)
    sky = gradient(rgb("ffd09a", "f7c9a6", "cdb9c0", "8fa3c8", "5f82b8", "3f659f"), height**0.8)
    towards = np.exp(-(((x - 1120) / 520) ** 2) - ((y - HORIZON + 20) / 190) ** 2)
    sky = cover(sky, rgb("ffdca0"), 0.85 * towards)
    warp = noise(rng, sheet, 190, 2)
    body = clouds(rng, sheet, 210, 7, stretch=2.6, fade=0.55) + 0.25 * warp
    # Sunlit from the lower right: a cloud is bright where there is less of it on that side.
    step = round(22 * sheet.pixels_per_unit)
    towards_sun = np.roll(np.roll(body, -step, axis=1), -step // 2, axis=0)
    light = 0.50 + 0.75 * (body - towards_sun)
    tints = gradient(rgb("6f6d96", "a987a0", "e79f86", "ffc58c", "fff0d0"), light + 0.15 * towards)
    share = ramp(0.05, 0.75, body - 0.25 * np.abs(height - 0.52) * 2 + 0.02)
    return cover(sky, tints, 0.93 * share * ramp(0.0, 0.2, height))


def _mountains(rng: np.random.Generator, sheet: Sheet) -> tuple[Array, Mask]:
    """The land's colours and where it is seen."""
    heights = _heights(rng)
    lit = _shadows(heights)
    slope_z, slope_x = np.gradient(heights, GRID * WIDTH / MAP.across)
    steep = np.sqrt(1 + slope_x**2 + slope_z**2)
    facing = np.clip((-slope_x * SUN[0] + SUN[1] - slope_z * SUN[2]) / steep, 0, 1)
    x = (sheet.coordinates()[0][0] - WIDTH / 2).astype(np.float32)
    rows = sheet.coordinates()[1]
    depth = np.full((sheet.down, sheet.across), np.inf, np.float32)
    for z in np.geomspace(NEAR, FAR, 900).astype(np.float32):
        ground = MAP.at(heights, x / FOCUS * z / GRID + 500, np.full_like(x, z / GRID))
        top = HORIZON + FOCUS * (EYE - ground) / z
        foot = HORIZON + FOCUS * EYE / z
        depth[(rows >= top) & (rows <= foot) & (ground > 0) & np.isinf(depth)] = z
    seen = np.isfinite(depth)
    z = np.where(seen, depth, FAR)
    at_x, at_z = x[None, :] / FOCUS * z / GRID + 500, z / GRID
    height, flat = MAP.at(heights, at_x, at_z), 1 / MAP.at(steep.astype(np.float32), at_x, at_z)
    patch = MAP.at(clouds(rng, MAP, 30, 5), at_x, at_z)
    rock = gradient(rgb("4b4540", "786a5e", "a08d78"), 0.5 + 0.4 * patch)
    woods = gradient(rgb("10201a", "213521", "46502a"), 0.45 + 0.45 * patch)
    albedo = cover(rock, woods, ramp(1.15, 0.55, height + 0.22 * patch) * ramp(0.30, 0.50, flat + 0.1 * patch))
    albedo = cover(albedo, rgb("f4f4f6"), ramp(1.45, 1.75, height + 0.25 * patch) * ramp(0.28, 0.42, flat))
    direct = MAP.at((facing * lit).astype(np.float32), at_x, at_z)
    colour = albedo * (direct[..., None] * SUNLIGHT + (0.4 + 0.6 * flat)[..., None] * SKYLIGHT)
    haze = 1 - np.exp(-((z - 4) / 26))
    air = gradient(rgb("92a2c6", "e0b6a2", "ffcf9c"), (x[None, :] / WIDTH + 0.5) + 0 * z)
    return cover(colour.astype(np.float32), air, haze), seen


def _lake(rng: np.random.Generator, sheet: Sheet, above: Array, x: Array, y: Array, water: Mask) -> Array:
    """Water: what is above, upside down, broken by ripples that shrink with distance."""
    # The shore is nearer in some columns than in others, and everything is mirrored about its own shore.
    shore = np.where(water | (y < HORIZON), HORIZON + 4, y).max(axis=0, keepdims=True)
    line = blur(shore.astype(np.float32), 3 * sheet.pixels_per_unit) + np.float32(0.5)
    distance = 1 / np.maximum(y - HORIZON, 4)
    chop = Sheet(900, 900)
    waves = clouds(rng, chop, 26, 4)
    at_x = ((x - 500) * distance * 60 * 2.0 + 5000) % 1000
    at_y = (distance * 60000 * 1.2) % 1000
    ripple = chop.at(waves, at_x, at_y) * ramp(HORIZON + 10, HORIZON + 65, y)
    calm = 0.35 + 0.65 * ramp(-0.3, 0.5, noise(rng, sheet, 60, 7))
    shift = ripple * calm * (3 + 0.07 * (y - line))
    mirrored = sheet.at(above, x + 0.35 * shift, np.clip(2 * line - y - np.abs(shift) * 1.5, 1, line - 2))
    grazing = ramp(690, HORIZON + 20, y)
    deep = gradient(rgb("0e2430", "1d3c48"), 0.5 + 0.5 * ripple)
    lake = cover(deep, mirrored, 0.50 + 0.38 * grazing)
    glitter = ramp(0.55, 1.1, ripple) * np.exp(-(((x - 1010) / 260) ** 2))
    lake = cover(lake, rgb("ffd9a0"), 0.7 * glitter)
    return cover(above, lake, water.astype(np.float32))


def _headland(rng: np.random.Generator, sheet: Sheet, scene: Array, x: Array, y: Array) -> Array:
    """The near shore: rock and grass, and a lighthouse catching the sun."""
    rise = 640 - 150 * ramp(560, 800, x) - 28 * ramp(760, 960, x) + 18 * np.sin(x / 47) * ramp(560, 700, x)
    rise += 9 * noise(rng, sheet, 30) + 5 * noise(rng, sheet, 11) + 90 * ramp(620, 480, x)
    relief = clouds(rng, sheet, 70, 7, fade=0.6)
    slope_y, slope_x = np.gradient(relief)
    light = np.clip(0.42 + (slope_x * -1.0 + slope_y * 0.7) * 9 * sheet.pixels_per_unit, 0, 1.3)
    below = y - rise
    stone = gradient(rgb("15141a", "3d3634", "8c6a4c", "e0a468"), light * 0.75 + 0.1 * relief)
    blades = clouds(rng, sheet, 5, 3, stretch=0.45)
    grass = gradient(rgb("141a12", "34401c", "7f7a2c", "e2b85a"), 0.06 + 0.20 * blades + 0.62 * light + 0.25 * relief)
    turf = ramp(0.0, 0.5, relief + 0.5 - below / 130)
    land = cover(stone, grass, turf)
    land = land * (1 - 0.45 * ramp(30, 190, below))[..., None]
    scene = cover(scene, land.astype(np.float32), ramp(-1.0, 1.0, below + 3 * blades))

    foot, top, middle = 478.0, 205.0, 812.0
    up = np.clip((foot - y) / (foot - top), 0, 1)
    half = 31 - 11 * up
    side = (x - middle) / half
    round_light = np.clip(side * 0.80 + np.sqrt(np.clip(1 - side**2, 0, 1)) * 0.42, 0, 1)
    shade = (round_light[..., None] * SUNLIGHT * 0.62 + SKYLIGHT * 0.75) * (1 + 0.04 * relief)[..., None]
    paint = cover(
        np.broadcast_to(rgb("efe9df"), scene.shape), rgb("a3241f"), (np.floor(up * 5) % 2 == 1).astype(np.float32)
    )
    tower = ramp(1.04, 0.98, np.abs(side)) * (y < foot + 6 + 5 * np.cos(side * 1.4)) * (y > top)
    scene = cover(scene, np.clip(paint * shade, 0, 1.1).astype(np.float32), tower)
    for window_y in (430.0, 350.0, 275.0):
        pane = (np.abs(x - middle + 6) < 4) & (np.abs(y - window_y) < 8)
        scene = cover(scene, rgb("241c1c"), pane.astype(np.float32))
    iron = (np.abs(x - middle) < 29) & (np.abs(y - top) < 4)
    rails = (
        (np.abs(x - middle) < 28)
        & (y < top)
        & (y > top - 15)
        & ((np.abs(y - top + 14) < 1.2) | ((x - middle) % 7 < 1.4))
    )
    scene = cover(scene, rgb("2a2328"), (iron | rails).astype(np.float32))
    lamp = (np.abs(x - middle) < 14) & (y < top - 2) & (y > top - 38)
    glass = gradient(rgb("7d5a3c", "ffcf6f", "fff4c8"), 1 - np.hypot(x - middle, y - top + 20) / 24)
    scene = cover(scene, glass, lamp.astype(np.float32))
    bars = lamp & ((x - middle) % 9.3 < 1.3)
    roof = (y <= top - 38) & (np.abs(x - middle) < 19 - 19 * np.clip((top - 38 - y) / 24, 0, 1) ** 1.5) & (y > top - 62)
    scene = cover(scene, rgb("2a2328"), bars.astype(np.float32))
    scene = cover(scene, gradient(rgb("3d1216", "8f2a20", "e8804e"), side * 0.5 + 0.5), roof.astype(np.float32))
    halo = np.exp(-(np.hypot(x - middle, y - top + 20) / 34))
    scene = (scene + (0.35 * halo)[..., None] * rgb("ffcf80")).astype(np.float32)

    house = (np.abs(x - 893) < 44) & (y > 437) & (y < 486)
    eaves = (np.abs(x - 893) < 52 - (437 - y) * 0.55) & (y <= 437) & (y > 408)
    wall = gradient(rgb("8f8fa4", "f3d3a8"), ramp(905, 915, x)) * (1 + 0.05 * blades)[..., None]
    scene = cover(scene, wall.astype(np.float32), house.astype(np.float32))
    tiles = gradient(rgb("4b2b2c", "8d4a36", "d98a5a"), 0.45 + 0.3 * np.sin(y * 1.1) * 0.4 + 0.3 * ramp(860, 940, x))
    scene = cover(scene, tiles, eaves.astype(np.float32))
    for window_x in (872.0, 893.0, 926.0):
        pane = (np.abs(x - window_x) < 6) & (np.abs(y - 458) < 9)
        scene = cover(scene, rgb("ffca66"), pane.astype(np.float32))
        bar = pane & ((np.abs(x - window_x) < 0.8) | (np.abs(y - 458) < 0.8))
        scene = cover(scene, rgb("4a3326"), bar.astype(np.float32))
    front = ramp(-1.0, 1.0, y - 478 - 7 * blades - 5 * np.sin(x / 19)) * (np.abs(x - 850) < 130) * (below > -40)
    return cover(scene, grass, front * ramp(130, 90, np.abs(x - 850)))


def photograph(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The scene, developed: bloom, a film's curve, a darker rim and a little grain."""
    x, y = sheet.coordinates()
    sky = _sky(rng, sheet, x, y)
    land, seen = _mountains(rng, sheet)
    scene = np.where(seen[..., None], land, sky)
    scene = _lake(rng, sheet, scene.astype(np.float32), x, y, (y > HORIZON) & ~seen)
    scene = _headland(rng, sheet, scene, x, y)
    scale = sheet.pixels_per_unit
    bright = np.clip(scene - 0.75, 0, 1)
    scene = scene + 0.5 * blur(bright, 12 * scale)
    scene = 1 - np.exp(-1.75 * np.clip(scene, 0, None) ** 1.18)
    rim = np.hypot((x - 500) / 640, (y - sheet.height / 2) / 470)
    specks = 0.014 * grain(rng, sheet)
    scene = scene * (1 - 0.22 * ramp(0.6, 1.25, rim))[..., None] + specks[..., None]
    return clamp(scene)
