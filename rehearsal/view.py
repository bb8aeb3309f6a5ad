"""What the table of the stack says of studios and of money at one moment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from lambda_launcher import ledger, roll
from lambda_launcher.store import Draft, Store
from lambda_launcher.studio import Studio


@dataclass(frozen=True)
class View:
    """Studios, those that have ended, too; and GPU-seconds of the day."""

    now: float
    studios: tuple[Studio, ...]
    used: int
    reserved: int


class Watch:
    """Looks again and again, and remembers who has been there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[str, None] = {}

    def look(self) -> View:
        """What there is now."""
        draft = Draft(self._store)
        now = time.time()
        self._seen |= dict.fromkeys(each.id for each in roll.studios(draft))
        day, _ = ledger.names(ledger.day(now), "")
        spent: dict[str, Any] = draft.get(day)
        studios = [studio for id_ in self._seen if (studio := roll.get(draft, id_))]
        return View(now, tuple(studios), spent.get("used", 0), spent.get("reserved", 0))
