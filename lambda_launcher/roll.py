"""The roll: the item `fleet`, which names the studios that have not ended, and the changes that every studio shares.

Whoever has a studio run writes the roll, too, so that two who do so at once cannot both think that there is room.
"""

from __future__ import annotations

import dataclasses

from lambda_launcher import ledger, studio
from lambda_launcher.store import Draft
from lambda_launcher.studio import Goal, Studio

ROLL = "fleet"
REMEMBERED = 24 * 3600
"""Seconds for which a studio that has ended, and what a key has launched, are remembered."""


def studios(draft: Draft) -> list[Studio]:
    """The studios that have not ended."""
    ids = draft.get(ROLL).get("ids", [])
    draft.read(*map(studio.name, ids))
    return [found for each in ids if (found := get(draft, each))]


def get(draft: Draft, id_: str) -> Studio | None:
    """One studio, ended or not."""
    return studio.from_item(draft.get(studio.name(id_)))


def put(draft: Draft, one: Studio) -> None:
    """Want a studio so."""
    draft.put(studio.name(one.id), studio.to_item(one))


def run(draft: Draft, one: Studio) -> None:
    """Have a studio run that did not."""
    item = draft.get(ROLL)
    ids = [*(each for each in item.get("ids", []) if each != one.id), one.id]
    # Nobody reads how many have begun. But what stays as it was is not written, and the ids may: of two Lambdas that
    # have a studio run at once, one is to find the roll changed.
    draft.put(ROLL, {**item, "ids": ids, "begun": item.get("begun", 0) + 1})
    put(draft, one)


def over(draft: Draft, one: Studio, goal: Goal, used: float, now: float) -> Studio:
    """A run of a studio is over: settle it, and strike the studio off unless it may run again."""
    done = dataclasses.replace(
        ledger.settle(draft, one, used), phase=goal, goal="", left=now, lease=0, busy=0, coming={}, dns=""
    )
    if goal == "ended":
        done = dataclasses.replace(done, expires=int(now) + REMEMBERED)
        item = draft.get(ROLL)
        draft.put(ROLL, {**item, "ids": [each for each in item.get("ids", []) if each != one.id]})
    put(draft, done)
    return done
