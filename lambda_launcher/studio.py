"""A studio as the table knows it: the item `studio#ID`, and what may be concluded from it.

The launcher and the reaper write whole items. The studio itself, on its machine, changes only what it alone knows:
`phase` (to loading, to ready), `instance`, `dns`, `ready`, `lease`, `active`, `easels`, `busy`, and `coming`, out of
which it takes the paintings that have come. When it has to go and nobody has said so yet (a spot notice, its deadline),
it writes that it is leaving, to be ended: then nobody is sent there while it puts its paintings aside. It writes
nothing once it is leaving. It always makes `version` one larger, so that no decision that was made upon the old item is
written over it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lambda_launcher.store import Item

Phase = Literal["requested", "booting", "loading", "ready", "leaving", "stopped", "ended"]
Goal = Literal["stopped", "ended"]

COMING: frozenset[Phase] = frozenset({"requested", "booting", "loading"})

BOOT = 600
"""Seconds after which a studio that is not ready never will be."""
LEASE = 90
"""Seconds for which a studio that renews its lease is taken to live; clocks that differ by a third of it do no harm."""
PROMISE = 20
"""Seconds for which a visitor who was sent to a studio counts as there before the studio counts him itself."""


@dataclass(frozen=True)
class Studio:
    """One studio. Moments are in seconds of the wall clock; 0 is never."""

    id: str
    phase: Phase
    owner: str  # a digest of the secret of whoever launched it; empty: nobody may end it
    began: float  # this run of it: it may stop and be started again
    deadline: float  # when this run has to be over
    day: str  # whose budget it takes from
    address: str  # who takes it
    reserved: int  # seconds of that budget; 0 once what was used is settled
    lease: float  # until when it is known to live
    active: float  # when a visitor last did something, or was sent there
    coming: Mapping[str, float] = field(default_factory=dict)  # paintings that were sent there, and when
    easels: int = 1
    busy: int = 0  # paintings that are painted or wait there
    instance: str = ""
    type: str = ""
    subnet: str = ""
    template: str = ""  # the version of the launch template that its machine was made from, and is told by for good
    dns: str = ""
    ready: float = 0
    left: float = 0  # when it was decided that it has to go, or when it was seen to have stopped
    goal: Goal | Literal[""] = ""  # what becomes of a studio that is leaving
    learnt: float = 0  # the beginning of the last run whose boot was learnt from
    runs: int = 1
    expires: int = 0
    version: int = 0

    def is_coming(self, now: float) -> bool:
        """Whether it boots, and may yet be ready."""
        return self.phase in COMING and now < self.began + BOOT

    def is_ready(self, now: float) -> bool:
        """Whether visitors can be let in."""
        return self.phase == "ready" and self.dns != "" and now < min(self.lease, self.deadline)

    def expects(self, painting: str, now: float) -> bool:
        """Whether a painting may wait for it: one that was sent to a run before this one may not, its run is over."""
        return self.is_ready(now) or (self.is_coming(now) and painting in self.coming)

    def load(self, now: float) -> int:
        """How many paintings it has, with those of the visitors who are on their way."""
        arrived = self.ready + PROMISE if self.phase == "ready" else float("inf")
        return self.busy + sum(now < max(sent + PROMISE, arrived) for sent in self.coming.values())

    def joined(self, painting: str, now: float) -> Studio:
        """The studio when one more painting has been sent there."""
        awaited = {
            each: sent for each, sent in self.coming.items() if self.phase != "ready" or now < sent + 2 * PROMISE
        }
        return dataclasses.replace(self, coming={**awaited, painting: now}, active=max(now, self.active))

    def on_machine_of(self, stopped: Studio) -> Studio:
        """This run, on the machine of a studio that has stopped, in place of a new one."""
        return dataclasses.replace(
            self,
            id=stopped.id,
            phase="booting",
            easels=stopped.easels,
            instance=stopped.instance,
            type=stopped.type,
            subnet=stopped.subnet,
            template=stopped.template,
            runs=stopped.runs + 1,
        )


def name(studio: str) -> str:
    """The name of a studio's item."""
    return f"studio#{studio}"


def to_item(studio: Studio) -> Item:
    """The studio as an item: what is empty is left out."""
    values = {each.name: getattr(studio, each.name) for each in dataclasses.fields(Studio)}
    return {attribute: value for attribute, value in values.items() if value or attribute in _ALWAYS}


def from_item(item: Item) -> Studio | None:
    """The studio in an item; None if it is empty."""
    known = {each.name: item[each.name] for each in dataclasses.fields(Studio) if each.name in item}
    return Studio(**known) if known else None


_ALWAYS = frozenset(each.name for each in dataclasses.fields(Studio) if each.default is dataclasses.MISSING)
