"""The controller: what happens to a painting.

A *painting* is one photo being (or having been) turned into a picture. This room knows which moves a painting may make
(queued, painting, paused, recovering, finished, failed, cancelled), in which order paintings are painted, which *easel*
paints which of them, and which *viewers* look on. An easel is one child process holding one loaded model; it may die,
and its painting then goes on from its last checkpoint on the next one.

The core is plain data and plain rules, which touch neither sockets nor clocks nor files:

=========================  ==========================================================================================
``controller.states``      the states of a painting, and the one table of moves between them
``controller.painting``    a painting, as the studio knows it and the gallery keeps it
``controller.studio``      which painting is in which state, whose turn it is, on which easel: `Studio`
``controller.audience``    which viewer is ready for a frame, and which frames are worth making
``controller.timeline``    which iterations are kept, to look back on and to go back to
``controller.frame``       a frame as it goes over the wire and into the gallery
``controller.order``       what somebody asks to have painted, decoded and checked
=========================  ==========================================================================================

What it decides is carried out at the edge of the room:

============================================  =======================================================================
``controller.style_transfer_controller``      `StyleTransferController`: the one that the server talks to
``controller.keeper``, ``lanes``, ``films``   into the gallery and out of it, in order, without keeping anybody waiting
``controller.viewing``                        frames to viewers
``controller.easels``, ``process``            child processes: started, listened to, minded, brought back
``controller.messages``                       what the studio and its easels say to each other through a pipe
``controller.easel``, ``scribe``              the other end of the pipe: paints; makes frames and checkpoints meanwhile
``controller.metrics``                        what is counted of all this
============================================  =======================================================================

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
