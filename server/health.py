"""Whether the server lives, and what it does. In the cloud that is the machine's own business, which watches it."""

from __future__ import annotations

import time

import tornado.web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from server.entrance import Entrance
from server.handlers import Handler


class MachineHandler(Handler):
    """Answers, in the cloud, the machine itself alone."""

    def check_edge(self) -> None:
        """For all others nothing is there, be they let in by the edge."""
        edge, request = self.entrance.edge, self.request
        if edge and not edge.is_machine(request.headers, request.remote_ip or ""):
            raise tornado.web.HTTPError(404)


class HealthHandler(MachineHandler):
    """Answers ``/healthz``: 200 while the studio can paint or will soon, else 503."""

    def initialize(self, entrance: Entrance, started: float) -> None:  # type: ignore[override]
        """Take the moment the server started, on the monotonic clock, too."""
        super().initialize(entrance)
        self.started = started

    def get(self) -> None:
        """Say how the studio is, and for how many seconds it has been."""
        self.set_header("Cache-Control", "no-store")
        health = self.entrance.controller.health()
        if health["status"] == "broken":
            self.set_status(503)
        self.finish({**health, "uptime": round(time.monotonic() - self.started, 3)})

    head = get


class MetricsHandler(MachineHandler):
    """Answers ``/metrics``."""

    def get(self) -> None:
        """All that is counted, in Prometheus' text format."""
        self.entrance.controller.count()
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.set_header("Cache-Control", "no-store")
        self.finish(generate_latest())

    head = get
