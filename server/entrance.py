"""What every handler is given: the controller, and what it takes to decide whom to let in."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller import Painting, StyleTransferController
from server.artworks import Artworks
from server.cloud import Edge
from server.limits import Counts, Limits
from server.origins import Origins
from server.tickets import Tickets

if TYPE_CHECKING:
    from server.style_transfer_socket import StyleTransferSocket


@dataclass
class Entrance:
    """Made once for a server."""

    controller: StyleTransferController
    limits: Limits
    origins: Origins
    tickets: Tickets | None  # None: everybody is welcome
    artworks: Artworks
    counts: Counts
    edge: Edge | None = None  # None: whoever comes, comes straight
    sockets: set[StyleTransferSocket] = field(default_factory=set)
    active: float = 0.0  # when a visitor last did something, or was told of the end, by the wall clock

    def acted(self) -> None:
        """A visitor does something, or gets what he has waited for: an open socket alone is neither."""
        self.active = time.time()

    def works(self, painting: Painting) -> dict[str, str]:
        """Where on the site a finished painting's picture and film are, if it shows the gallery."""
        return {name: f"/{key}" for name, key in painting.works.items()} if self.edge else {}
