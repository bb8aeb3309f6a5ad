"""Which address is answered by what."""

from __future__ import annotations

import time

import tornado.web

from server.entrance import Entrance
from server.handlers import NothingHandler
from server.health import HealthHandler, MetricsHandler
from server.paintings import (
    ArtworksHandler,
    PaintingHandler,
    PaintingsHandler,
    PictureHandler,
    TimelapseHandler,
)
from server.site import SITE, ConfigHandler, DisplayHandler, SiteHandler
from server.style_transfer_socket import StyleTransferSocket

PING_EVERY = 20.0
"""Seconds between the signs of life that are asked of each socket, and for each: half-open ones are found so."""


def make_application(entrance: Entrance) -> tornado.web.Application:
    """Make the application, whose uptime is counted from now."""
    known = {"entrance": entrance}
    return tornado.web.Application(
        [
            ("/styletransfer", StyleTransferSocket, known),
            ("/healthz", HealthHandler, {**known, "started": time.monotonic()}),
            ("/metrics", MetricsHandler, known),
            ("/artworks", ArtworksHandler, known),
            ("/paintings", PaintingsHandler, known),
            ("/paintings/([^/]+)", PaintingHandler, known),
            ("/paintings/([^/]+)/picture", PictureHandler, known),
            ("/paintings/([^/]+)/timelapse", TimelapseHandler, known),
            ("/config.json", ConfigHandler, known),
            ("/display", DisplayHandler, {**known, "path": str(SITE), "default_filename": "index.html"}),
            ("/(.*)", SiteHandler, {**known, "path": str(SITE), "default_filename": "index.html"}),
        ],
        default_handler_class=NothingHandler,
        default_handler_args=known,
        compress_response=True,  # texts alone: pictures and films are compressed as they are
        websocket_max_message_size=int(entrance.limits.message * 2**20),
        websocket_ping_interval=PING_EVERY,
        log_function=lambda handler: None,  # what matters of a request is counted, and logged where it happens
    )
