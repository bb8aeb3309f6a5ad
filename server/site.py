"""The static site."""

from __future__ import annotations

from pathlib import Path

import tornado.web

from server.headers import SafeHandler

# The site lies beside this room, in a checkout as in an installed wheel.
SITE = Path(__file__).resolve().parent.parent / "website"


class SiteHandler(SafeHandler, tornado.web.StaticFileHandler):
    """Serves the files of the site."""

    def set_extra_headers(self, path: str) -> None:
        """Let browsers keep a file, but ask each time whether it is still the newest."""
        self.set_header("Cache-Control", "no-cache")
