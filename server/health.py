"""Whether the server lives."""

from __future__ import annotations

import time

from server.headers import SafeHandler


class HealthHandler(SafeHandler):
    """Answers ``/healthz`` with the state of the server as JSON."""

    def initialize(self, started: float) -> None:
        """Take the moment the server started, on the monotonic clock."""
        self.started = started

    def get(self) -> None:
        """Say that all is well, and for how many seconds it has been."""
        self.set_header("Cache-Control", "no-store")
        self.write({"status": "ok", "uptime": round(time.monotonic() - self.started, 3)})
