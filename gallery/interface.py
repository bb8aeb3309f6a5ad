"""What a gallery can do, wherever it is."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, Protocol

# What is known of a painting, as JSON values. The gallery looks only at "done" (true when nothing more will be painted
# by itself), and adds "created" and "touched" (seconds since 1970, of the adding and of the last change) and, while
# another studio has it, "held" (seconds for which that still counts unless it is renewed).
Facts = dict[str, Any]


class Gallery(Protocol):
    """Where paintings are kept.

    Several studios may share one; `gallery.claims` says how. It may be used by many threads at once. What is changed
    has been made durable on return; a call that raises has changed nothing, except that `Unavailable` may come after
    the change where the way to the gallery broke.

    Any call may raise `Unavailable`, and those that change something `Full`, or `Taken` if the painting has become
    another studio's, or is no more this one's. A painting's id has up to 64 letters, digits, `_` and `-`; a file's name
    is one or more such words with `/` between. Others are a `ValueError`.
    """

    @property
    def life(self) -> float | None:
        """Seconds for which a claim counts unless it is renewed; None where there is never another studio."""

    def add(self, painting: str, facts: Facts, files: Mapping[str, bytes]) -> bool:
        """Keep a new painting, whole or not at all; False, and nothing changed, if there is one of that id.

        Of several that add the same id at once exactly one wins, and its files are the ones kept. One that is not done
        is claimed with it.
        """

    def facts(self, painting: str) -> Facts | None:
        """What is known of a painting, None if there is none."""

    def claim(self, painting: str) -> Facts | None:
        """Take a painting, and return what is known of it by then; None if there is none.

        If another studio has it, it is not taken, and "held" is among the facts.
        """

    def renew(self) -> list[str]:
        """Renew all claims that this studio has; return the paintings that have become another's."""

    def release(self, painting: str) -> None:
        """Let go of a painting, if this studio has it."""

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

        In both a painting that is not done goes only when none that is done is left to go, and one in `spare` or of
        another studio never. Returns the ids of those deleted. What is merely old is not looked for each time.
        """

    def key(self, painting: str, name: str) -> str | None:
        """The key of a file in the bucket; None if there is no such file, or no bucket."""

    def close(self) -> None:
        """Let go of the gallery, and of all claims; it can be opened again."""
