"""The collection: the artworks that come with the site, by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from controller import Refusal


class Artworks:
    """The artworks of a site; an artwork's name is its file's, without the suffix."""

    def __init__(self, site: Path) -> None:
        self._folder = site / "artworks"
        listed: list[dict[str, Any]] = json.loads((self._folder / "artworks.json").read_text(encoding="utf-8"))
        self._files: dict[str, bytes] = {}
        self._known = {each["file"].rpartition(".")[0]: each for each in listed}

    def listed(self) -> list[dict[str, Any]]:
        """What is told of each: its name, its picture's address, and what the collection says of it."""
        return [
            {"name": name, "url": f"/artworks/{each['file']}", **{key: each[key] for key in each if key != "file"}}
            for name, each in self._known.items()
        ]

    def read(self, name: str) -> bytes:
        """The file of an artwork. It is read once, however often it is named."""
        if name not in self._known:
            shown = name if len(name) <= 60 else name[:57] + "..."
            problem = f"There is no artwork {shown!r} in the collection."
            raise Refusal("artwork_unknown", problem, f"Choose one of {', '.join(self._known)}, or send your own.")
        if name not in self._files:
            self._files[name] = (self._folder / self._known[name]["file"]).read_bytes()
        return self._files[name]
