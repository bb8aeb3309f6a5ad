"""Which address is answered by what."""

from __future__ import annotations

import time

import tornado.web

from server.health import HealthHandler
from server.site import SITE, SiteHandler


def make_application() -> tornado.web.Application:
    """Make the application, whose uptime is counted from now."""
    return tornado.web.Application(
        [
            ("/healthz", HealthHandler, {"started": time.monotonic()}),
            ("/(.*)", SiteHandler, {"path": str(SITE), "default_filename": "index.html"}),
        ]
    )
