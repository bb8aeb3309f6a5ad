"""A photograph that nobody took: a jug, pears and a lemon in the light of a window, rendered by tracing rays.

Things are solids of revolution, marched along each ray by their distance (J. C. Hart, Sphere Tracing, 1996).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from atelier.ground import Array, Sheet, blur, clamp, clouds, gradient, grain, ramp, rgb

EYE = np.array([0.0, 2.55, -7.4])
LOOK = np.array([0.0, 1.22, 0.0])
ZOOM = 1.86
WALL = 2.6
EDGE = -2.15
SUN = np.array([-0.74, 0.52, -0.42]) / np.linalg.norm([-0.74, 0.52, -0.42])
SUNLIGHT, DAYLIGHT = rgb("ffe2b4") * 2.3, rgb("93a9c8") * 0.55
TEXTURE = Sheet(800, 800)


@dataclass(frozen=True)
class Thing:
    """A solid of revolution: its outline gives the radius at each height; it stands at a place, tilted and turned."""

    outline: tuple[tuple[float, float], ...]
    at: tuple[float, float, float]
    tilt: float
    turn: float
    colours: Array
    gloss: float
    handle: bool = False

    @property
    def top(self) -> float:
        return self.outline[-1][0]

    def own(self, points: Array) -> Array:
        """Points in the thing's own space, where it stands upright on the origin."""
        moved = points - np.asarray(self.at)
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        across, deep = moved[:, 0] * cos + moved[:, 2] * sin, moved[:, 2] * cos - moved[:, 0] * sin
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        return np.stack([across * cos + moved[:, 1] * sin, moved[:, 1] * cos - across * sin, deep], axis=1)

    def distance(self, points: Array) -> Array:
        """How far the points are from its surface, at least."""
        own = self.own(points)
        heights, radii = np.asarray(self.outline).T
        beyond = np.maximum(np.maximum(heights[0] - own[:, 1], own[:, 1] - heights[-1]), 0)
        # Where the outline runs level, the way out along the radius is far longer than the way up.
        slope = np.clip(np.interp(own[:, 1], heights, np.gradient(radii, heights)), -6, 6)
        found = np.maximum(self._outside(own) / np.sqrt(1 + slope**2), beyond) * 0.85
        return np.asarray(np.minimum(found, self._from_handle(own)))

    def normals(self, points: Array) -> Array:
        """Which way the surface faces at points that lie on it."""
        sides = []
        for step in np.eye(3) * 0.004:
            ahead, behind = self.own(points + step), self.own(points - step)
            body = self._outside(ahead) - self._outside(behind)
            on_handle = self._from_handle(self.own(points)) < 0.01
            sides.append(np.where(on_handle, self._from_handle(ahead) - self._from_handle(behind), body))
        across = np.stack(sides, axis=1)
        return np.asarray(across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9))

    def _outside(self, own: Array) -> Array:
        """How far the points are outside the outline, along the radius."""
        heights, radii = np.asarray(self.outline).T
        return np.asarray(np.hypot(own[:, 0], own[:, 2]) - np.interp(own[:, 1], heights, radii))

    def _from_handle(self, own: Array) -> Array:
        if not self.handle:
            return np.full(len(own), 1e3)
        ring = np.hypot(own[:, 0] - 0.60, (own[:, 1] - 1.42) / 1.25) - 0.44
        return np.asarray((np.hypot(ring, own[:, 2]) - 0.085) * 0.75)


def _smooth(*knots: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """An outline through the knots, rounded."""
    heights, radii = np.asarray(knots, float).T
    fine = np.linspace(heights[0], heights[-1], 160)
    wide = np.interp(fine, heights, radii)
    kernel = np.hanning(17) / np.hanning(17).sum()
    inner = np.convolve(np.pad(wide, 8, mode="edge"), kernel, "valid")
    fade = np.clip(np.minimum(fine - fine[0], fine[-1] - fine) / (0.06 * (fine[-1] - fine[0])), 0, 1)
    return tuple(zip(fine.tolist(), (wide + (inner - wide) * fade).tolist(), strict=True))


def _ball(size: float, long: float, points: float = 0.0) -> tuple[tuple[float, float], ...]:
    turn = np.linspace(-np.pi / 2, np.pi / 2, 90)
    heights = size * long * (1 + np.sin(turn) + points * np.sin(turn) ** 5)
    return tuple(zip((heights - heights[0]).tolist(), (size * np.cos(turn)).tolist(), strict=True))


PEAR = _smooth(
    (0.0, 0.0), (0.02, 0.22), (0.10, 0.42), (0.25, 0.55), (0.42, 0.585), (0.60, 0.53), (0.80, 0.38), (0.98, 0.255),
    (1.15, 0.205), (1.27, 0.16), (1.33, 0.06), (1.35, 0.028), (1.60, 0.022), (1.62, 0.034), (1.64, 0.0),
)  # fmt: skip
JUG = _smooth(
    (0.0, 0.52), (0.05, 0.56), (0.30, 0.74), (0.62, 0.86), (0.95, 0.84), (1.30, 0.62), (1.62, 0.40), (1.85, 0.36),
    (2.05, 0.43), (2.16, 0.50), (2.20, 0.47),
)  # fmt: skip
THINGS = (
    Thing(JUG, (-0.42, 0.0, 0.75), 0.0, 0.35, rgb("123a5c", "1f6f96", "4fa0b8"), 1.0, handle=True),
    Thing(PEAR, (0.92, 0.0, -0.30), 0.08, 0.4, rgb("7f8f1f", "c9b83a", "e3c85a"), 0.35),
    Thing(PEAR, (0.02, 0.10, -0.95), 1.08, 2.5, rgb("a8a02a", "d9b53a", "c9562a"), 0.35),
    Thing(PEAR, (1.52, 0.0, 0.75), -0.10, 1.2, rgb("8a3a22", "c97a2f", "d9a83f"), 0.35),
    Thing(_ball(0.36, 1.08, 0.16), (-0.98, 0.36, -0.55), 1.30, 0.7, rgb("e0a814", "f4cc2c", "fbe06a"), 0.45),
    Thing(_ball(0.27, 0.96), (-0.52, 0.0, -1.48), 0.0, 0.0, rgb("4a0f1c", "8a1f2c", "c9483a"), 0.8),
)


def _march(distance: Callable[[Array], Array], start: Array, way: Array, far: float, steps: int) -> tuple[Array, Array]:
    """How far each ray goes until it meets the thing (infinite if never), and how narrowly it passed by it."""
    travelled = np.full(len(start), 0.02)
    narrow = np.full(len(start), np.inf)
    met = np.full(len(start), np.inf)
    open_rays = np.arange(len(start))
    for _ in range(steps):
        away = distance(start[open_rays] + way[open_rays] * travelled[open_rays, None])
        narrow[open_rays] = np.minimum(narrow[open_rays], away / np.maximum(travelled[open_rays], 0.05))
        hit = away < 0.0012
        met[open_rays[hit]] = travelled[open_rays[hit]]
        travelled[open_rays] += np.maximum(away, 0.002)
        open_rays = open_rays[~hit & (travelled[open_rays] < far)]
        if not len(open_rays):
            break
    return met, narrow


def _near(thing: Thing, start: Array, way: Array, margin: float) -> Array:
    """Which rays pass the ball around a thing."""
    middle = np.asarray(thing.at) + np.array([0.0, thing.top / 2, 0.0])
    size = 0.62 * thing.top + max(radius for _, radius in thing.outline) * 0.75 + margin
    to = middle - start
    along = np.clip((to * way).sum(axis=1), 0, None)
    return np.asarray(np.linalg.norm(to - way * along[:, None], axis=1) < size)


def _lit(points: Array) -> Array:
    """How much of the window each point sees: 1 in full light."""
    light = np.ones(len(points))
    way = np.broadcast_to(SUN, points.shape)
    for thing in THINGS:
        rays = np.flatnonzero(_near(thing, points, way, 0.25))
        if len(rays):
            met, narrow = _march(thing.distance, points[rays], way[rays], 6.0, 40)
            light[rays] *= np.where(np.isfinite(met), 0, ramp(0.0, 0.13, narrow))
    # The window has a cross of bars and a sill; they fall as soft bands over wall and table.
    across = points[:, 2] - points[:, 0] * SUN[2] / SUN[0]
    up = points[:, 1] - points[:, 0] * SUN[1] / SUN[0]
    pane = ramp(-2.6, -2.2, across) * ramp(3.4, 3.0, across) * ramp(4.3, 4.0, up) * ramp(-1.6, -1.3, up)
    bars = ramp(0.05, 0.16, np.abs(across - 0.55)) * ramp(0.05, 0.16, np.abs(up - 2.05))
    return np.asarray(light * (0.10 + 0.90 * pane * (0.18 + 0.82 * bars)))


def _closed_in(points: Array, normals: Array) -> Array:
    """How open the surroundings are: 1 in the open, less in corners and under things."""
    shut = np.zeros(len(points))
    for reach, weight in ((0.08, 1.0), (0.22, 0.7), (0.5, 0.45)):
        ahead = points + normals * reach
        nearest = np.minimum(ahead[:, 1] + np.where(ahead[:, 2] < EDGE, 9.0, 0.0), WALL - ahead[:, 2])
        for thing in THINGS:
            nearest = np.minimum(nearest, np.maximum(thing.distance(ahead), 0))
        shut += weight * np.clip(reach - nearest, 0, None) / reach
    return np.asarray(np.clip(1 - 0.42 * shut, 0.12, 1))


def photograph(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The scene, lit, and developed as film would."""
    forward = (LOOK - EYE) / np.linalg.norm(LOOK - EYE)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    x, y = sheet.coordinates()
    u, v = (x.ravel() - 500) / 1000, (sheet.height / 2 - y.ravel()) / 1000
    way = forward * ZOOM + u[:, None] * right + v[:, None] * np.cross(forward, right)
    way = (way / np.linalg.norm(way, axis=1, keepdims=True)).astype(float)
    start = np.broadcast_to(EYE, way.shape)

    wall = (WALL - EYE[2]) / way[:, 2]
    table = np.where(way[:, 1] < -1e-6, -EYE[1] / np.minimum(way[:, 1], -1e-6), np.inf)
    table = np.where(EYE[2] + table * way[:, 2] > EDGE, table, np.inf)
    front = (EDGE - EYE[2]) / way[:, 2]
    front = np.where((EYE[1] + front * way[:, 1] < 0), front, np.inf)
    reach = np.minimum(np.minimum(wall, table), front)
    kind = np.where(reach == wall, -1, np.where(reach == table, -2, -3))
    for index, thing in enumerate(THINGS):
        rays = np.flatnonzero(_near(thing, start, way, 0.0))
        met, _ = _march(thing.distance, start[rays], way[rays], 14.0, 90)
        closer = met < reach[rays]
        reach[rays[closer]], kind[rays[closer]] = met[closer], index
    points = EYE + way * reach[:, None]

    normals = np.zeros_like(points)
    normals[kind == -1, 2], normals[kind == -2, 1], normals[kind == -3, 2] = -1, 1, -1
    albedo, gloss = np.zeros_like(points), np.zeros(len(points))
    patches = clouds(rng, TEXTURE, 160, 5)
    fibres = clouds(rng, TEXTURE, 40, 4, stretch=9)
    specks = np.clip(blur(grain(rng, TEXTURE), 1.0) * 3.2 - 1.4, 0, 1)

    def texture(field: Array, across: Array, up: Array, size: float) -> Array:
        return TEXTURE.at(field, (across * size) % 1000, (up * size) % 1000)

    on = kind == -1
    plaster = texture(patches, points[on, 0] + 9, points[on, 1] + 9, 90) + 0.3 * texture(
        patches, points[on, 1] + 5, points[on, 0] + 8, 420
    )
    albedo[on] = gradient(rgb("5f6a62", "7f8a7c", "98a08e"), 0.5 + 0.35 * plaster)
    for side, depth in ((-2, 2), (-3, 1)):
        on = kind == side
        plank = np.floor((points[on, depth] + 9) / 0.78)
        wood = texture(fibres, points[on, 0] + 9 + 3.7 * plank, points[on, depth] + 9 + 1.3 * plank, 120)
        seam = ramp(0.0, 0.03, np.abs((points[on, depth] + 9) / 0.78 - np.round((points[on, depth] + 9) / 0.78)))
        tone = 0.45 + 0.45 * wood + 0.12 * np.sin(plank * 2.4)
        albedo[on] = gradient(rgb("2f1a10", "5f3820", "8a5a34", "a8774a"), tone) * (0.35 + 0.65 * seam)[:, None]
        gloss[on] = 0.10
    for index, thing in enumerate(THINGS):
        on = np.flatnonzero(kind == index)
        normals[on] = thing.normals(points[on])
        own = thing.own(points[on])
        around = np.arctan2(own[:, 2], own[:, 0])
        mottled = texture(patches, around + 4, own[:, 1] + 2, 130)
        dotted = texture(specks, around * 1.4 + 6, own[:, 1] * 2 + 2, 200)
        # Fruit blushes on the side that hung in the sun; a glaze runs down and gathers.
        blush = 0.5 + 0.45 * np.sin(around + thing.turn * 3) * (not thing.handle) + 0.32 * mottled
        colour = gradient(thing.colours, blush - 0.25 * thing.handle * (own[:, 1] - 1))
        if thing.handle:
            bands = ramp(0.05, 0.03, np.abs(own[:, 1] - 1.30)) + ramp(0.03, 0.015, np.abs(own[:, 1] - 1.42))
            bands += ramp(0.09, 0.07, np.abs(own[:, 1] - 0.62 - 0.10 * np.sin(8 * around)))
            colour = (
                colour
                + (rgb("f0e6cc") - colour) * (np.clip(bands, 0, 1) * (np.hypot(own[:, 0], own[:, 2]) < 0.9))[:, None]
            )
        else:
            colour = colour * (1 - 0.35 * dotted)[:, None]
            stalk = ramp(0.10, 0.04, np.hypot(own[:, 0], own[:, 2])) * (own[:, 1] > 1.3)
            colour = colour + (rgb("3a2614") - colour) * stalk[:, None]
        albedo[on], gloss[on] = colour, thing.gloss

    facing = np.clip((normals * SUN).sum(axis=1), 0, 1)
    lifted = points + normals * 0.012
    light = _lit(lifted) * facing
    openness = _closed_in(lifted, normals)
    # Light comes back from the table, warm, into what faces down and away from the window.
    bounce = np.clip(0.35 - 0.45 * normals[:, 1] + 0.25 * normals[:, 0], 0, 1) * np.exp(-points[:, 1] / 0.9)
    sky = 0.55 + 0.25 * normals[:, 1] - 0.28 * normals[:, 0]
    colour = albedo * (
        light[:, None] * SUNLIGHT
        + (sky * openness)[:, None] * DAYLIGHT
        + (bounce * openness)[:, None] * rgb("c98a52") * 0.45
    )
    mirror = way - 2 * (way * normals).sum(axis=1, keepdims=True) * normals
    # What shines mirrors the window: a bright rectangle with its bars, high on the left.
    across, up = mirror[:, 2] / np.minimum(mirror[:, 0], -1e-3), mirror[:, 1] / -np.minimum(mirror[:, 0], -1e-3)
    pane = ramp(-0.5, -0.4, across) * ramp(1.35, 1.25, across) * ramp(0.15, 0.25, up) * ramp(1.35, 1.2, up)
    pane *= ramp(0.02, 0.07, np.abs(across - 0.42)) * ramp(0.02, 0.07, np.abs(up - 0.75)) * (mirror[:, 0] < -0.05)
    fresnel = 0.06 + 0.94 * (1 - np.clip(-(way * normals).sum(axis=1), 0, 1)) ** 5
    room = gradient(rgb("2a2c2c", "6a747a"), 0.5 + 0.5 * mirror[:, 1])
    polish = gloss * openness
    colour += (polish * (0.62 * pane * (0.4 + gloss)))[:, None] * rgb("fff6e4")
    colour += (polish * fresnel * 0.5)[:, None] * room

    scene = colour.reshape(sheet.down, sheet.across, 3).astype(np.float32)
    scale = sheet.pixels_per_unit
    # Wall and table's edge lie out of focus.
    far = blur(scene, 2.2 * scale)
    behind = blur((kind == -1).reshape(x.shape).astype(np.float32), 1.2 * scale)
    scene = scene + (far - scene) * ramp(0.9, 1.0, behind)[..., None]
    scene = scene + 0.25 * blur(np.clip(scene - 0.8, 0, 2), 14 * scale)
    scene = 1 - np.exp(-1.45 * np.clip(scene, 0, None) ** 1.05)
    rim = np.hypot((x - 470) / 760, (y - sheet.height * 0.5) / (sheet.height * 0.72))
    scene = scene * (1 - 0.35 * ramp(0.55, 1.2, rim))[..., None] + 0.012 * grain(rng, sheet)[..., None]
    return clamp(np.clip(scene, 0, 1) ** 0.86)
