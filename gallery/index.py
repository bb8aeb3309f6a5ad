"""The index of a folder of paintings, in SQLite: quick to ask, and never the only one that knows.

All it says can be told from the paintings' folders. So it need not be durable at each change: beside it lies a mark as
long as it is open, and an index that is found marked (its program was killed), damaged, or missing is made anew.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from gallery import disk
from gallery.errors import Unavailable
from gallery.kept import Kept

VERSION = 1

_SCHEMA = """
CREATE TABLE paintings (
    painting TEXT PRIMARY KEY,
    serial INTEGER NOT NULL,
    created REAL NOT NULL,
    touched REAL NOT NULL,
    size INTEGER NOT NULL,
    facts TEXT NOT NULL,
    change INTEGER NOT NULL,
    done INTEGER NOT NULL
) WITHOUT ROWID
"""
_COLUMNS = "painting, serial, created, touched, size, facts, change"


class Index:
    """The index at a path. Its user sees to it that one thread at a time calls it."""

    def __init__(self, path: Path, paintings: Callable[[], Iterable[Kept]]) -> None:
        """Open the index; one that cannot be trusted is made anew of `paintings`."""
        self._mark = path.with_suffix(".open")
        version = _version(path)
        if version is not None and version > VERSION:
            raise Unavailable(
                f"The index {path} has version {version} and this program reads version {VERSION}: "
                "the gallery was kept by a newer VisualNeurons."
            )
        if version != VERSION or self._mark.exists():
            for leftover in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
                leftover.unlink(missing_ok=True)
        if not self._mark.exists():
            disk.write(self._mark, b"")
            disk.sync(path.parent)
        self._is_open = True
        self._is_on_disk = True
        try:
            self._database = _made(path, paintings)
        except sqlite3.OperationalError:
            # No room on the disk: in memory the paintings can still be seen, and deleted to make room.
            self._is_on_disk = False
            self._database = _made(":memory:", paintings)

    def get(self, painting: str) -> Kept | None:
        """What is known of a painting."""
        return next(iter(self._select("WHERE painting = ?", painting)), None)

    def put(self, kept: Kept) -> None:
        """Know this of a painting from now on."""
        _put(self._database, kept)

    def remove(self, painting: str) -> None:
        """Know nothing of a painting."""
        self._database.execute("DELETE FROM paintings WHERE painting = ?", (painting,))

    def all(self) -> list[Kept]:
        """All paintings."""
        return self._select("")

    def unfinished(self) -> list[Kept]:
        """Those that are not done, in the order in which they were added."""
        return self._select("WHERE NOT done ORDER BY serial")

    def size(self) -> int:
        """The bytes of all paintings."""
        return int(self._sum("SUM(size)"))

    def last_serial(self) -> int:
        """The highest serial number in use."""
        return int(self._sum("MAX(serial)"))

    def close(self, trusted: bool) -> None:
        """Close the index; if it is not `trusted`, or cannot be written out, it will be made anew."""
        if not self._is_open:
            return  # The mark may be another's by now.
        self._is_open = False
        with closing(self._database):
            is_written = self._is_on_disk and _written_out(self._database)
        if trusted and is_written:
            self._mark.unlink(missing_ok=True)

    def _select(self, condition: str, *values: Any) -> list[Kept]:
        rows = self._database.execute(f"SELECT {_COLUMNS} FROM paintings {condition}", values)
        return [
            Kept(painting, serial, created, touched, size, json.loads(facts), change)
            for painting, serial, created, touched, size, facts, change in rows
        ]

    def _sum(self, what: str) -> Any:
        return self._database.execute(f"SELECT COALESCE({what}, 0) FROM paintings").fetchone()[0]


def _made(path: Path | str, paintings: Callable[[], Iterable[Kept]]) -> sqlite3.Connection:
    """The database at a path, made of `paintings` if it is new."""
    database = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        # A small log, soon written over from its beginning: on a full disk there is mostly room in it for a change.
        database.execute("PRAGMA wal_autocheckpoint = 64")
        if database.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            database.execute("BEGIN")
            database.execute(_SCHEMA)
            for kept in paintings():
                _put(database, kept)
            database.execute(f"PRAGMA user_version = {VERSION}")
            database.execute("COMMIT")
    except BaseException:
        database.close()
        raise
    return database


def _put(database: sqlite3.Connection, kept: Kept) -> None:
    facts = json.dumps(kept.facts)
    database.execute(
        f"INSERT OR REPLACE INTO paintings ({_COLUMNS}, done) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (kept.painting, kept.serial, kept.created, kept.touched, kept.size, facts, kept.change, kept.done),
    )


def _written_out(database: sqlite3.Connection) -> bool:
    """Whether all of the log could be written to where it belongs."""
    try:
        is_busy, *_ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    return not is_busy


def _version(path: Path) -> int | None:
    """The version of the index, None if there is none or it is damaged."""
    if path.exists():
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path, timeout=5)) as database:
            version = int(database.execute("PRAGMA user_version").fetchone()[0])
            if database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                return version
    return None
