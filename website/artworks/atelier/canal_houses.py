"""A photograph that nobody took: gabled houses along a canal at the blue hour, windows lit, all of it in the water."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atelier.ground import WIDTH, Array, Sheet, blur, clamp, clouds, cover, gradient, grain, ramp, rgb

QUAY, WATER = 418.0, 446.0
WALLS = (
    ("5e2620", "8f4030"), ("8a6a3c", "c9a468"), ("26343c", "41545c"), ("7d7a72", "b9b3a4"), ("6a2c22", "a4543c"),
    ("39463a", "5d6f58"), ("8f5f34", "c98f54"), ("6f2028", "9c3a3a"), ("3a3f52", "5d6884"), ("8c8474", "cfc4ac"),
)  # fmt: skip
LAMPS = (96.0, 318.0, 566.0, 806.0)
GLOW = rgb("ffc46a")
BOATS = (
    (214.0, 96.0, rgb("1c0f12", "7d1f22", "c9503c"), True), (690.0, 112.0, rgb("0c1620", "1f4a5c", "4f8a98"), True),
    (452.0, 46.0, rgb("1a120c", "5a3a22", "a8784a"), False),
)  # fmt: skip


@dataclass(frozen=True)
class House:
    """A house: its edges, its eaves, its gable and its windows."""

    left: float
    right: float
    eaves: float
    gable: str
    rise: float
    columns: int
    storeys: int
    walls: Array

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def half(self) -> float:
        return (self.right - self.left) / 2


def _street(rng: np.random.Generator) -> list[House]:
    houses, left, before = [], -34.0, ""
    while left < WIDTH:
        wide = float(rng.uniform(82, 124))
        gable = str(rng.choice([each for each in ("steps", "bell", "point", "flat") if each != before]))
        walls = rgb(*WALLS[len(houses) % len(WALLS)])
        eaves = float(rng.uniform(172, 236))
        houses.append(
            House(left, left + wide, eaves, gable, wide * rng.uniform(0.62, 0.82), 2 if wide < 94 else 3, 4, walls)
        )
        left, before = left + wide, gable
    return houses


def _outline(house: House, x: Array) -> Array:
    """The height at which the house ends above each column."""
    off = np.abs(x - house.middle) / house.half
    if house.gable == "steps":
        share = 1 - np.floor(off * 6) / 6
    elif house.gable == "bell":
        share = np.where(off < 0.34, 1.0, np.where(off < 0.52, 0.78, 0.55 * ramp(1.05, 0.52, off)))
        share = np.where(off < 0.34, 0.86 + 0.2 * np.sqrt(np.clip(1 - (off / 0.34) ** 2, 0, 1)), share)
    elif house.gable == "point":
        share = 1.05 * (1 - off)
    else:
        share = np.where(off > 0.93, 0.30, 0.22)
    return np.asarray(house.eaves - house.rise * np.clip(share, 0, 1.1))


def _facade(rng: np.random.Generator, house: House, scene: Array, x: Array, y: Array, bricks: Array) -> Array:
    """The house, drawn over the scene: wall, trim, windows, door."""
    top = _outline(house, x)
    wall = (np.abs(x - house.middle) < house.half) & (y > top) & (y < QUAY + 6)
    tone = 0.42 + 0.30 * bricks + 0.22 * ramp(house.right, house.left, x) - 0.18 * ramp(QUAY - 70, QUAY, y)
    skin = gradient(np.stack([house.walls[0], house.walls[1]]), tone)
    # Each house stands a little before or behind the next one, which shades its edge.
    skin = skin * (1 - 0.45 * np.exp(-np.abs(house.right - x) / 5.0))[..., None]
    skin = skin * (1 - 0.30 * np.exp(-np.abs(y - top) / 9))[..., None]
    scene = cover(scene, skin.astype(np.float32), wall.astype(np.float32))
    trim = wall & (((y - top) < 4.4) | (np.abs(y - house.eaves) < 1.9))
    pale = gradient(rgb("8f8c8a", "d9d2c4"), 0.5 + 0.5 * (house.middle - x) / house.half)
    scene = cover(scene, pale, trim.astype(np.float32) * 0.92)
    shaded = wall & (y - house.eaves > 1.9) & (y - house.eaves < 6)
    scene = scene * (1 - 0.4 * shaded)[..., None]

    storey = (QUAY - house.eaves - 8) / house.storeys
    lit = rng.uniform(0, 1, (house.storeys + 1, house.columns)) < 0.52
    tints = rng.uniform(0, 1, (house.storeys + 1, house.columns))
    door = int(rng.integers(house.columns))
    for row in range(house.storeys + 1):
        attic = row == house.storeys
        foot = QUAY - 9 - storey * row if not attic else house.eaves - 10
        high = (storey * (0.74 - 0.05 * row)) if not attic else min(26.0, house.rise * 0.34)
        for column in range(house.columns):
            if attic and (house.gable == "flat" or column != house.columns // 2):
                continue
            centre = house.left + (column + 0.5) * (house.right - house.left) / house.columns
            centre = house.middle if attic else centre
            wide = house.half / house.columns * 0.60
            is_door = row == 0 and column == door
            bottom = QUAY + 3 if is_door else foot
            dx, up = (x - centre) / wide, (bottom - y) / (high + (12 if is_door else 0))
            frame = (np.abs(dx) < 1.17) & (up > -0.05) & (up < 1.07)
            pane = (np.abs(dx) < 1.0) & (up > 0.0) & (up < 1.0)
            scene = cover(scene, pale * 0.9, frame.astype(np.float32))
            if is_door:
                panel = 0.5 + 0.25 * (np.abs(np.abs(dx) - 0.5) < 0.3) * (np.abs(up % 0.4 - 0.2) < 0.14)
                scene = cover(scene, gradient(rgb("0c1a18", "1f4038", "4a6a5a"), panel), pane.astype(np.float32))
                over = pane & (up > 0.82)
                scene = cover(scene, GLOW * 1.15, over.astype(np.float32))
                continue
            if lit[row, column]:
                warm = gradient(
                    rgb("b5611f", "ffb04a", "ffe2a0", "fff6d8"), 0.30 + 0.45 * up + 0.2 * tints[row, column]
                )
                curtain = (np.abs(dx) > 0.62 + 0.2 * up) & (tints[row, column] > 0.35)
                inside = warm * np.where(curtain, 0.62, 1.12)[..., None]
                shelf = (tints[row, column] < 0.4) & (up < 0.32) & (np.sin(x * 1.9 + row) > 0.1 + up * 2)
                inside = inside * np.where(shelf, 0.30, 1.0)[..., None]
            else:
                inside = gradient(rgb("121a2a", "263a56", "5d7794"), 0.15 + 0.55 * up + 0.25 * dx * tints[row, column])
            scene = cover(scene, inside.astype(np.float32), pane.astype(np.float32))
            bars = pane & ((np.abs(dx) < 0.09) | (np.abs(up - 0.62) < 0.022) | (np.abs(up - 0.31) < 0.016))
            scene = cover(scene, pale * 0.78, bars.astype(np.float32))
            sill = (np.abs(dx) < 1.3) & (up < -0.04) & (up > -0.10)
            scene = cover(scene, pale, sill.astype(np.float32))
    return scene


def _sky(rng: np.random.Generator, sheet: Sheet, x: Array, y: Array) -> Array:
    height = np.clip((270 - y) / 270, 0, 1)
    sky = gradient(rgb("ffb27a", "f59a7c", "c98aa0", "7f86b8", "4a6aa8", "2b4a86", "1c3468"), height**0.85)
    body = clouds(rng, sheet, 230, 6, stretch=3.2, fade=0.55)
    under = body - np.roll(body, -round(13 * sheet.pixels_per_unit), axis=0)
    tints = gradient(rgb("2f3f6e", "5f5f8c", "b5708a", "ff9a7a", "ffd09a"), 0.42 - 1.5 * under + 0.25 * (1 - height))
    return cover(sky, tints, 0.9 * ramp(-0.05, 0.6, body))


def _quay(rng: np.random.Generator, sheet: Sheet, scene: Array, x: Array, y: Array) -> Array:
    """The quay's wall and kerb, and its lamps."""
    rough = clouds(rng, sheet, 26, 4, stretch=2.5)
    edge = (y > QUAY) & (y < WATER)
    blocks = ((x + 14 * (np.floor((y - QUAY) / 9) % 2)) % 29 < 1.3) | ((y - QUAY) % 9 < 1.1)
    stone = gradient(rgb("15161c", "34343c", "5f5a58"), 0.45 + 0.4 * rough - 0.3 * blocks - (y - QUAY - 8) / 60)
    near_lamp = sum(np.exp(-(((x - lamp) / 60) ** 2)) for lamp in LAMPS)
    stone = stone + (0.22 * near_lamp * ramp(WATER, QUAY, y))[..., None] * GLOW
    scene = cover(scene, stone.astype(np.float32), edge.astype(np.float32))
    kerb = (y > QUAY - 3) & (y < QUAY + 2)
    scene = cover(scene, rgb("8a8078") * (0.6 + 0.6 * near_lamp)[..., None], kerb.astype(np.float32))
    for lamp in LAMPS:
        pole = (np.abs(x - lamp) < 1.5 + 1.6 * (y > QUAY - 16)) & (y > QUAY - 84) & (y < QUAY)
        scene = cover(scene, rgb("0d0f14"), pole.astype(np.float32))
        light = np.hypot((x - lamp) / 7.0, (y - QUAY + 92) / 9.5)
        cap = (np.abs(x - lamp) < 8 - 0.8 * (QUAY - 100 - y)) & (y < QUAY - 100) & (y > QUAY - 109)
        scene = cover(scene, rgb("fff2cc") * 1.5, ramp(1.1, 0.85, light))
        scene = cover(scene, rgb("0d0f14"), cap.astype(np.float32))
        halo = np.exp(-np.hypot(x - lamp, y - QUAY + 92) / 26)
        scene = scene + (0.55 * halo)[..., None] * GLOW
    return scene.astype(np.float32)


def _boat(scene: Array, x: Array, y: Array, middle: float, half: float, hull: Array, cabin: bool) -> Array:
    """A boat moored at the quay, its deck catching the sky."""
    off = (x - middle) / half
    rail = WATER - 8 - 9 * off**2 - 5 * np.clip(off, 0, 1) ** 3
    body = (np.abs(off) < 1.0 - 0.10 * np.clip((y - rail) / 24, 0, 1)) & (y > rail) & (y < WATER + 15 - 5 * off**4)
    tone = 0.62 - 0.5 * (y - rail) / 24 + 0.10 * np.cos(off * 3)
    if cabin:
        wide = np.abs(x - middle + half * 0.16) < half * 0.42
        house = wide & (y < rail + 2) & (y > WATER - 38)
        scene = cover(scene, gradient(rgb("5a5048", "d9cfc0"), 0.55 - 0.4 * off), house.astype(np.float32))
        roof = (np.abs(x - middle + half * 0.16) < half * 0.46) & (np.abs(y - WATER + 39) < 2.4)
        scene = cover(scene, rgb("3a2c28"), roof.astype(np.float32))
        ports = house & (np.abs(y - WATER + 27) < 5.5) & ((x - middle) % 17 > 5)
        scene = cover(scene, rgb("ffd98a") * 1.15, ports.astype(np.float32))
    scene = cover(scene, gradient(hull, tone), body.astype(np.float32))
    return cover(scene, rgb("e6dccb"), (body & (y - rail < 3.2)).astype(np.float32))


def _canal(rng: np.random.Generator, sheet: Sheet, above: Array, x: Array, y: Array) -> Array:
    """Water: the street upside down, drawn out by ripples that grow towards us."""
    depth = np.clip(y - WATER, 0, None)
    chop = Sheet(900, 900)
    waves = clouds(rng, chop, 34, 4)
    far = 1 / (depth + 26)
    ripple = chop.at(waves, ((x - 500) * far * 42 + 5000) % 1000, (far * 52000) % 1000)
    slap = chop.at(waves, ((x - 500) * far * 95 + 7000) % 1000, (far * 130000) % 1000)
    sway = (0.75 * ripple + 0.35 * slap) * ramp(2, 36, depth)
    bent_y = WATER - 1 - depth * 1.45 - sway * (5 + 0.17 * depth)
    mirrored = sheet.at(above, x + sway * (2.0 + 0.02 * depth), np.clip(bent_y, 1, WATER - 1))
    water = gradient(rgb("0a1420", "142436", "2c425c"), 0.5 + 0.6 * ripple)
    share = 0.80 - 0.16 * ramp(0, 220, depth) - 0.16 * np.clip(slap, 0, 1)
    return cover(above, cover(water, mirrored, share), ramp(-0.6, 0.6, y - WATER))


def photograph(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The street, mirrored, and developed: bloom around the lamps, a film's curve, a little grain."""
    x, y = sheet.coordinates()
    scale = sheet.pixels_per_unit
    scene = _sky(rng, sheet, x, y)
    courses = (np.sin(y * 2 * np.pi / 3.4) > 0.86) * 0.25
    bricks = clouds(rng, sheet, 60, 6, fade=0.62) - courses
    street = _street(rng)
    for house in street[::2]:
        # Roofs and chimneys of the row behind.
        roof = house.eaves - 66 + 0.75 * np.abs(x - house.right)
        tiles = gradient(rgb("1f1c26", "4a3434", "7d5044"), 0.45 + 0.3 * bricks + 0.10 * np.sin(y * 1.3))
        scene = cover(scene, tiles, ((y > roof) & (np.abs(x - house.right) < 78)).astype(np.float32))
        stack = (np.abs(x - house.right + 18) < 9) & (y > house.eaves - 92) & (y < house.eaves)
        scene = cover(
            scene, gradient(rgb("2a1c1e", "6a4038"), 0.5 + (house.right - 18 - x) / 20), stack.astype(np.float32)
        )
    for house in street:
        own = slice(max(0, int(house.left * scale) - 1), int(house.right * scale) + 2)
        scene[:, own] = _facade(rng, house, scene[:, own], x[:, own], y[:, own], bricks[:, own])
    scene = _quay(rng, sheet, scene, x, y)
    moored = scene
    for boat in BOATS:
        moored = _boat(moored, x, y, *boat)
    # What floats is seen above the water and mirrored in it; its hull covers its own reflection.
    hulls = np.abs(moored - scene).max(axis=-1) > 0
    scene = np.where((hulls & (y >= WATER))[..., None], moored, _canal(rng, sheet, moored, x, y))
    bright = np.clip(scene - 0.72, 0, 1)
    scene = scene + 0.55 * blur(bright, 5 * scale) + 0.6 * blur(bright, 20 * scale)
    scene = 1 - np.exp(-1.6 * np.clip(scene, 0, None) ** 1.12)
    rim = np.hypot((x - 500) / 640, (y - sheet.height / 2) / 460)
    scene = scene * (1 - 0.26 * ramp(0.6, 1.25, rim))[..., None] + 0.014 * grain(rng, sheet)[..., None]
    return clamp(scene)
