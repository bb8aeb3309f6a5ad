"""The controller: what happens to a painting.

A *painting* is one photo being (or having been) turned into a picture. This room knows which moves a painting may make
(queued, painting, paused, recovering, finished, failed, cancelled), in which order paintings are painted, which *easel*
paints which of them, and which *viewers* look on. An easel is one child process holding one loaded model; it may die,
and its painting then goes on from its last checkpoint on the next one.

The core is plain data and plain functions: it decides, and touches neither sockets nor clocks nor files. What it
decides is carried out at the edge of the room, where the child processes and their pipes are.

Imports: the controller uses ``model`` and ``gallery`` and is used by ``server``, which reaches the model's settings and
refusals through here. A keras backend is loaded in an easel only, never in the process that serves the page.
"""

from __future__ import annotations

from controller.easels import Setup
from controller.frame import Cut, Format
from controller.order import Order
from controller.painting import Painting
from controller.style_transfer_controller import StyleTransferController
from model.errors import Refusal
from model.recipe import settings

SETTINGS = settings()

__all__ = ["SETTINGS", "Cut", "Format", "Order", "Painting", "Refusal", "Setup", "StyleTransferController"]
