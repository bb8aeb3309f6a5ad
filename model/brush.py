"""The brush of the patches engine: each patch of the picture is replaced by the artwork's most similar one.

Overlapping patches are averaged (Kwatra et al., "Texture optimization for example-based synthesis", SIGGRAPH 2005).
The field that tells for every place where in the artworks its patch comes from is improved by asking neighbours and by
chance (Barnes et al., "PatchMatch", SIGGRAPH 2009), all places at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import chance
from model.backend import Tensor, array, ops, tensor
from model.colour import Pixels
from model.windows import EDGE, PATCH, convolved, softened

Field = NDArray[np.int32]  # (height, width, 2): row and column on the sheet

FEATURES = 16  # principal components by which patches are compared
GUIDE = 4.0  # weight of the photo's local light in the comparison of patches at content_weight 1
OPACITY = 0.8
FORBIDDEN = 1e6
MOST_COMPARED = 20_000_000  # pairs of patches compared at the start

_FLOAT = "float32"
_PLANE = ((None, None, None), _FLOAT)
SHAPES = [
    ((1, None, None, 3), _FLOAT),
    ((None, None, 2), "int32"),
    # Guide and noise of the photo.
    (_PLANE, ((None, None, 2), _FLOAT)),
    # The basis of the features; colours, features, guide and bias of the sheet.
    (((PATCH, PATCH, 3, FEATURES), _FLOAT), _PLANE, _PLANE, _PLANE, ((None, None), _FLOAT)),
    # How the noise is turned for each search, how far the search reaches, and the weight of the guide.
    ((2, 2, 2), "int32"),
    ((2,), _FLOAT),
]


@dataclass(frozen=True)
class Sheet:
    """All artworks of one scale on one sheet, one below the other."""

    shares: tuple[float, ...]
    tops: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]
    basis: Tensor  # (7, 7, 3, FEATURES)
    colours: Tensor  # (height, width, 3)
    features: Tensor  # (height, width, FEATURES)
    guide: Tensor  # (height, width, 1 or 3): light or colours
    bias: Tensor  # (height, width): the price of choosing a patch, high where none fits

    @classmethod
    def laid_out(
        cls,
        artworks: Sequence[Pixels],
        shares: Sequence[float],
        patches: NDArray[np.float32],
        part: NDArray[np.float32],
    ) -> Sheet:
        """The sheet of these artworks; `patches` are some of theirs, `part` makes of a colour what guides."""
        basis = _principal(patches)
        sizes = tuple((artwork.shape[0], artwork.shape[1]) for artwork in artworks)
        tops = tuple(np.cumsum([0, *(height for height, _ in sizes)])[:-1].tolist())
        shape = (sum(height for height, _ in sizes), max(width for _, width in sizes))
        colours, guide = np.zeros((*shape, 3), np.float32), np.zeros((*shape, part.shape[1]), np.float32)
        features, bias = np.zeros((*shape, FEATURES), np.float32), np.full(shape, FORBIDDEN, np.float32)
        for artwork, share, top, (height, width) in zip(artworks, shares, tops, sizes, strict=True):
            here = slice(top, top + height), slice(0, width)
            colours[here] = artwork
            features[here] = array(convolved(tensor(artwork[None]), tensor(basis)))[0]
            guide[here] = softened(artwork @ part)
            if share:  # patches that reach over an edge are not the artwork's
                price = -0.1 * features[here].var(axis=(0, 1)).sum() * np.log(share / max(shares))
                bias[top + EDGE : top + height - EDGE, EDGE : width - EDGE] = price
        return cls(tuple(shares), tops, sizes, *map(tensor, (basis, colours, features, guide, bias)))

    def nearest(self, picture: Pixels, guide: Pixels) -> Field:
        """The most similar patch for every place, by looking at all, or in a large picture at evenly spread ones."""
        wanted = array(convolved(tensor(picture[None]), self.basis))[0]
        queries = np.concatenate([wanted, GUIDE * guide], axis=2).reshape(-1, wanted.shape[2] + guide.shape[2])
        sheet = np.concatenate([array(self.features), GUIDE * array(self.guide)], axis=2)
        bias = array(self.bias).ravel()
        places = np.flatnonzero(bias < FORBIDDEN)
        places = places[:: -(-len(queries) * len(places) // MOST_COMPARED)]
        keys = sheet.reshape(-1, sheet.shape[2])[places]
        price = (keys**2).sum(1) + bias[places] - 2 * queries @ keys.T
        at = places[price.argmin(1)].reshape(picture.shape[:2])
        return np.stack(np.divmod(at, sheet.shape[1]), axis=-1).astype(np.int32)

    def allowed(self, field: Field) -> Field:
        """The field, each place without a patch of a wanted artwork, as after a change of shares, given another."""
        lost = array(self.bias)[field[..., 0], field[..., 1]] >= FORBIDDEN
        if not lost.any():
            return field
        shape = np.array(field.shape[:2])
        at = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
        which = np.searchsorted(np.cumsum(self.shares)[:-1], chance.uniform(field.shape[:2], 4), side="right")
        there = EDGE + at * (np.array(self.sizes)[which] - 2 * EDGE) // shape
        there[..., 0] += np.array(self.tops)[which]
        return np.where(lost[..., None], there, field).astype(np.int32)

    def enlarged(self, field: Field, old: Sheet, shape: tuple[int, int]) -> Field:
        """The field of a small scale as a guess for this one: each patch goes on where it went on in the artwork."""
        grow = np.array(shape) / np.array(field.shape[:2])
        at = np.stack(np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij"), axis=-1)
        parent = np.minimum((at / grow).astype(int), np.array(field.shape[:2]) - 1)
        place = field[parent[..., 0], parent[..., 1]].astype(np.float64)
        which = np.searchsorted(old.tops, place[..., 0], side="right") - 1
        place[..., 0] -= np.array(old.tops)[which]
        sizes = np.array(self.sizes)[which]
        there = np.rint(place * (sizes / np.array(old.sizes)[which]) + at - parent * grow).astype(np.int64)
        there = np.clip(there, EDGE, sizes - 1 - EDGE)
        there[..., 0] += np.array(self.tops)[which]
        return self.allowed(np.asarray(there, np.int32))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """What the brush needs to know of the sheet."""
        return self.basis, self.colours, self.features, self.guide, self.bias


def brush(
    picture: Tensor, field: Tensor, photo: tuple[Tensor, ...], sheet: tuple[Tensor, ...], turns: Tensor, numbers: Tensor
) -> tuple[Tensor, Tensor]:
    """Find better patches for every place, then lay them on: the new picture and field."""
    basis, colours, features, sheet_guide, bias = sheet
    guide, noise = photo
    reach, weight = numbers[0], numbers[1]
    height, width = ops.shape(bias)[0], ops.shape(bias)[1]
    last = ops.stack([height, width]) - 1
    # One table of all by which patches are compared, so that a price is one squared distance.
    wanted = ops.concatenate([convolved(picture, basis)[0], weight * guide, ops.zeros_like(guide[..., :1])], axis=-1)
    table = ops.concatenate([features, weight * sheet_guide, ops.sqrt(bias)[..., None]], axis=-1)
    table = ops.reshape(table, (-1, table.shape[-1] or ops.shape(table)[-1]))
    colours = ops.reshape(colours, (-1, 3))
    ones = ops.ones_like(field[..., 0])
    here = ops.stack([ops.cumsum(ones, axis=0) - 1, ops.cumsum(ones, axis=1) - 1], axis=-1)

    def on_sheet(places: Tensor) -> Tensor:
        return ops.minimum(ops.maximum(places, 0), last)

    def flat(places: Tensor) -> Tensor:
        return places[..., 0] * width + places[..., 1]

    def price(places: Tensor) -> Tensor:
        return ops.sum(ops.square(ops.take(table, flat(places), axis=0) - wanted), axis=-1)

    def better(field: Tensor, best: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        places = on_sheet(places)
        cost = price(places)
        wins = cost < best
        return ops.where(wins[..., None], places, field), ops.where(wins, cost, best)

    best = price(field)
    for sweep, far in enumerate((1, 2)):
        for way in ((0, far), (far, 0), (0, -far), (-far, 0)):
            field, best = better(field, best, _going_on(_mirrored(field - here), way) + here)
        for closer in (0, 1):
            turned = ops.roll(noise, (turns[sweep, closer, 0], turns[sweep, closer, 1]), axis=(0, 1))
            field, best = better(field, best, field + ops.cast(ops.round(turned * reach / 4**closer), "int32"))

    laid, total = ops.zeros_like(guide), 0.0
    apart = _mirrored(field - here)
    for y in (-3, -1, 1, 3):
        for x in (-3, -1, 1, 3):
            share = float(np.exp(-(y * y + x * x) / 8))
            laid += share * ops.take(colours, flat(on_sheet(_going_on(apart, (y, x)) + here)), axis=0)
            total += share
    return picture + OPACITY * (laid[None] / total - picture), field


def _mirrored(apart: Tensor) -> Tensor:
    return ops.pad(apart, [[EDGE, EDGE], [EDGE, EDGE], [0, 0]], mode="symmetric")


def _going_on(apart: Tensor, way: tuple[int, int]) -> Tensor:
    """How far from each place the patch of the place `way` up and left of it goes on, given how far theirs are."""
    up, left = (EDGE - step for step in way)
    return apart[up : up - 2 * EDGE or None, left : left - 2 * EDGE or None]


def _principal(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """The directions in which patches differ most."""
    centred = tensor(patches - patches.mean(0))
    # Not numpy's: its threads and the backend's get in each other's way.
    _, found = ops.eigh(ops.transpose(centred) @ centred)
    vectors = array(found)[:, : -FEATURES - 1 : -1]
    vectors = vectors * np.sign(vectors.sum(0) + 1e-12)  # eigenvectors have no sign of their own
    return np.asarray(vectors.reshape(PATCH, PATCH, 3, FEATURES), np.float32)
