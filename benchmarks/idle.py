"""500 sockets that say nothing but answer pings, held for a minute while a painting is painted."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from benchmarks.figure import Figure, at_least
from benchmarks.studio import studio

RECIPE = {"size": 512, "scales": 1, "iterations": 128}
QUICK = {"size": 64, "scales": 1, "iterations": 16}


def figures(quick: bool) -> Iterator[Figure]:
    """How many are still open, what each takes, and how much slower the painting is than before and after."""
    sockets, seconds, recipe, times = (50, 1.0, QUICK, 1) if quick else (500, 60.0, RECIPE, 3)
    alone, watched = [], []
    with studio() as place:
        place.paint(recipe)  # so that all is compiled
        alone += [place.paint(recipe).pace for _ in range(times)]
        before = place.memory()
        with place.crowd(sockets) as crowd:
            until = time.monotonic() + seconds
            memory = place.memory()
            while time.monotonic() < until and not (quick and watched):
                watched.append(place.paint(recipe).pace)
            time.sleep(max(0.0, until - time.monotonic()))
            seen = crowd.leave()
        alone += [place.paint(recipe).pace for _ in range(times)]
    yield Figure(f"sockets still open after {seconds:g} s, of {sockets}", seen.open, "", at_least(sockets))
    yield Figure("pings that each has answered, at least", seen.answered, "", at_least(2))
    yield Figure("memory for each", 1024 * (memory - before) / sockets, "KiB")
    slower = statistics.median(watched) / statistics.median(alone) - 1
    yield Figure(f"slowdown of a painting beside {sockets} idle sockets", 100 * slower, "%")
