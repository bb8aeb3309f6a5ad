"""The brake: where one boot after another comes to nothing, no new machine is asked for until some time has passed.

A machine of which something is broken ends before it is ready, and whoever waited for it has the next one launched: a
whole day's budget without a picture. A boot that nobody waited for any more has not failed, but was given up.
"""

from __future__ import annotations

from lambda_launcher.errors import Refusal
from lambda_launcher.store import Draft
from lambda_launcher.studio import Studio

BRAKE = "brake"
FAILED = 3
"""Boots in a row that have to fail."""
PAUSE = 600
"""Seconds after the last of them for which no new machine is asked for."""
AGAIN = 60
"""Seconds after which a visitor asks again: more often than has to be, for his refusals are what the alarm counts."""


def note(draft: Draft, studio: Studio, now: float) -> None:
    """Note what has come of a studio's boot: it is or was ready, or it has ended before."""
    item = draft.get(BRAKE)
    if studio.ready:
        draft.put(BRAKE, {**item, "failed": 0})
    elif studio.coming or studio.busy:
        draft.put(BRAKE, {**item, "failed": item.get("failed", 0) + 1, "last": now})


def check(draft: Draft, now: float) -> None:
    """Refuse a new machine while the brake holds."""
    item = draft.get(BRAKE)
    failed, wait = item.get("failed", 0), item.get("last", 0) + PAUSE - now
    if failed >= FAILED and wait > 0:
        problem = f"The last {failed} studios ended before they were ready."
        hint = "Try again in ten minutes; until then the sketch in your browser paints without a studio."
        raise Refusal("studios_broken", problem, hint, retry_after=AGAIN)
