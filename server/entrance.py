"""What every handler is given: the controller, and what it takes to decide whom to let in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller import StyleTransferController
from server.artworks import Artworks
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
    sockets: set[StyleTransferSocket] = field(default_factory=set)
