"""What all handlers share: who is let in, and how a refusal is answered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from controller import Refusal
from server.errors import envelope, retry_after, status, unexpected
from server.headers import SafeHandler
from server.limits import neighbourhood
from server.metrics import ERRORS

if TYPE_CHECKING:
    from server.entrance import Entrance

logger = logging.getLogger(__name__)


class Handler(SafeHandler):
    """A handler that knows the entrance, and answers every error with the one envelope."""

    def initialize(self, entrance: Entrance) -> None:
        """Take the entrance."""
        self.entrance = entrance

    def prepare(self) -> None:
        """Let in only whom the entrance lets in."""
        request = self.request
        self.check_edge()
        self.entrance.origins.check(request.headers.get("Origin"), request.protocol, request.headers.get("Host", ""))

    def check_edge(self) -> None:
        """Refuse what has to come by the edge and does not."""
        if self.entrance.edge:
            self.entrance.edge.check(self.request.headers)

    @property
    def address(self) -> str:
        """Whom the request counts for."""
        peer = self.request.remote_ip or ""
        return neighbourhood(self.entrance.edge.viewer(self.request.headers, peer) if self.entrance.edge else peer)

    def admit(self, painting: str | None = None, reads: bool = False) -> str | None:
        """Refuse whoever has no ticket, where one is needed; return the painting it is for, if it is for one only.

        It has to be for `painting`, if one is named already, and is not used up by who only `reads`.
        """
        tickets = self.entrance.tickets
        return tickets.admit(self.get_query_argument("ticket", None), painting, reads).painting if tickets else None

    @staticmethod
    def check_ticket(ticket: str | None, painting: str) -> None:
        """Refuse whoever came for one painting and asks for another."""
        if ticket is not None and ticket != painting:
            problem = "The ticket is for another painting."
            raise Refusal("ticket_invalid", problem, "Start again from the page that gave it: it gives another.")

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """An argument as text: what is none is not what anything here is called, and is refused where it is used."""
        return value.decode("utf-8", "replace")

    def write_error(self, status_code: int, **more: Any) -> None:
        """Answer with the envelope."""
        error = more["exc_info"][1] if "exc_info" in more else None
        if isinstance(error, Refusal):
            refusal = error
        elif status_code == 404:
            refusal = Refusal("not_found", "There is nothing at this address.", "The page is at /.")
        elif status_code == 405:
            problem = f"This address does not answer to {self.request.method}."
            refusal = Refusal("method_unknown", problem, "The protocol's page says what does.")
        elif 400 <= status_code < 500:
            refusal = Refusal("message_invalid", f"{error or self._reason}.", "Mend the request.")
        else:
            refusal = unexpected()
        self.refuse(refusal, keep_status=not isinstance(error, Refusal))

    def refuse(self, refusal: Refusal, keep_status: bool = False) -> None:
        """Answer with a refusal."""
        told = envelope(refusal)
        code = told["data"]["code"]
        ERRORS.labels(code).inc()
        if not keep_status:
            self.set_status(status(code))
        if seconds := retry_after(code):
            self.set_header("Retry-After", str(seconds))
        self.set_header("Cache-Control", "no-store")
        self.finish(told)

    def log_exception(self, *error: Any) -> None:
        """A refusal is no fault of ours."""
        if not isinstance(error[1], Refusal):
            super().log_exception(*error)


class NothingHandler(Handler):
    """Answers every address that nothing else answers to."""

    def prepare(self) -> None:
        """Say so, whatever the method."""
        self.check_edge()
        raise Refusal("not_found", "There is nothing at this address.", "The page is at /.")
