"""The share of a step that is spent on everything but the optimizer, while one viewer looks on.

The same painting is painted in turns by a studio, with a viewer who takes every frame it can get, and by bare
`StyleTransfer.paint()` in a process of its own, with a loop around it that does nothing. Both have the same pictures
and recipe, have painted it once before, and have the machine to themselves while they paint. What counts is the clock
on the wall, from the same iteration to the same, in the process that paints: so the share holds whatever keeps painting
waiting or takes the processor from it, be it easel, server, gallery or viewer, and also what happens between two
iterations, where `elapsed` does not count. It is the median of the rounds, in each of which both met the same machine.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks.figure import Figure, at_most
from benchmarks.studies import ROOT
from benchmarks.studio import Times, pace, studio

# All at full size, where most of the time goes, and as hard as can be: of 100 iterations or fewer, the gallery keeps a
# frame of each.
RECIPES = {
    "patches": {"size": 512, "scales": 1, "iterations": 100},
    "vgg19": {"size": 256, "scales": 1, "iterations": 40},
}
QUICK = {"size": 64, "scales": 1, "iterations": 100}
ROUNDS = {"patches": 7, "vgg19": 5}


def figures(quick: bool) -> Iterator[Figure]:
    """Seconds a step in the studio and bare, and the share."""
    for engine, rounds in list(ROUNDS.items())[: 1 if quick else None]:
        recipe = QUICK if quick else RECIPES[engine]
        shares, ours, theirs, loads = [], [], [], []
        with studio(engine) as place, bare(engine) as painter:
            for round_ in range(0 if quick else -1, 1 if quick else rounds):
                painted = place.paint(recipe, viewers=1)
                times = painter.paint(recipe)
                if round_ < 0:
                    continue
                assert painted.seen
                ours.append(painted.pace)
                theirs.append(pace(times, *painted.span))
                shares.append(1 - theirs[-1] / ours[-1])
                loads.append(painted.seen.load)
        what = f"{engine}, {recipe['size']} px"
        yield Figure(f"{what}, a step, bare", 1000 * statistics.median(theirs), "ms")
        yield Figure(f"{what}, a step in the studio, one viewer", 1000 * statistics.median(ours), "ms")
        yield Figure(f"{what}, processor that the viewer took, of one", 100 * statistics.median(loads), "%")
        yield Figure(f"{what}, share outside the optimizer", 100 * statistics.median(shares), "%", at_most(3))


class Painter:
    """Bare painting, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def paint(self, recipe: Mapping[str, Any]) -> Times:
        """Paint the sample photo; return when each iteration was finished."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(recipe), file=self._process.stdin, flush=True)
        return dict(enumerate(json.loads(self._process.stdout.readline())))


@contextmanager
def bare(engine: str) -> Iterator[Painter]:
    """A painter, until the block is left."""
    command = [sys.executable, "-m", "benchmarks.bare", engine]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Painter(process)
        finally:
            process.kill()
