"""A guitar, a bottle and fruit on a round table, seen from several sides at once and put together again from facets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atelier.brush import Brush, Canvas, Touch, lay
from atelier.ground import WIDTH, Array, Sheet, blur, clouds, cover, gradient, grain, noise, ramp, rgb, seams

INK = rgb("17161c")
# The cuts: a point on each, and its heading.
CUTS = (
    (330.0, 300.0, 1.25), (655.0, 330.0, 1.95), (500.0, 560.0, 0.52), (470.0, 640.0, -0.62), (560.0, 820.0, 0.16),
    (205.0, 720.0, 1.50), (830.0, 760.0, 1.72), (500.0, 250.0, -0.30), (380.0, 1010.0, -0.28), (760.0, 520.0, 0.85),
    (610.0, 980.0, 1.05),
)  # fmt: skip
FRUIT = (
    (215.0, 905.0, 92.0, 78.0, ("7d2a1c", "c9482a", "f0894a", "ffd9a0")),
    (372.0, 968.0, 76.0, 66.0, ("8a6a12", "d9ac2c", "f6dc6a", "fff7cf")),
    (142.0, 1003.0, 70.0, 62.0, ("4d5a1c", "8c9c3a", "c9cf6a", "f3f0c0")),
)
Labels = NDArray[np.int64]


def _guitar(x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Along and across the guitar, its body, and its neck."""
    turn = -1.02
    dx, dy = x - 590, y - 690
    u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    lower, upper = np.hypot(u + 95, v / 1.04) - 178, np.hypot(u - 118, v) - 132
    body = np.minimum(lower, upper)
    waist = np.hypot(u - 20, np.abs(v) - 205) - 74
    body = np.maximum(np.minimum(body, np.maximum(np.abs(u - 20) - 110, np.abs(v) - 150)), -waist)
    neck = np.maximum(np.abs(u - 400) - 210, np.abs(v) - 25)
    head = np.maximum(np.abs(u - 640) - 52, np.abs(v) - 40)
    return u, v, -body, np.maximum(-neck, -head)


def _still(x: Array, y: Array) -> tuple[Array, Labels]:
    """The table as one eye sees it: colours, and which thing each point belongs to."""
    part = np.zeros(x.shape, np.int64)
    plan = gradient(rgb("1d3f58", "2f6f88", "6fa8ae", "d9c894"), x / WIDTH + 0.12 * np.sin(y / 170))
    stripes = (np.sin(x / 17) > 0.62) & (x > 560)
    plan = cover(plan, rgb("a3452f"), stripes.astype(np.float32) * 0.75)

    def put(where: NDArray[np.bool_], colours: Array) -> None:
        nonlocal plan
        plan = cover(plan, colours, where.astype(np.float32))
        part[where] = part.max() + 1

    table = np.hypot((x - 500) / 520, (y - 1000) / 330) < 1
    wood = np.sin(y / 9 + 2.2 * np.sin(x / 130)) * 0.22 + 0.5 + 0.2 * (x - 500) / 500
    put(table, gradient(rgb("4a2a1e", "84502e", "b97f48", "dcae74"), wood))
    fall = y - 930 - 0.42 * (x - 620)
    cloth = (np.abs(x - 700 - 0.25 * (y - 900)) < 205) & (fall > 0) & (fall < 330)
    folds = 0.55 + 0.32 * np.sin((x - 0.3 * y) / 26) + 0.1 * np.sin(x / 11)
    put(cloth, gradient(rgb("5d6f7e", "aeb6b4", "e9e2cf", "fffaf0"), folds))
    sheet_u, sheet_v = 0.92 * (x - 560) + 0.40 * (y - 1060), 0.92 * (y - 1060) - 0.40 * (x - 560)
    paper = (np.abs(sheet_u) < 190) & (np.abs(sheet_v) < 95)
    staves = ((sheet_v % 38 < 24) & (sheet_v % 6 < 1.5)) | (np.hypot(sheet_u % 44 - 18, sheet_v % 38 - 13) < 5)
    put(paper, np.where(staves[..., None], INK, rgb("f2e7c8")).astype(np.float32))

    waist = np.where(y < 470, 30, 30 + 76 * ramp(470, 560, y))
    bottle = (np.abs(x - 312) < waist) & (y > 232) & (y < 885)
    side = (x - 312) / waist
    put(bottle, gradient(rgb("0c1f1c", "1d4a3c", "3f7d5a", "a9c98a", "1c3a30"), 0.5 + 0.5 * side))
    label = bottle & (y > 640) & (y < 770)
    put(label, gradient(rgb("c9a35a", "efe0b4", "b98a4a"), 0.5 + 0.5 * side))
    put(bottle & (y < 285), gradient(rgb("7d1f1c", "c9402c", "7d1f1c"), 0.5 + 0.5 * side))

    u, v, body, neck = _guitar(x, y)
    put(neck > 0, gradient(rgb("2a1a16", "5d3826"), 0.5 + v / 60))
    grown = 0.5 + 0.28 * v / 150 + 0.10 * np.sin(v / 6 + 1.5 * np.sin(u / 90))
    put(body > 0, gradient(rgb("6f2a14", "b3541f", "df8a35", "f6c26a"), grown))
    hole = np.hypot(u - 62, v)
    put((hole < 64) & (body > 0), gradient(rgb("f0d9a0", "6a3420"), (hole - 50) / 10))
    put(hole < 50, gradient(rgb("0d0b0f", "2a1a18"), hole / 60))
    put((np.abs(u + 120) < 12) & (np.abs(v) < 62), rgb("241512") + 0 * plan)
    strings = (np.abs(v) < 19) & (np.abs((v + 18) % 7.2 - 3.6) < 1.1) & (u > -120) & (u < 600)
    plan = cover(plan, rgb("fbeecb"), strings.astype(np.float32) * 0.85)

    rim = np.abs(x - 815) < 62 + 22 * np.cos((y - 700) / 60)
    glass = rim & (y > 640) & (y < 860)
    put(glass, gradient(rgb("56808c", "dfeee6", "8fb4b4", "f4f8ee"), (x - 740) / 150 + 0.1 * np.sin(y / 15)))
    put(glass & (y > 735), gradient(rgb("4a0f22", "9c2440", "d9647a"), (x - 740) / 150))
    for cx, cy, wide, high, tones in FRUIT:
        dx, dy = (x - cx) / wide, (y - cy) / high
        put(np.hypot(dx, dy) < 1, gradient(rgb(*tones), 0.45 - 0.45 * (dx + dy) + 0.1 * np.sin(6 * dx)))
    return plan, part


def paint(rng: np.random.Generator, sheet: Sheet) -> Array:
    """The whole picture: cut, each facet turned to a view of its own, shaded, and painted with short flat strokes."""
    x, y = sheet.coordinates()
    facet = np.zeros(x.shape, np.int64)
    for number, (cut_x, cut_y, heading) in enumerate(CUTS):
        facet += ((x - cut_x) * np.sin(heading) > (y - cut_y) * np.cos(heading)).astype(np.int64) << number
    # One view for every facet that there could be, so that the choice does not depend on the sheet's size.
    views = rng.uniform(-1, 1, (2 ** len(CUTS), 6)).astype(np.float32)[facet]
    _, place = np.unique(facet, return_inverse=True)
    place = place.reshape(facet.shape)
    count = np.bincount(place.ravel())
    middle_x, middle_y = (np.bincount(place.ravel(), each.ravel()) / count for each in (x, y))
    dx, dy = x - middle_x[place], y - middle_y[place]
    turn, zoom = 0.20 * views[..., 0], 1 + 0.10 * views[..., 1]
    seen_x = middle_x[place] + (dx * np.cos(turn) - dy * np.sin(turn)) * zoom + 26 * views[..., 2]
    seen_y = middle_y[place] + (dx * np.sin(turn) + dy * np.cos(turn)) * zoom + 26 * views[..., 3]
    plan, part = _still(seen_x.astype(np.float32), seen_y.astype(np.float32))

    # Every facet is lit from one of its sides, so that planes seem to lean out of the picture and back into it.
    lean = np.pi * views[..., 4]
    slope = dx * np.cos(lean) + dy * np.sin(lean)
    order = np.lexsort((slope.ravel(), place.ravel()))
    rank = np.empty(order.size)
    rank[order] = np.arange(order.size)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    share = ((rank - start[place.ravel()]) / count[place.ravel()]).reshape(x.shape)
    plan = cover(plan, rgb("fbeac4"), 0.58 * ramp(0.62, 1.0, share))
    plan = cover(plan, rgb("161c2a"), 0.70 * ramp(0.42, 0.0, share))
    scale = sheet.pixels_per_unit
    canvas = Canvas(sheet, plan * 0.6 + rgb("6a4a34") * 0.4)
    brush = Brush(rng, dryness=0.6)
    angle = (lean + np.pi / 2 + 0.15 * noise(rng, sheet, 120)).astype(np.float32)
    tones = {"value_jitter": 0.06, "hue_jitter": 0.025}
    lay(canvas, brush, rng, plan, angle, Touch(26, 70, 2.4, keep_edges=0.2, **tones))
    lay(canvas, brush, rng, plan, angle, Touch(13, 38, 2.2, keep_edges=0.12, **tones))
    lay(canvas, brush, rng, plan, angle, Touch(8, 20, 1.5, keep_edges=0.10, **tones))
    picture = canvas.lit(0.6, 0.08)

    pattern = views[..., 5]
    hatch = (np.sin(slope / 3.1) > 0.2) & (pattern > 0.80)
    dots = (np.hypot(dx % 22 - 11, dy % 22 - 11) < 4.2) & (pattern < -0.88)
    picture = cover(picture, INK, hatch * 0.5 * ramp(0.9, 0.3, share))
    picture = cover(picture, rgb("f4ead0"), dots * 0.7)
    charcoal = 0.62 + 0.5 * clouds(rng, sheet, 70, 3) + 0.5 * blur(grain(rng, sheet), 0.8)
    edges = np.maximum(seams(part, 4.4 * scale), 0.75 * seams(facet, 3.4 * scale))
    return cover(picture, INK, np.clip(edges * charcoal * 1.25, 0, 0.94))
