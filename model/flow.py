"""The flow of the patches engine: the picture's patches move towards the artwork's distribution of patches.

Its gradient is that of the sliced Wasserstein distance of 7×7 colour patches (Elnekave and Weiss, "Generating natural
images with direct patch distributions matching", ECCV 2022). They sort each random projection; here a histogram's CDF
and the artwork's quantiles give the same target in linear time. A low-passed luminance term holds the photo's shapes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model import chance
from model.backend import Tensor, array, ops, tensor, value_and_gradient
from model.windows import PATCH, convolved

POOL = 128  # projections made for a scale, of which each step takes the next ones
PROJECTIONS = 32
BINS = 1024  # of the histogram of one projection
QUANTILES = 512
STRIDE = 2  # a step looks at every other patch both ways; four steps look at all

_FLOAT = "float32"
PICTURE = ((1, None, None, 3), _FLOAT)
SHAPES = [
    PICTURE,
    # What is held of the photo: its blurred light or colours, how they come from colours, and the matrices that blur.
    (((1, None, None, None), _FLOAT), ((3, None), _FLOAT), ((None, None), _FLOAT), ((None, None), _FLOAT)),
    # What is wanted of the artwork: projections and their quantiles.
    (((PATCH + STRIDE - 1, PATCH + STRIDE - 1, 3, PROJECTIONS), _FLOAT), ((PROJECTIONS, QUANTILES), _FLOAT)),
    # The pace and the weights of style, content and variation.
    ((4,), _FLOAT),
]


def projections(*key: int) -> NDArray[np.float32]:
    """Random directions in the space of patches, of length 1: (7·7·3, POOL).

    Their even and odd rows and columns have equal sums. Otherwise a step, which moves every other patch, would print a
    grid into flat areas.
    """
    random = chance.normal((PATCH, PATCH, 3, POOL), *key)
    total = random.sum(axis=(0, 1))
    for row in range(STRIDE):
        for column in range(STRIDE):
            part = random[row::STRIDE, column::STRIDE]
            part += (total / STRIDE**2 - part.sum(axis=(0, 1))) / (part.shape[0] * part.shape[1])
    random = random.reshape(-1, POOL)
    return np.asarray(random / np.linalg.norm(random, axis=0), np.float32)


def chosen(pool: Tensor, goals: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """The projections that a step uses, shifted to the patches that are its turn, and their quantiles."""
    first = step * PROJECTIONS % POOL
    turn = step + step * PROJECTIONS // POOL  # so that in time each projection sees all patches
    down, across = divmod(turn % STRIDE**2, STRIDE)
    last = STRIDE - 1
    shift = [[down, last - down], [across, last - across], [0, 0], [0, 0]]
    return ops.pad(pool[..., first : first + PROJECTIONS], shift), goals[first : first + PROJECTIONS]


def quantiles(patches: NDArray[np.float32], directions: NDArray[np.float32]) -> NDArray[np.float32]:
    """The quantiles of patches along each direction: (POOL, QUANTILES)."""
    along = np.sort(array(tensor(directions.T) @ tensor(patches.T)), axis=1)
    return np.asarray(along[:, np.linspace(0, along.shape[1] - 1, QUANTILES).round().astype(int)], np.float32)


def flow(
    picture: Tensor, held: tuple[Tensor, ...], wanted: tuple[Tensor, ...], numbers: Tensor
) -> tuple[Tensor, Tensor]:
    """One step of gradient descent: the new picture, and the losses of the old one.

    The Hessian is close to the identity, so a pace of 1 goes almost all the way. Adam would amplify the smallest
    gradients instead, which paints coloured noise into flat areas.
    """
    (_, losses), gradient = _gradient(picture, held, wanted, numbers)
    pixels = ops.cast(ops.shape(picture)[1] * ops.shape(picture)[2], _FLOAT)
    return ops.clip(picture - numbers[0] * pixels * gradient, 0.0, 1.0), losses


def _objective(
    picture: Tensor, held: tuple[Tensor, ...], wanted: tuple[Tensor, ...], numbers: Tensor
) -> tuple[Tensor, Tensor]:
    kernels, goals = wanted
    flat = ops.reshape(convolved(picture, kernels, STRIDE), (-1, PROJECTIONS))
    apart = ops.stop_gradient(_displacement(ops.stop_gradient(flat), goals))
    style = 1.5 * ops.mean(apart**2)
    pull = -3 * ops.mean(flat * apart)  # has the gradient that the style has while the match is held

    photo, part, down, across = held
    light = ops.einsum("xu,byuc->byxc", across, ops.einsum("yv,bvuc->byuc", down, picture @ part))
    content = 0.5 * ops.mean(ops.sum((light - photo) ** 2, axis=-1))

    right = picture[:, :-1, 1:] - picture[:, :-1, :-1]
    below = picture[:, 1:, :-1] - picture[:, :-1, :-1]
    variation = ops.mean(ops.sqrt(ops.sum(right**2 + below**2, axis=-1) + 1e-4))

    rest = numbers[2] * content + numbers[3] * variation
    return numbers[1] * pull + rest, ops.stack([numbers[1] * style + rest, style, content, variation])


_gradient = value_and_gradient(_objective)


def _displacement(flat: Tensor, goals: Tensor) -> Tensor:
    """How far each projected patch has to move for each projection's distribution to become the artwork's."""
    low = ops.min(flat, axis=0)
    width = (ops.max(flat, axis=0) - low + 1e-4) / BINS
    bins = ops.cast((flat - low) / width, "int32") + ops.arange(PROJECTIONS, dtype="int32") * BINS
    some = ops.reshape(bins, (-1,))
    counts = ops.segment_sum(ops.ones_like(some, dtype=_FLOAT), some, PROJECTIONS * BINS)
    counts = ops.reshape(counts, (PROJECTIONS, BINS))
    rank = (ops.cumsum(counts, axis=1) - counts / 2) / ops.sum(counts, axis=1, keepdims=True) * (QUANTILES - 1)
    left = ops.minimum(ops.cast(rank, "int32"), QUANTILES - 2)
    share = rank - ops.cast(left, _FLOAT)
    goal = ops.take_along_axis(goals, left, axis=1) * (1 - share)
    goal += ops.take_along_axis(goals, left + 1, axis=1) * share
    middle = low[:, None] + width[:, None] * (ops.arange(BINS, dtype=_FLOAT) + 0.5)
    return ops.take(ops.reshape(goal - middle, (-1,)), bins)
