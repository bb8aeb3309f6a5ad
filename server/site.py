"""The static site."""

from __future__ import annotations

from pathlib import Path

import tornado.web

from server.entrance import Entrance
from server.handlers import Handler

# The site lies beside this room, in a checkout as in an installed wheel.
SITE = Path(__file__).resolve().parent.parent / "website"


class SiteHandler(Handler, tornado.web.StaticFileHandler):
    """Serves the files of the site."""

    def initialize(self, entrance: Entrance, path: str, default_filename: str) -> None:  # type: ignore[override]
        """Take the folder, too."""
        Handler.initialize(self, entrance)
        tornado.web.StaticFileHandler.initialize(self, path, default_filename)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Say of a name that no file can have that there is none."""
        if "\0" in absolute_path:
            raise tornado.web.HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)

    def set_extra_headers(self, path: str) -> None:
        """Let browsers keep a file, but ask each time whether it is still the newest."""
        self.set_header("Cache-Control", "no-cache")


class DisplayHandler(SiteHandler):
    """Serves the page of one painting, which is the page: it reads from its own address which painting it shows."""

    async def get(self, path: str = "index.html", include_body: bool = True) -> None:
        """Answer with the page's file."""
        await super().get(path, include_body)

    async def head(self, path: str = "index.html") -> None:
        """Answer with what is told of it."""
        await super().head(path)


class ConfigHandler(Handler):
    """Tells the page what stands behind it: a studio, this one, and how many days it keeps a painting.

    The file of the site, which this one hides, tells of nothing.
    """

    def get(self) -> None:
        """Tell it."""
        self.set_header("Cache-Control", "no-cache")
        self.write({"studio": True, "days": self.entrance.limits.age})

    head = get
