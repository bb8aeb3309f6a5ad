"""How much slower a painting is painted before 1, 20 and 200 viewers than before none, and how old their frames are.

One in ten reads slowly. The same painting is painted in turns, all at full size; the slowdown is the median of the
rounds. Its cause may be the viewers themselves, which share the machine here: what they take is told, not taken off.
A frame's age is the time from the end of its iteration, in the easel, until the viewer has read it, by the same clock.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.clock import ratio
from benchmarks.figure import Figure, at_most
from benchmarks.studio import Painted, studio

RECIPE = {"size": 512, "scales": 1, "iterations": 128}
QUICK = {"size": 128, "scales": 1, "iterations": 128}


def figures(quick: bool) -> Iterator[Figure]:
    """For each number of viewers the slowdown, the frames they get, their age, and what the viewers themselves take."""
    recipe, crowds = (QUICK, (1, 10)) if quick else (RECIPE, (1, 20, 200))
    rounds: dict[int, list[Painted]] = {viewers: [] for viewers in (0, *crowds)}
    with studio() as place:
        place.paint(recipe)  # so that all is compiled
        for _ in range(1 if quick else 5):
            for viewers, paintings in rounds.items():
                paintings.append(place.paint(recipe, viewers))
    alone = [painted.pace for painted in rounds[0]]
    yield Figure(f"{recipe['size']} px, an iteration before no viewer", 1000 * statistics.median(alone), "ms")
    for viewers in crowds:
        before = f"before {viewers} viewer" + ("s" if viewers > 1 else "")
        seen = [painted.seen for painted in rounds[viewers] if painted.seen]
        slower = 100 * (ratio([painted.pace for painted in rounds[viewers]], alone) - 1)
        yield Figure(f"slowdown {before}", slower, "%", at_most(10) if viewers == 200 else None)
        load = statistics.median(each.load for each in seen)
        yield Figure(f"processor that the viewers took, of one, {before}", 100 * load, "%")
        rates = [rate for each in seen for rate in each.rates]
        yield Figure(f"frames a second, {before}", statistics.median(rates), "/s")
        if slow := [rate for each in seen for rate in each.slow_rates]:
            yield Figure(f"frames a second for who reads slowly, {before}", statistics.median(slow), "/s")
        ages = sorted(age for each in seen for age in each.ages)
        yield Figure(f"age of a frame, median, {before}", 1000 * statistics.median(ages), "ms")
        yield Figure(f"age of a frame, 99th percentile, {before}", 1000 * ages[int(0.99 * (len(ages) - 1))], "ms")
