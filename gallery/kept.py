"""What is known of a painting that is kept, and which of them are to go when there is too much."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gallery.interface import Facts

_OWN = {"created", "touched", "held"}  # facts that are the gallery's own to tell


@dataclass(frozen=True)
class Kept:
    """A painting in the gallery."""

    painting: str
    serial: int  # counts the adding; clocks are set back now and then
    created: float
    touched: float
    size: int
    facts: Facts
    change: int  # counts the changes, so that none is made to what was changed meanwhile

    @property
    def done(self) -> bool:
        """Whether nothing more will be painted by itself."""
        return bool(self.facts.get("done"))

    @property
    def told(self) -> Facts:
        """The facts as they are told to those who ask."""
        return {**self.facts, "created": self.created, "touched": self.touched}

    def is_still(self, kept: Kept | None) -> bool:
        """Whether this is the same painting and was not changed since."""
        return kept is not None and (self.serial, self.change) == (kept.serial, kept.change)

    def changed(self: AnyKept, **what: Any) -> AnyKept:
        """This painting with some of it changed, now."""
        return replace(self, touched=time.time(), change=self.change + 1, **what)

    def noted(self: AnyKept, facts: Facts) -> AnyKept:
        """This painting with more facts known of it."""
        return self.changed(facts=merged(self.facts, facts))


AnyKept = TypeVar("AnyKept", bound=Kept)


def merged(facts: Facts, more: Facts) -> Facts:
    """The facts with more of them; None forgets one."""
    return {name: value for name, value in {**facts, **more}.items() if value is not None and name not in _OWN}


def due(paintings: Iterable[AnyKept], age: float, most: int, spare: Container[str]) -> Iterator[AnyKept]:
    """Those to delete, as `Gallery.sweep` says; `spare` is asked at the last moment."""
    oldest_first = sorted(paintings, key=lambda kept: (not kept.done, kept.touched, kept.serial))
    before = time.time() - age
    size = 0
    staying = []
    for kept in oldest_first:
        if kept.touched < before and kept.painting not in spare:
            yield kept
        else:
            staying.append(kept)
            size += kept.size
    for kept in staying:
        if size > most and kept.painting not in spare:
            yield kept
            size -= kept.size
