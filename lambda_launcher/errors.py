"""What the launcher refuses: each refusal has a code from one table, a sentence for people, and a hint what to do."""

from __future__ import annotations

from typing import Any, NamedTuple


class Entry(NamedTuple):
    """What goes with a code: its HTTP status, and when it is met."""

    status: int
    when: str


CODES: dict[str, Entry] = {
    "field_invalid": Entry(400, "a field is missing or of the wrong kind"),
    "painting_id_invalid": Entry(400, "a painting's id is not of the form that ids have"),
    "edge_missing": Entry(403, "the launcher is asked otherwise than by its site"),
    "key_wrong": Entry(403, "the key is missing or wrong, and only who launched the studio, or painted, may do this"),
    "painting_unknown": Entry(404, "there is no painting with this id"),
    "studio_unknown": Entry(404, "there is no studio with this id"),
    "not_found": Entry(404, "there is nothing at this address"),
    "studio_busy": Entry(409, "paintings are in the studio, or on their way there"),
    "painting_elsewhere": Entry(409, "a studio has the painting, and only there it can be forgotten"),
    "studio_ended": Entry(410, "the studio that was waited for has ended"),
    "address_spent": Entry(429, "one address has launched as much as it may today"),
    "server_error": Entry(500, "something went wrong that is not the visitor's doing"),
    "budget_spent": Entry(503, "the day's budget is spent or reserved"),
    "capacity_none": Entry(503, "there is no machine with a GPU to be had"),
    "studios_broken": Entry(503, "the last studios ended before they were ready, and no other is launched for a while"),
    "image_none": Entry(503, "the first image that machines are made from is still being made"),
    "quota_spent": Entry(503, "the account may run no more machines with GPUs"),
    "studios_many": Entry(503, "as many studios run as may, and their queues are long"),
    "launcher_busy": Entry(503, "too many ask at the same moment"),
    "cloud_unavailable": Entry(503, "the cloud does not answer, or refuses what it should not"),
}


class Refusal(Exception):
    """What was asked for cannot be done; it may make sense to ask again in `retry_after` seconds."""

    def __init__(self, code: str, message: str, hint: str, retry_after: int | None = None) -> None:
        super().__init__(f"{message} {hint}")
        self.code = code
        self.message = message
        self.hint = hint
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        """The HTTP status that goes with it."""
        return CODES[self.code].status

    @property
    def envelope(self) -> dict[str, Any]:
        """The refusal as it is sent."""
        return {"state": "error", "data": {"code": self.code, "message": self.message, "hint": self.hint}}


def unexpected() -> Refusal:
    """What a visitor is told of an error that nobody foresaw."""
    problem = "Something went wrong in the launcher, and it is not your doing."
    return Refusal("server_error", problem, "Try again; if it stays so, tell whoever runs this site.")
