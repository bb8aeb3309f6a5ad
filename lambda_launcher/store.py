"""The store: items by name, of which several are changed together if nobody else has changed them meanwhile.

Every item has a `version`, which each write makes one larger. That is all the locking there is: whoever decides upon
what he has read writes only if it is still so, and else decides again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from lambda_launcher.errors import Refusal

TRIES = 12

Item = dict[str, Any]
"""Attributes by name: texts, numbers, and lists or mappings of them."""

T = TypeVar("T")


class Change(NamedTuple):
    """What an item is to be, if its version still is `version` (0: if there is none)."""

    name: str
    item: Item
    version: int


class Store(Protocol):
    """Where items are kept."""

    def read(self, names: Collection[str]) -> dict[str, Item]:
        """Those of the items that there are, as they are now."""

    def write(self, changes: Sequence[Change]) -> bool:
        """Make all the changes, or none if the version of any item is another: then return False."""


class Draft:
    """What one decision has read, and what it wants written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[str, Item] = {}
        self._wanted: dict[str, Item] = {}

    def read(self, *names: str) -> None:
        """Read several items at once: `get` then has them."""
        if missing := [name for name in names if name not in self._read]:
            found = self._store.read(missing)
            self._read |= {name: found.get(name, {}) for name in missing}

    def get(self, name: str) -> Item:
        """The item, as it was read or is to be; empty if there is none."""
        self.read(name)
        return dict(self._wanted.get(name, self._read[name]))

    def put(self, name: str, item: Item) -> None:
        """Want the item so."""
        self.read(name)
        self._wanted[name] = item

    def commit(self) -> bool:
        """Write all that is wanted; False, and nothing is written, if others have changed any of it."""
        changes = [
            Change(name, item, self._read[name].get("version", 0))
            for name, item in self._wanted.items()
            if item != self._read[name]
        ]
        return not changes or self._store.write(changes)


def transact(store: Store, decide: Callable[[Draft], T]) -> T:
    """What `decide` returns, once what it wants is written; it is asked anew where others were faster."""
    for _ in range(TRIES):
        draft = Draft(store)
        decided = decide(draft)
        if draft.commit():
            return decided
    raise Refusal("launcher_busy", "Too many visitors ask at this moment.", "Try again in a moment.", retry_after=1)
