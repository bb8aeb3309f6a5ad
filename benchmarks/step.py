"""One step of vgg19 against one of the tutorial, and against the tutorial's, compiled."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace

from benchmarks.clock import in_turns, ratio
from benchmarks.figure import Figure, at_least
from benchmarks.studies import ARTWORK, PHOTO, floats
from benchmarks.tutorial import Tutorial
from model import weights
from model.backend import array, bfloat16_is_faster
from model.colour import Pixels
from model.engine import Place
from model.pictures import read
from model.recipe import PRESETS, Recipe
from model.scales import resized
from model.vgg19 import VGG19


def figures(quick: bool) -> Iterator[Figure]:
    """Seconds a step, and the ratios."""
    width, height = (64, 48) if quick else (512, 384)
    drawn = weights.random(seed=0)
    photo, artwork = (resized(floats(read(path)), height, width) for path in (PHOTO, ARTWORK))
    tutorial = Tutorial(drawn, photo, artwork)
    engine = VGG19(drawn)
    original = Recipe(**PRESETS["original"])
    actions = {
        "tutorial, all rebuilt each step": tutorial.rebuilt_step,
        "tutorial, model and optimizer rebuilt, targets kept": tutorial.remade_step,
        "tutorial, eager": tutorial.eager_step,
        "tutorial, compiled": tutorial.compiled_step,
        "ours, preset original": stepper(engine, photo, artwork, original),
        "ours, the tutorial's losses": stepper(engine, photo, artwork, replace(original, precision="auto")),
        "ours, default recipe": stepper(engine, photo, artwork, Recipe(engine="vgg19")),
    }
    times = in_turns(actions, rounds=1 if quick else 7, warm_up=0 if quick else 2)
    for name, seconds in times.items():
        yield Figure(f"{name}, {width}×{height}", statistics.median(seconds), "s")
    rebuilt, remade, eager, compiled, exact, ours, _ = times.values()
    # Only half the bits let a step be so much faster than the same arithmetic, compiled.
    targets = (at_least(4.5), at_least(1.6)) if bfloat16_is_faster() else (None, None)
    yield Figure("ours is faster than the tutorial, all rebuilt", ratio(rebuilt, ours), "×", targets[0])
    yield Figure("ours is faster than the tutorial, targets kept", ratio(remade, ours), "×")
    yield Figure("ours is faster than the tutorial, eager", ratio(eager, ours), "×")
    yield Figure("ours is faster than the tutorial, compiled", ratio(compiled, ours), "×", targets[1])
    yield Figure("preset original is faster than the tutorial, compiled", ratio(compiled, exact), "×")


def stepper(engine: VGG19, photo: Pixels, artwork: Pixels, recipe: Recipe) -> Callable[[], None]:
    """A function that does one more step of `recipe` each time."""
    scene = engine.scene(photo, [artwork], recipe)
    state = engine.begin(scene, recipe, None, None)
    step = 0

    def go_on() -> None:
        nonlocal state, step
        state, losses = engine.step(scene, state, recipe, Place(below=0, step=step, steps=recipe.iterations))
        array(losses)
        step += 1

    return go_on
