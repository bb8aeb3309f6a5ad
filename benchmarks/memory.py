"""How much memory a painting takes at its most."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.command import paint
from benchmarks.figure import Figure

# The finest scale needs the most, and from the second step on no step needs more than another.
BRIEFLY = ("--scales", "1", "--iterations", "4", "--weights", "random")


def figures(quick: bool) -> Iterator[Figure]:
    """The largest resident set of the whole process, TensorFlow included."""
    for engine in ("patches",) if quick else ("patches", "vgg19"):
        for size in (64,) if quick else (1024, 2048):
            cost = paint("--engine", engine, "--size", str(size), *BRIEFLY)
            yield Figure(f"{engine}, {size} px", cost.peak, "MiB")
