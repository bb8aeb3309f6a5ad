"""The one table of refusals that can reach a visitor, over the socket as over HTTP.

A refusal whose code is not here is no visitor's business (it may name files of this machine): it is told as
`server_error`, and the log has the rest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from controller import Refusal


class Entry(NamedTuple):
    """What goes with a code: its HTTP status, when it is met, and in how many seconds to try again, if that helps."""

    status: int
    when: str
    retry_after: int | None = None


CODES: dict[str, Entry] = {
    # What was sent
    "message_invalid": Entry(400, "a message is not JSON, or not an object with an action"),
    "message_large": Entry(413, "a message or an upload is larger than the server takes"),
    "messages_many": Entry(429, "a socket sends messages faster than the server takes them", retry_after=1),
    "action_unknown": Entry(400, "a message asks for an action that there is not"),
    "field_invalid": Entry(400, "a field is missing, unknown or of the wrong kind"),
    "setting_invalid": Entry(400, "a setting of the recipe is of the wrong kind or out of its range"),
    "recipe_invalid": Entry(400, "the settings of a recipe do not fit one another or the pictures"),
    "change_invalid": Entry(400, "a setting cannot be changed while painting"),
    "iterations_many": Entry(400, "a painting would have more iterations than one may"),
    "format_unknown": Entry(400, "a picture or timelapse is asked for in a format that there is not"),
    # Pictures
    "picture_empty": Entry(400, "a picture has no bytes"),
    "picture_unreadable": Entry(400, "a file is not a picture, or is damaged, or of a kind that cannot be read"),
    "picture_truncated": Entry(400, "a picture is cut off"),
    "picture_vector": Entry(400, "a picture is a drawing without pixels"),
    "picture_too_small": Entry(400, "a picture has too few pixels to paint"),
    "picture_too_narrow": Entry(400, "a picture is too narrow to paint"),
    "picture_too_large": Entry(413, "a picture has more pixels, or takes more memory or work, than one may"),
    "artwork_missing": Entry(400, "there is no artwork to paint from"),
    "artwork_unknown": Entry(404, "the artwork is not in the collection"),
    "artworks_many": Entry(400, "there are more artworks than can be blended"),
    # A painting
    "painting_id_invalid": Entry(400, "a painting's id is not of the form that ids have"),
    "painting_unknown": Entry(404, "there is no painting with this id"),
    "painting_busy": Entry(409, "the socket already has a painting"),
    "key_wrong": Entry(403, "the painting's key is missing or wrong, and only its owner may do this"),
    "painting_elsewhere": Entry(409, "another studio has the painting", retry_after=10),
    "move_illegal": Entry(409, "the painting's state does not allow the move"),
    "painting_cancelled": Entry(409, "the painting that is watched was cancelled by its owner"),
    "painting_deadly": Entry(500, "the painting has ended its easel too often, and is given up"),
    "picture_none": Entry(409, "nothing is painted yet"),
    "timelapse_empty": Entry(409, "no frame is kept yet to make a timelapse of"),
    "checkpoint_unfit": Entry(409, "a kept checkpoint is of another engine, or does not fit its painting"),
    "checkpoint_unreadable": Entry(500, "a kept checkpoint is damaged"),
    "checkpoint_version": Entry(409, "a kept checkpoint was made by another version of the program"),
    "engine_unavailable": Entry(409, "the engine is not loaded here"),
    "engine_other": Entry(409, "the recipe is for another engine than the one that is loaded"),
    "weights_other": Entry(409, "the recipe is for other weights than those that are loaded"),
    # The studio
    "queue_full": Entry(503, "as many paintings wait as may", retry_after=30),
    "paintings_many": Entry(429, "one address has as many unfinished paintings as it may", retry_after=30),
    "sockets_many": Entry(429, "one address has as many sockets open as it may", retry_after=10),
    "disk_full": Entry(507, "there is no room to keep another painting"),
    "gallery_unavailable": Entry(503, "the place where paintings are kept does not answer", retry_after=10),
    "studio_leaving": Entry(503, "the studio is about to end and takes no more", retry_after=10),
    "studio_broken": Entry(503, "no easel can be brought back"),
    # Who asks, and where
    "ticket_missing": Entry(401, "the studio asks for a ticket, and none came"),
    "ticket_invalid": Entry(401, "the ticket was not made for this studio or painting, or not well"),
    "ticket_expired": Entry(401, "the ticket's time is over"),
    "ticket_used": Entry(401, "the ticket has let somebody in before"),
    "edge_missing": Entry(403, "a studio in the cloud is entered otherwise than by its site"),
    "origin_refused": Entry(403, "a page of another site, or under another name, talks to this server"),
    "not_found": Entry(404, "there is nothing at this address"),
    "method_unknown": Entry(405, "the address does not answer to this method"),
    "server_error": Entry(500, "something went wrong that is not the visitor's doing"),
}


def envelope(refusal: Refusal) -> dict[str, Any]:
    """The refusal as it is sent: a message on the socket, the body over HTTP."""
    if refusal.code not in CODES:
        refusal = unexpected()
    return {"state": "error", "data": {"code": refusal.code, "message": refusal.message, "hint": refusal.hint}}


def status(code: str) -> int:
    """The HTTP status of a refusal with this code."""
    return CODES.get(code, CODES["server_error"]).status


def retry_after(code: str) -> int | None:
    """In how many seconds it makes sense to try again, if it does."""
    return CODES[code].retry_after if code in CODES else None


def unexpected() -> Refusal:
    """What a visitor is told of an error that nobody foresaw."""
    problem = "Something went wrong in the studio, and it is not your doing."
    return Refusal("server_error", problem, "Try again; if it stays so, tell whoever runs the studio.")
