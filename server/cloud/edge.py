"""The edge: CloudFront, by which visitors come. It says by a header that they do, and who they are."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from controller import Refusal
from server.origins import is_loopback

HEADER = "X-Visualneurons-Edge"


class Edge:
    """The door that only the edge passes: it shares the key of tickets, and signs with it where it sends somebody."""

    def __init__(self, key: bytes, host: str) -> None:
        """Take the key of tickets and the studio's name in them."""
        self._wanted = hmac.new(key, b"edge:" + host.lower().encode(), hashlib.sha256).hexdigest().encode()

    def check(self, headers: Mapping[str, str]) -> None:
        """Refuse what did not come by way of the edge."""
        sent = headers.get(HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(sent, self._wanted):
            problem = "This studio is entered by way of its site alone."
            raise Refusal("edge_missing", problem, "Start from the page that launches studios.")

    @staticmethod
    def is_machine(headers: Mapping[str, str], peer: str) -> bool:
        """Whether the studio's own machine asks: neither who came by the edge, nor anybody else."""
        return HEADER not in headers and is_loopback(peer)

    @staticmethod
    def viewer(headers: Mapping[str, str], peer: str) -> str:
        """The address of who is behind the edge, which adds it to what others may have written there before."""
        return headers.get("X-Forwarded-For", peer).rpartition(",")[2].strip()
