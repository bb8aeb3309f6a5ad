"""The names that strangers may choose, and that become paths: they are looked at before they are used."""

from __future__ import annotations

import re

_PAINTING = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Without dots, so that no name leads upwards and none is taken for a file of the gallery's own.
_FILE = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,7}")


def is_painting(painting: str) -> bool:
    """Whether this is the form of a painting's id."""
    return _PAINTING.fullmatch(painting) is not None


def check_painting(painting: str) -> None:
    """Raise ValueError if this cannot be a painting's id."""
    if not is_painting(painting):
        raise ValueError(f"{painting!r} is not a painting's id: up to 64 letters, digits, _ and -.")


def check_file(name: str) -> None:
    """Raise ValueError if this cannot be the name of a painting's file."""
    if not _FILE.fullmatch(name):
        raise ValueError(f"{name!r} is not a file's name: words of letters, digits, _ and - with / between.")
