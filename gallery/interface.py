"""What a gallery can do, wherever it is."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, Protocol

# What is known of a painting, as JSON values. The gallery looks only at "done" (true when nothing more will be painted
# by itself), and adds "created" and "touched" (seconds since 1970, of the adding and of the last change).
Facts = dict[str, Any]


class Gallery(Protocol):
    """Where paintings are kept.

    It may be used by many threads at once. What is changed has been made durable on return; a call that raises has
    changed nothing, except that `Unavailable` may come after the change where the way to the gallery broke.

    Any call may raise `Unavailable`, and those that change something `Full`. A painting's id has up to 64 letters,
    digits, `_` and `-`; a file's name is one or more such words with `/` between. Others are a `ValueError`.
    """

    def add(self, painting: str, facts: Facts, files: Mapping[str, bytes]) -> bool:
        """Keep a new painting, whole or not at all; False, and nothing changed, if there is one of that id.

        Of several that add the same id at once exactly one wins, and its files are the ones kept.
        """

    def facts(self, painting: str) -> Facts | None:
        """What is known of a painting, None if there is none."""

    def note(self, painting: str, facts: Facts) -> None:
        """Add to what is known of a painting; a fact that is None is forgotten. `Gone` if there is no such painting."""

    def write(self, painting: str, name: str, data: bytes) -> None:
        """Keep a file of a painting: a reader sees the old one or the new one. `Gone` if there is no such painting."""

    def read(self, painting: str, name: str) -> bytes | None:
        """A file of a painting, None if there is none."""

    def names(self, painting: str) -> list[str]:
        """The names of a painting's files, sorted; none if there is no such painting."""

    def erase(self, painting: str, names: Iterable[str]) -> None:
        """Delete some of a painting's files; those that are not there are passed over."""

    def delete(self, painting: str) -> bool:
        """Delete a painting; False if there is none."""

    def unfinished(self) -> list[tuple[str, Facts]]:
        """The paintings that are not done, in the order in which they were added."""

    def size(self) -> int:
        """The bytes of all files of all paintings."""

    def sweep(self, age: float, most: int, spare: Container[str]) -> list[str]:
        """Delete what was not touched for `age` seconds, then the oldest until at most `most` bytes are kept.

        In both a painting that is not done goes only when none that is done is left to go, and one in `spare` never.
        Returns the ids of those deleted.
        """

    def close(self) -> None:
        """Let go of the gallery; it can be opened again."""
