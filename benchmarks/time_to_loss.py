"""How long our painter takes to the loss that the tutorial's reaches in 500 steps.

The tutorial's arithmetic is compiled to find that loss, and its time is 500 of its own steps as published. Ours is the
whole painting, its preparation included, until the same loss, of which the tutorial's own arithmetic judges; judging
does not count. What a process compiles once, at its first painting, is shown but not claimed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from benchmarks.clock import Times, in_turns
from benchmarks.figure import Figure, at_least
from benchmarks.studies import ARTWORK, PHOTO, floats
from benchmarks.tutorial import Tutorial
from model import weights
from model.pictures import Picture, fit, read
from model.recipe import PRESETS, Recipe
from model.style_transfer import StyleTransfer

JUDGED_EVERY = 2
# The tutorial's losses, and our way to them: small steps without a floor, in all precision, for content counts so much
# here that bfloat16's rounding hides it.
OURS = {"precision": "float32", "learning_rate": 0.003, "momentum": 0.8, "fade": 0.6, "epsilon": 1e-8}


def figures(quick: bool) -> Iterator[Figure]:
    """The loss, the times, the ratios."""
    size, steps, most, rounds = (48, 10, 10, 1) if quick else (256, 500, 84, 3)
    photo, artwork = (fit(read(path), size) for path in (PHOTO, ARTWORK))
    recipe = Recipe(**{**PRESETS["original"], **OURS, "size": size, "iterations": most})
    drawn = weights.random(seed=0)
    tutorial = Tutorial(drawn, floats(photo), floats(artwork))
    yield Figure("loss of the photo", tutorial.loss(floats(photo)), "")
    for _ in range(steps):
        tutorial.compiled_step()
    goal = tutorial.loss(tutorial.picture.numpy()[0])
    yield Figure(f"loss after {steps} steps of the tutorial, {size} px", goal, "")

    published = {"all rebuilt": tutorial.rebuilt_step, "eager": tutorial.eager_step}
    times: Times = {name: [] for name in published}
    paintings = []
    painter = StyleTransfer("vgg19", "random")
    for _ in range(rounds):
        for name, seconds in in_turns(published, rounds).items():
            times[name] += seconds
        paintings.append(_seconds_to(goal, tutorial, painter, photo, artwork, recipe))
    first, *later = paintings
    ours = statistics.median(later or paintings)
    yield Figure("ours, to that loss", ours, "s")
    yield Figure("ours, to that loss, the first time, compiling included", first, "s")
    for name, seconds in times.items():
        theirs = steps * statistics.median(seconds)
        yield Figure(f"tutorial, {name}, {steps} steps", theirs, "s")
        target = at_least(20) if name == "all rebuilt" else None
        yield Figure(f"ours is faster than the tutorial, {name}", theirs / ours, "×", target)


def _seconds_to(
    goal: float, tutorial: Tutorial, painter: StyleTransfer, photo: Picture, artwork: Picture, recipe: Recipe
) -> float:
    """The time until `goal` is reached, or infinity."""
    spent, started = 0.0, time.perf_counter()
    for iteration in painter.paint(photo, [artwork], recipe):
        pixels = iteration.pixels
        spent += time.perf_counter() - started
        finest = iteration.scale == iteration.scales - 1
        if finest and iteration.number % JUDGED_EVERY == JUDGED_EVERY - 1 and tutorial.loss(pixels) <= goal:
            return spent
        started = time.perf_counter()
    return float("inf")
