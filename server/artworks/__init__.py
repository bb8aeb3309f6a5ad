"""The collection: the artworks that come with the site, by name.

``server.artworks.collection``  adds to it, and takes from it; ``server.artworks.fetch`` gets what is to be added
``server.artworks.command``     ``visualneurons artworks``
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from controller import Refusal


class Artworks:
    """The artworks of a site; an artwork's name is its file's, without the suffix."""

    def __init__(self, site: Path) -> None:
        self._folder = site / "artworks"
        self._files: dict[str, bytes] = {}
        self._listed: dict[str, dict[str, Any]] = {}
        self._read_at = -1
        self._known()

    def listed(self) -> list[dict[str, Any]]:
        """What is told of each: its name, its picture's address, and what the collection says of it."""
        return [
            {"name": name, "url": f"/artworks/{each['file']}", **{key: each[key] for key in each if key != "file"}}
            for name, each in self._known().items()
        ]

    def read(self, name: str) -> bytes:
        """The file of an artwork. It is read once, however often it is named."""
        known = self._known()
        if name not in known:
            shown = name if len(name) <= 60 else name[:57] + "..."
            problem = f"There is no artwork {shown!r} in the collection."
            raise Refusal("artwork_unknown", problem, f"Choose one of {', '.join(known)}, or send your own.")
        if name not in self._files:
            self._files[name] = (self._folder / known[name]["file"]).read_bytes()
        return self._files[name]

    def _known(self) -> dict[str, dict[str, Any]]:
        """The manifest's entries, by name; read again when somebody has changed it."""
        manifest = self._folder / "artworks.json"
        changed_at = manifest.stat().st_mtime_ns
        if changed_at != self._read_at:
            listed = json.loads(manifest.read_text(encoding="utf-8"))
            self._listed = {each["file"].rpartition(".")[0]: each for each in listed}
            self._files = {}
            self._read_at = changed_at
        return self._listed
