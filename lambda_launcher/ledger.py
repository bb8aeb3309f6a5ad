"""The ledger: GPU-seconds are reserved before a machine is asked for, and settled when it is gone.

Each run of a studio takes from the budget of the day on which it began, for all and for the address that had it begin.
What is reserved is the most that the run can take, so whatever happens afterwards, the day's bill has a ceiling.
"""

from __future__ import annotations

import dataclasses
import math
from datetime import datetime, timedelta, timezone

from lambda_launcher.errors import Refusal
from lambda_launcher.settings import Settings
from lambda_launcher.store import Draft
from lambda_launcher.studio import Studio

KEPT = 3 * 24 * 3600  # seconds after which a day's figures are of no use
LEAST = 60  # seconds that EC2 charges for each start, however soon it is over


def day(now: float) -> str:
    """The day, by UTC."""
    return datetime.fromtimestamp(now, timezone.utc).date().isoformat()


def names(day_: str, address: str) -> tuple[str, str]:
    """The names of the items with what is taken from a day's budget: by all, and by one address."""
    return f"ledger#{day_}", f"ledger#{day_}#{address}"


def reserve(draft: Draft, address: str, need: int, now: float, settings: Settings) -> None:
    """Reserve what one run can take, or refuse."""
    everybody, one = names(day(now), address)
    draft.read(everybody, one)
    wanted = {}
    for name, ceiling in ((one, settings.address_seconds), (everybody, settings.daily_seconds)):
        item = draft.get(name)
        used, reserved = item.get("used", 0), item.get("reserved", 0)
        if used + reserved + need > ceiling:
            raise _spent(used, reserved, ceiling, now, for_all=name == everybody, will_free=used + need <= ceiling)
        wanted[name] = {**item, "reserved": reserved + need, "expires": int(now) + KEPT}
    for name, item in wanted.items():
        draft.put(name, item)


def charged(studio: Studio, ran: float, settings: Settings) -> float:
    """The seconds that a run comes to: with the filling of the disk, if it was its machine's first."""
    return max(LEAST, ran) + (settings.fill_seconds if studio.runs == 1 else 0)


def settle(draft: Draft, studio: Studio, used: float) -> Studio:
    """Put what a run has used in place of what was reserved for it; it is a run no more."""
    if studio.reserved:
        for name in names(studio.day, studio.address):
            item = draft.get(name)
            total = {"used": item.get("used", 0) + math.ceil(used), "reserved": item["reserved"] - studio.reserved}
            draft.put(name, {**item, **total})
    return dataclasses.replace(studio, reserved=0)


def _spent(used: int, reserved: int, ceiling: int, now: float, *, for_all: bool, will_free: bool) -> Refusal:
    tomorrow = datetime.combine(datetime.fromisoformat(day(now)), datetime.min.time(), timezone.utc) + timedelta(days=1)
    # What is reserved is mostly not used, and is free again as soon as a studio ends.
    wait = 120 if will_free else math.ceil(tomorrow.timestamp() - now)
    sums = f"of {ceiling} GPU-seconds {used} are used and {reserved} reserved"
    when = "Try again in two minutes" if will_free else f"Try again after midnight UTC, in {wait // 3600 + 1} hours"
    hint = f"{when}; until then the sketch in your browser paints without a studio."
    if for_all:
        return Refusal("budget_spent", f"Today's budget does not allow another studio: {sums}.", hint, wait)
    return Refusal("address_spent", f"Your address may not launch another studio today: {sums}.", hint, wait)
