"""Timing things in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Times = dict[str, list[float]]  # seconds by name, one a round


def in_turns(actions: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 1) -> Times:
    """How long each action takes, each done once a round."""
    times: Times = {name: [] for name in actions}
    for round_ in range(-warm_up, rounds):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            if round_ >= 0:
                times[name].append(time.perf_counter() - started)
    return times


def ratio(slow: list[float], fast: list[float]) -> float:
    """How many times longer: the median over the rounds, in each of which both met the same machine."""
    return statistics.median(one / other for one, other in zip(slow, fast, strict=True))
