"""How long a painting will take, and how much of it is done: finer scales are slower, and how much so is learnt.

`Paces` is what painting has been seen to cost, size by size, with one engine on one machine. A `Forecast` goes by it
from the first iteration on and watches its painting; what it has seen, the next one may go by: `paces.learnt(seen)`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

from model.recipe import Recipe
from model.scales import Scale, passes, plan

# What is supposed as long as nothing is known: an iteration takes as its pixels and so many more do, ...
OVERHEAD = 10_000
PREPARATION = 2.0  # ... and what comes before the first of a pass takes so many iterations.
LEAST_GROWTH = 0.25  # share of the supposed growth that sizes larger than any seen have at least

ALIKE = 0.25  # octaves of pixels within which sizes are taken for one
FIRM = 4  # iterations seen that count as much as what was expected of them
DOUBT = 0.1  # share of a painting after which its own speed counts as much as what was expected of it


@dataclass(frozen=True)
class Pace:
    """What painting costs at one size, in seconds."""

    pixels: float
    preparation: float  # of a pass, before its first iteration
    iteration: float


@dataclass(frozen=True)
class Paces:
    """What has been seen of one engine on one machine: plain data, which grows with the sizes and not with the time."""

    seen: tuple[Pace, ...] = ()  # by pixels

    def learnt(self, seen: Iterable[Pace]) -> Paces:
        """These paces and what another painting has shown. At a size already known, both count alike."""
        known = {_kind(pace): pace for pace in self.seen}
        for pace in seen:
            if not known:  # the very first preparation is mostly the engine's own
                pace = replace(pace, preparation=min(pace.preparation, PREPARATION * pace.iteration))
            kind = _kind(pace)
            known[kind] = _between(known[kind], pace) if kind in known else pace
        return Paces(tuple(known[kind] for kind in sorted(known)))

    def at(self, pixels: float) -> Pace | None:
        """What is to be expected at this size; None while nothing has been seen."""
        if not self.seen:
            return None
        sizes = [pace.pixels for pace in self.seen]
        iterations = _rising([pace.iteration for pace in self.seen])
        iteration = float(np.interp(pixels, sizes, iterations))
        preparation = float(np.interp(pixels, sizes, _rising([pace.preparation for pace in self.seen])))
        if pixels < sizes[0]:
            iteration *= (pixels + OVERHEAD) / (sizes[0] + OVERHEAD)
        elif pixels > sizes[-1]:
            growth = (pixels - sizes[-1]) * _slope(sizes, iterations)
            iteration += growth
            preparation += PREPARATION * growth
        return Pace(pixels, preparation, iteration)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Paces:
        """The paces written by `to_dict`, or a ValueError."""
        try:
            seen = [Pace(*(float(each[name.name]) for name in fields(Pace))) for each in values["seen"]]
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise ValueError(f"these are no paces: {error!r}") from error
        for pace in seen:
            if not (
                pace.pixels >= 1 and pace.preparation >= 0 and pace.iteration > 0 and sum(astuple(pace)) < math.inf
            ):
                raise ValueError(f"this is no pace: {pace}")
        return cls(tuple(sorted(seen, key=lambda pace: pace.pixels)))


class Forecast:
    """Of one painting: the seconds left, and how much is done. Both are known before it begins, if any paces are."""

    def __init__(
        self, height: int, width: int, recipe: Recipe, smallest: int, paces: Paces = Paces(), done: int = 0
    ) -> None:
        """For a picture of this size and an engine whose coarsest scale is `smallest`; so many iterations are done."""
        self._shape = height, width
        self._smallest = smallest
        self._paces = paces
        self._watches: dict[int, _Watch] = {}  # by pixels
        self._done = done
        self._elapsed = 0.0 if done == 0 else None  # when they were done
        self._scales = self._planned(recipe)
        self._progress = self._share()

    def follow(self, recipe: Recipe) -> None:
        """Go by the recipe as it is now: it may say to stop, or to paint more."""
        scales = self._planned(recipe)
        if scales != self._scales:
            self._scales = scales
            self._progress = self._share()

    def after(self, number: int, elapsed: float) -> None:
        """An iteration is finished, so many seconds after the painting was begun.

        It teaches something if it comes right after another, or first of all.
        """
        if number == self._done and self._elapsed is not None:
            self._learn(number, elapsed - self._elapsed)
        self._done, self._elapsed = number + 1, elapsed
        self._progress = max(self._progress, self._share())

    @property
    def seconds_left(self) -> float | None:
        """Until the last iteration is finished; None while nothing is known."""
        expected = self._expected()
        return self._seconds(expected, self._done) if expected else None

    @property
    def progress(self) -> float:
        """The share of the work that is done: 1 when all is, and never less than before, unless there is more to do."""
        return self._progress

    @property
    def seen(self) -> tuple[Pace, ...]:
        """What this painting has shown, by pixels."""
        return tuple(watch.pace(pixels) for pixels, watch in sorted(self._watches.items()) if watch.iterations)

    def _planned(self, recipe: Recipe) -> list[Scale]:
        """What of the recipe's passes is painted before its end."""
        end, painted = recipe.end, []
        for scale in passes(*self._shape, recipe, self._smallest):
            steps = min(end, scale.steps)
            end -= steps
            if steps:
                painted.append(replace(scale, steps=steps))
        return painted

    def _learn(self, number: int, seconds: float) -> None:
        firsts = itertools.accumulate((scale.steps for scale in self._scales), initial=0)
        for scale, first in zip(self._scales, firsts, strict=False):
            if first <= number < first + scale.steps:
                self._watches.setdefault(_pixels(scale), _Watch()).note(seconds, number == first)

    def _share(self) -> float:
        supposed = {each: Pace(each, PREPARATION * (each + OVERHEAD), each + OVERHEAD) for each in self._sizes()}
        expected = self._expected() or supposed
        whole = self._seconds(expected, 0)
        return 1 - self._seconds(expected, self._done) / whole if whole else 1.0

    def _seconds(self, paces: Mapping[int, Pace], done: int) -> float:
        """What so many iterations leave to be done: exactly 0 after the last."""
        seconds = 0.0
        for scale in self._scales:
            painted = min(done, scale.steps)
            done -= painted
            pace = paces[_pixels(scale)]
            seconds += (scale.steps - painted) * pace.iteration + (0.0 if painted else pace.preparation)
        return seconds

    def _expected(self) -> dict[int, Pace]:
        """What each size costs, by what was known before and what has been seen; nothing if neither is."""
        paces = self._paces if self._paces.seen else Paces().learnt(self.seen)
        expected = {pixels: pace for pixels in self._sizes() if (pace := paces.at(pixels))}
        drift = self._drift(expected) if expected else 1.0
        for pixels, pace in expected.items():
            now = Pace(pixels, drift * pace.preparation, drift * pace.iteration)
            watch = self._watches.get(pixels, _Watch())
            iteration = (FIRM * now.iteration + watch.seconds) / (FIRM + watch.iterations)
            expected[pixels] = replace(now, iteration=iteration)
        return expected

    def _drift(self, expected: Mapping[int, Pace]) -> float:
        """How much slower this painting is than expected, with due doubt while little of it is done."""
        spent = foreseen = DOUBT * sum(scale.steps * expected[_pixels(scale)].iteration for scale in self._scales)
        for pixels, watch in self._watches.items():
            if pixels in expected:
                foreseen += watch.iterations * expected[pixels].iteration
                spent += watch.seconds
        return spent / foreseen

    def _sizes(self) -> set[int]:
        return {_pixels(scale) for scale in self._scales}


@lru_cache(maxsize=1024)
def foretold(
    height: int, width: int, steps: int, most: int, smallest: int, end: int, done: int, paces: Paces
) -> float | None:
    """Seconds for a painting that nobody is at, from iteration `done` to `end`; None while nothing is known.

    Its plan has so many `steps` on at most so many scales. Quicker than a `Forecast`, for those with a long queue.
    """
    scales = plan(height, width, steps, most, smallest)
    if end > steps:
        scales.append(replace(scales[-1], steps=end - steps))
    seconds, first = 0.0, 0
    for scale in scales:
        pace = paces.at(_pixels(scale))
        if pace is None:
            return None
        left = min(first + scale.steps, end) - max(first, done)
        if left > 0:
            seconds += left * pace.iteration + (pace.preparation if done <= first else 0.0)
        first += scale.steps
    return seconds


@dataclass
class _Watch:
    """What a painting has shown of one size."""

    beginnings: list[float] = field(default_factory=list)  # seconds of first iterations, with what comes before
    iterations: int = 0  # the others
    seconds: float = 0.0  # that those took

    def note(self, seconds: float, first: bool) -> None:
        if first:
            self.beginnings.append(seconds)
        else:
            self.iterations += 1
            self.seconds += seconds

    def pace(self, pixels: int) -> Pace:
        iteration = self.seconds / self.iterations
        preparation = PREPARATION * iteration
        if self.beginnings:
            preparation = max(0.0, sum(self.beginnings) / len(self.beginnings) - iteration)
        return Pace(pixels, preparation, iteration)


def _pixels(scale: Scale) -> int:
    return scale.height * scale.width


def _kind(pace: Pace) -> int:
    return round(math.log2(pace.pixels) / ALIKE)


def _between(one: Pace, other: Pace) -> Pace:
    return Pace(*((first + second) / 2 for first, second in zip(astuple(one), astuple(other), strict=True)))


def _rising(costs: Sequence[float]) -> list[float]:
    """The costs, none above that of a larger size: what was more had another reason, as loading has."""
    return [float(cost) for cost in np.minimum.accumulate(costs[::-1])[::-1]]


def _slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """What a pixel more than the largest size has adds to its cost, as far as clearly smaller ones tell."""
    size, cost = sizes[-1], costs[-1]
    supposed = cost / (size + OVERHEAD)
    smaller = [pair for pair in zip(sizes, costs, strict=True) if pair[0] <= size / 2]
    if not smaller:
        return supposed
    slope = (cost - smaller[-1][1]) / (size - smaller[-1][0])
    return min(max(slope, LEAST_GROWTH * supposed), cost / size)
