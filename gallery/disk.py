"""Files and folders that are still there when the power fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """Write a new file whose bytes are durable; its name is so after `sync` of its folder."""
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    if sys.platform == "win32":
        return  # Windows writes them through by itself, and opens no folders.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Have a folder, durably."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def files(folder: Path) -> Iterator[Path]:
    """All files in a folder and the folders in it."""
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names)
