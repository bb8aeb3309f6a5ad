"""How long a painting without a neural network takes, from command to file."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.command import paint
from benchmarks.figure import Figure, at_most


def figures(quick: bool) -> Iterator[Figure]:
    """Seconds, TensorFlow's start included, and those of painting alone."""
    sizes = {64: None} if quick else {512: at_most(10), 1024: at_most(45)}
    for size, target in sizes.items():
        costs = [paint("--engine", "patches", "--size", str(size)) for _ in range(1 if quick else 3)]
        yield Figure(f"{size} px, command to file", statistics.median(cost.seconds for cost in costs), "s", target)
        yield Figure(f"{size} px, painting alone", statistics.median(cost.painting for cost in costs), "s")
