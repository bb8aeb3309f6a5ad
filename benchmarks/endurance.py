"""Whether the server's memory stays as it is while 200 viewers, one in ten of them reading slowly, look on for long.

A painting is painted for 10 minutes; should it be finished before, the same viewers come to another. Memory is the
server's resident set, read each second, its easel's not counted. It is taken to be flat if the median of the last third
is at most 5 % and 5 MiB above that of the first third, a minute of warm-up left out.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from benchmarks.figure import Figure, at_least, at_most
from benchmarks.studio import studio

SECONDS, WARM_UP, SAMPLE_EVERY = 600.0, 60.0, 1.0
RECIPE = {"size": 512, "scales": 1, "iterations": 10_000}
QUICK = {"size": 128, "scales": 1, "iterations": 10_000}
MARGIN, SHARE = 5.0, 0.05  # MiB, and of what it was


def figures(quick: bool) -> Iterator[Figure]:
    """The memory at first and at last, and how much it has grown."""
    seconds, warm_up = (3.0, 0.0) if quick else (SECONDS, WARM_UP)
    recipe, viewers = (QUICK, 10) if quick else (RECIPE, 200)
    samples: list[float] = []
    frames = 0
    with studio() as place:
        before = place.memory()
        began = time.monotonic()
        while time.monotonic() - began < seconds or len(samples) < 3:
            with place.crowd(viewers, slow=viewers // 10) as crowd:
                painting = place.begin(recipe)
                crowd.watch(painting)
                while (time.monotonic() - began < seconds or len(samples) < 3) and not place.done(painting):
                    time.sleep(SAMPLE_EVERY)
                    if time.monotonic() - began >= warm_up:
                        samples.append(place.memory())
                seen = crowd.leave()
                frames += len(seen.ages)
    third = len(samples) // 3
    first, last = statistics.median(samples[:third]), statistics.median(samples[-third:])
    yield Figure("server's memory before all", before, "MiB")
    yield Figure(f"… before {viewers} viewers, first third", first, "MiB")
    yield Figure(f"… last third of {seconds:g} s", last, "MiB")
    yield Figure("… most", max(samples), "MiB")
    yield Figure("… grown from first to last third", last - first, "MiB", at_most(round(MARGIN + SHARE * first, 1)))
    yield Figure("viewers that still look on at the end", seen.open, "", at_least(viewers))
    yield Figure("frames that they have read, the slow ones' not counted", frames, "")
