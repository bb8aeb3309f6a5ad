"""What a studio tells in its item of the table, and what it concludes from what is there.

Moments are in seconds of the wall clock, 0 is never. The launcher and the reaper conclude, too; `LEASE`, `BOOT` and
`PROMISE` are theirs, and mean here what they mean there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LEASE = 90.0
"""Seconds for which a studio that was heard of is taken to live."""
BOOT = 600.0
"""Seconds after which a studio that is not ready never will be."""
PROMISE = 20.0
"""Seconds for which a visitor who was sent here counts before he has come."""

UNHEARD = 2 * LEASE
"""Seconds after which a studio that cannot reach the table leaves: nobody is sent there any more, and a reaper that
could has ended it by now."""
MARGIN = 180.0
"""Seconds for which an idle studio waits to be stopped, which keeps its machine at hand, before it ends by itself."""
LAST = 120.0
"""Seconds before its deadline from which on a studio takes only what was sent there before."""

Values = dict[str, str | float]

_WANTED = frozenset({"requested", "booting", "loading", "ready"})


@dataclass(frozen=True)
class Entry:
    """What the table knows of the studio, as far as it needs to know itself."""

    version: int
    phase: str
    instance: str  # empty: not known yet
    began: float
    deadline: float
    active: float = 0.0  # when a visitor last did something, or was sent here
    ready: float = 0.0
    coming: Mapping[str, float] = field(default_factory=dict)  # paintings that were sent here, and when

    def is_of(self, instance: str) -> bool:
        """Whether it is a studio that is wanted, on this machine."""
        return self.phase in _WANTED and self.instance in ("", instance)


@dataclass(frozen=True)
class Own:
    """What the studio alone knows."""

    instance: str
    dns: str
    easels: int
    is_loaded: bool  # it can paint
    problem: str  # why it never will; empty if it may
    busy: int  # paintings that are painted or wait
    active: float  # when a visitor last did something here, or was told that his painting is finished
    paintings: frozenset[str]  # those that are here: waiting, painted or looked at


def unwanted(entry: Entry | None) -> str:
    """Why there shall be no such studio."""
    if entry is None:
        return "the table knows no such studio"
    if entry.phase not in _WANTED:
        return f"the table has it as {entry.phase}"
    return f"the table has it on another machine, {entry.instance}"


def over(entry: Entry, own: Own, now: float, idle_stop: float) -> str:
    """Why it is time for the studio to leave by itself; empty if it is not."""
    if own.problem:
        return f"it cannot paint: {own.problem}"
    if now >= entry.deadline:
        return "its deadline has come"
    if entry.phase != "ready":
        return f"it was not ready within {BOOT:.0f} s" if now > entry.began + BOOT else ""
    idle = now - max(entry.active, own.active, entry.ready)
    # With 0 it ends as soon as there is nothing to paint, but not before who was sent here, or still looks, may act.
    if idle > (idle_stop + MARGIN if idle_stop else PROMISE) and not _load(entry, own, now):
        return f"nobody has done anything for {idle:.0f} s"
    return ""


def _load(entry: Entry, own: Own, now: float) -> int:
    """How many paintings it has, with those that are on their way."""
    awaited = [sent for painting, sent in entry.coming.items() if painting not in own.paintings]
    return own.busy + sum(now < max(sent, entry.ready) + PROMISE for sent in awaited)


def report(entry: Entry, own: Own, now: float) -> tuple[Values, list[str]]:
    """What is to be told, and which of the paintings that were coming have come."""
    values: Values = {
        "instance": own.instance,
        "dns": own.dns,
        "lease": now + LEASE,
        "active": max(entry.active, own.active),
        "busy": own.busy,
    }
    if own.is_loaded and entry.phase != "ready":
        values |= {"phase": "ready", "ready": now, "easels": own.easels}
    elif entry.phase in ("requested", "booting"):  # not one that was ready, crashed and was started again: it is
        values["phase"] = "loading"
    return values, [painting for painting in entry.coming if painting in own.paintings]


def farewell(now: float) -> Values:
    """What is told when the studio leaves for good: nobody is sent there any more, and its machine is ended."""
    return {"phase": "leaving", "goal": "ended", "left": now}
