"""How long a boot takes, learnt from the last ones of the same kind."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from lambda_launcher.store import Draft
from lambda_launcher.studio import Studio

KEPT = 20
UNKNOWN = 150.0, 60.0
"""Seconds that the first boot of a machine, and its later ones, are taken for while nothing is known."""


def name(type_: str, runs: int) -> str:
    """The name of the item with past boots: a machine's first boot takes longer than its later ones."""
    return f"boots#{type_}" if runs <= 1 else f"boots#{type_}#again"


def remaining(past: Sequence[float], elapsed: float, unknown: float) -> float:
    """How many seconds a boot still takes that has taken `elapsed`: the median of those that took longer."""
    longer = [seconds for seconds in past or [unknown] if seconds > elapsed]
    # Longer than all before it: the longer it has taken, the longer it may.
    return statistics.median(longer) - elapsed if longer else max(5.0, elapsed / 5)


def learn(draft: Draft, studio: Studio) -> None:
    """Note how long the boot of a studio that is ready has taken."""
    item = draft.get(name(studio.type, studio.runs))
    past = [*item.get("seconds", ()), round(max(0.0, studio.ready - studio.began), 1)]
    draft.put(name(studio.type, studio.runs), {**item, "seconds": past[-KEPT:]})
