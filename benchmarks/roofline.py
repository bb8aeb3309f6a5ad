"""How much of what the processor can do at best a step of vgg19 gets out of it.

Only the convolutions are counted, forward and back to the picture: all else a step does is loss. The best is the rate
of the layer that runs fastest by itself, in the same precision, forward or back.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial

import tensorflow as tf

from benchmarks.clock import in_turns
from benchmarks.figure import Figure, at_least
from benchmarks.step import stepper
from benchmarks.studies import ARTWORK, PHOTO, floats
from model import weights
from model.backend import bfloat16_is_faster
from model.pictures import read
from model.recipe import Recipe
from model.scales import resized
from model.vgg19 import LAYERS, VGG19

GIGA = 1e9


def figures(quick: bool) -> Iterator[Figure]:
    """Rates, and the share."""
    width, height = (64, 48) if quick else (512, 384)
    engine = VGG19(weights.random(seed=0))
    photo, artwork = (resized(floats(read(path)), height, width) for path in (PHOTO, ARTWORK))
    precision = "bfloat16" if bfloat16_is_faster() else "float32"
    shapes = list(_shapes(height, width))
    convolutions: dict[str, Callable[[], object]] = {}
    work: dict[str, float] = {}
    for shape in dict.fromkeys(shapes):
        for direction, convolution in _convolutions(*shape, precision).items():
            name = f"{direction} {shape}"
            convolutions[name], work[name] = convolution, _operations(*shape)
    step = stepper(engine, photo, artwork, Recipe(engine="vgg19"))
    times = in_turns({"step": step, **convolutions}, rounds=2 if quick else 9, warm_up=2)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    rates = {name: work[name] / medians[name] for name in convolutions}
    best = max(rates, key=lambda name: rates[name])
    achieved = 2 * sum(_operations(*shape) for shape in shapes) / medians["step"]
    yield Figure(f"best convolution, {precision}: {best}", rates[best] / GIGA, "GF/s")
    yield Figure(f"convolutions of a step, {width}×{height}", achieved / GIGA, "GF/s")
    yield Figure("share of the best", 100 * achieved / rates[best], "%", at_least(80))


def _shapes(height: int, width: int) -> Iterator[tuple[int, int, int, int]]:
    """Height, width, channels in and out of each layer."""
    for layer in LAYERS:
        if layer.endswith("conv1") and layer != LAYERS[0]:
            height, width = height // 2, width // 2
        *_, channels_in, channels_out = weights.KERNELS[layer]
        yield height, width, channels_in, channels_out


def _operations(height: int, width: int, channels_in: int, channels_out: int) -> float:
    """Multiplications and additions, in one direction."""
    return 2.0 * height * width * 3 * 3 * channels_in * channels_out


def _convolutions(
    height: int, width: int, channels_in: int, channels_out: int, precision: str
) -> dict[str, Callable[[], object]]:
    kernel = _random((3, 3, channels_in, channels_out), precision)
    above = _random((1, height, width, channels_in), precision)
    below = _random((1, height, width, channels_out), precision)
    forward = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME")).get_concrete_function(above)
    back = tf.function(lambda y: tf.nn.conv2d_transpose(y, kernel, above.shape, 1, "SAME")).get_concrete_function(below)
    return {"forward": partial(forward, above), "back": partial(back, below)}


def _random(shape: tuple[int, ...], precision: str) -> tf.Tensor:
    return tf.cast(tf.random.stateless_normal(shape, (0, 1)), precision)
