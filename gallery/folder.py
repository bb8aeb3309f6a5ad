"""A gallery in a folder.

=========================  ====================================================================================
``paintings/ID/``          a painting: its files, and ``facts.json``; in ID a capital letter X is written ``=x``,
                           for there are disks that do not tell ``X`` from ``x``
``staging/``               what is not whole yet, and what is no more; emptied at opening
``gallery.sqlite``         the index, which can be made anew of all the ``facts.json`` (see `gallery.index`)
``gallery.open``           the mark that the index is in use
``gallery.lock``           held by the one program that uses the folder
=========================  ====================================================================================

Whatever is written is written in ``staging`` and then renamed to where it belongs, so that a program that is killed
leaves the old or the new, and never half of it.
"""

from __future__ import annotations

import errno
import itertools
import json
import logging
import os
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from gallery import disk
from gallery.errors import Full, Gone, Unavailable
from gallery.index import Index
from gallery.interface import Facts
from gallery.kept import Kept, due, merged
from gallery.lock import Lock
from gallery.names import check_file, check_painting, is_painting

_FACTS = "facts.json"
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
# What SQLite says when there is no room, the second also where a quota or another limit stops it.
_NO_ROOM_FOR_INDEX = ("database or disk is full", "disk I/O error")

_log = logging.getLogger(__name__)


class FolderGallery:
    """Paintings in a folder, used by one program at a time: all are its own."""

    life = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paintings = folder / "paintings"
        self._staging = folder / "staging"
        self._guard = threading.Lock()  # of the index, and of the renames that go with its changes
        self._trusted = True  # that the index tells what is in the folders; not after an error
        with self._telling():
            disk.make_folder(folder)
            self._lock = self._locked()
            try:
                shutil.rmtree(self._staging, ignore_errors=True)
                disk.make_folder(self._staging)
                disk.make_folder(self._paintings)
                self._index = Index(folder / "gallery.sqlite", self._found)
                self._serials = itertools.count(self._index.last_serial() + 1)
            except BaseException:
                self._lock.release()
                raise

    def add(self, painting: str, facts: Facts, files: Mapping[str, bytes]) -> bool:
        home = self._home(painting)
        for name in files:
            check_file(name)
        with self._telling():
            with self._guard:
                if self._index.get(painting):
                    return False
                serial = next(self._serials)
            now = time.time()
            kept = Kept(painting, serial, now, now, sum(map(len, files.values())), merged({}, facts), change=0)
            staged = self._staging / uuid4().hex
            try:
                for path, data in {**files, _FACTS: _written(kept)}.items():
                    disk.make_folder((staged / path).parent)
                    disk.write(staged / path, data)
                for folder in {path.parent for path in disk.files(staged)}:
                    disk.sync(folder)
                with self._guard:
                    if self._index.get(painting):
                        return False
                    with self._indexed(None, kept):
                        os.rename(staged, home)
                disk.sync(self._paintings)
            finally:
                shutil.rmtree(staged, ignore_errors=True)
        return True

    def facts(self, painting: str) -> Facts | None:
        check_painting(painting)
        with self._telling(), self._guard:
            kept = self._index.get(painting)
        return kept.told if kept else None

    def claim(self, painting: str) -> Facts | None:
        return self.facts(painting)

    def renew(self) -> list[str]:
        return []

    def release(self, painting: str) -> None:
        check_painting(painting)

    def note(self, painting: str, facts: Facts) -> None:
        home = self._home(painting)
        with self._telling():
            is_noted = False
            while not is_noted:
                with self._guard:
                    before = self._known(painting)
                after = before.noted(facts)
                with self._staged(_written(after)) as staged, self._guard:
                    if before.is_still(self._known(painting)):  # else another was quicker, and what it noted stays
                        with self._indexed(before, after):
                            os.replace(staged, home / _FACTS)
                        is_noted = True
            disk.sync(home)

    def write(self, painting: str, name: str, data: bytes) -> None:
        path = self._path(painting, name)
        with self._telling():
            with self._staged(data) as staged, self._guard:
                before = self._known(painting)
                disk.make_folder(path.parent)
                size = before.size + len(data) - _size(path)
                with self._indexed(before, before.changed(size=size)):
                    os.replace(staged, path)
            disk.sync(path.parent)

    def read(self, painting: str, name: str) -> bytes | None:
        path = self._path(painting, name)
        with self._telling():
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None

    def names(self, painting: str) -> list[str]:
        home = self._home(painting)
        with self._telling():
            return sorted(path.relative_to(home).as_posix() for path in disk.files(home) if path != home / _FACTS)

    def erase(self, painting: str, names: Iterable[str]) -> None:
        paths = [self._path(painting, name) for name in names]
        with self._telling(), self._guard:
            kept = self._index.get(painting)
            if kept is None:
                return
            size = kept.size
            for path in filter(Path.is_file, paths):
                size -= path.stat().st_size
                path.unlink()
            # Only now, for it may need the room that they took.
            self._index.put(kept.changed(size=size))
            for folder in filter(Path.is_dir, {path.parent for path in paths}):
                disk.sync(folder)

    def delete(self, painting: str) -> bool:
        check_painting(painting)
        with self._telling(), self._guard:
            return self._index.get(painting) is not None and self._deleted(painting)

    def unfinished(self) -> list[tuple[str, Facts]]:
        with self._telling(), self._guard:
            return [(kept.painting, kept.told) for kept in self._index.unfinished()]

    def size(self) -> int:
        with self._telling(), self._guard:
            return self._index.size()

    def sweep(self, age: float, most: int, spare: Container[str]) -> list[str]:
        with self._telling():
            with self._guard:
                paintings = self._index.all()
            swept = []
            for kept in due(paintings, age, most, spare):
                with self._guard:
                    if kept.is_still(self._index.get(kept.painting)) and self._deleted(kept.painting):
                        swept.append(kept.painting)
            return swept

    def key(self, painting: str, name: str) -> str | None:
        self._path(painting, name)
        return None

    def close(self) -> None:
        with self._telling(), self._guard:
            try:
                self._index.close(self._trusted)
            finally:
                self._lock.release()

    def _home(self, painting: str) -> Path:
        check_painting(painting)
        return self._paintings / re.sub("[A-Z]", lambda capital: f"={capital[0].lower()}", painting)

    def _path(self, painting: str, name: str) -> Path:
        check_file(name)
        return self._home(painting) / name

    def _known(self, painting: str) -> Kept:
        kept = self._index.get(painting)
        if kept is None:
            raise Gone(painting)
        return kept

    @contextmanager
    def _staged(self, data: bytes) -> Iterator[Path]:
        """A file with these bytes, ready to be moved to where it belongs."""
        path = self._staging / uuid4().hex
        try:
            disk.write(path, data)
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def _indexed(self, before: Kept | None, after: Kept) -> Iterator[None]:
        """Let the index say `after`, unless what is done in here fails.

        It comes first because it needs room, which a rename mostly does not.
        """
        self._index.put(after)
        try:
            yield
        except BaseException:
            if before:
                self._index.put(before)
            else:
                self._index.remove(after.painting)
            raise

    def _deleted(self, painting: str) -> bool:
        """Delete a painting that is there. Its files go first, for the index may need their room to forget it."""
        grave = self._staging / uuid4().hex
        home = self._home(painting)
        if home.exists():
            os.rename(home, grave)
            disk.sync(self._paintings)
            shutil.rmtree(grave, ignore_errors=True)
        self._index.remove(painting)
        return True

    def _locked(self) -> Lock:
        try:
            return Lock(self._folder / "gallery.lock")
        except BlockingIOError as error:
            message = f"The gallery {self._folder} is used by another VisualNeurons: end it, or choose another folder."
            raise Unavailable(message) from error

    def _found(self) -> Iterator[Kept]:
        """The paintings as their folders tell of them."""
        for home in sorted(self._paintings.iterdir()):
            painting = re.sub("=(.)", lambda capital: capital[1].upper(), home.name)
            if is_painting(painting) and home == self._home(painting):
                try:
                    yield _read(painting, home)
                except (OSError, ValueError, KeyError, TypeError) as error:
                    # It stays where it is: somebody may still mend it.
                    _log.warning("The painting in %s cannot be read and is left out: %r.", home, error)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What goes wrong with the disk in here is told in a sentence."""
        try:
            yield
        except OSError as error:
            self._trusted = False
            reason = error.strerror or type(error).__name__
            if error.errno in _NO_ROOM:
                raise Full(f"There is no room left in the gallery {self._folder}: {reason}.") from error
            raise Unavailable(f"The gallery {self._folder} cannot be used: {reason}.") from error
        except sqlite3.Error as error:
            self._trusted = False
            if str(error) in _NO_ROOM_FOR_INDEX:
                raise Full(f"There is no room left for the index of the gallery {self._folder}: {error}.") from error
            raise Unavailable(f"The index of the gallery {self._folder} cannot be used: {error}.") from error


def _size(path: Path) -> int:
    """The bytes of a file, 0 if there is none."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _written(kept: Kept) -> bytes:
    """What is in facts.json."""
    return json.dumps({"serial": kept.serial, "created": kept.created, "facts": kept.facts}).encode()


def _read(painting: str, home: Path) -> Kept:
    """The painting in a folder."""
    told = json.loads((home / _FACTS).read_bytes())
    status = {path: path.stat() for path in disk.files(home)}
    return Kept(
        painting=painting,
        serial=int(told["serial"]),
        created=float(told["created"]),
        touched=max(told["created"], *(one.st_mtime for one in status.values())),
        size=sum(one.st_size for path, one in status.items() if path.name != _FACTS),
        facts=dict(told["facts"]),
        change=0,
    )
