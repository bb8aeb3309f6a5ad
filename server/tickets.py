"""Tickets: short-lived signed permissions (JWT, HS256) to enter this studio, each of them once.

A ticket claims `exp` (when it ends) and `jti` (its own name). It may claim `painting` (the one it is for; else it is
for any), `host` (the studio it is for), `iat` and `nbf` (when it begins). Whoever launches studios signs it.
"""

from __future__ import annotations

import heapq
import logging
import math
import os
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from controller import Refusal

logger = logging.getLogger(__name__)

SHORTEST_KEY = 32  # bytes: as long as what HS256 makes of it (RFC 7518, 3.2)
LONGEST_LIFE = 600  # seconds
LEEWAY = 5  # seconds by which two clocks may differ
LONGEST_TICKET = 4096  # characters
LONGEST_NAME = 128  # characters

_ANOTHER = "Start again from the page that gave it: it gives another."


@dataclass(frozen=True)
class Claims:
    """What a ticket that was admitted says."""

    id: str
    painting: str | None  # None: any


class Tickets:
    """The door: admits each ticket that was signed with `key` once, while it is valid."""

    def __init__(self, key: bytes, host: str = "", clock: Callable[[], float] = time.time) -> None:
        """Take the key, the studio's own name if it knows it (tickets then have to be for it), and a wall clock."""
        if problem := _problem(key):
            raise ValueError(f"The ticket key {problem}.")
        self._key = key
        self._host = host
        self._clock = clock
        self._used = _Used()

    def admit(self, token: str | None, painting: str | None, reads: bool = False) -> Claims:
        """Admit the bearer of `token`, who asks for `painting` (None: for no particular one yet), or refuse.

        Who only `reads` does not use it up: browsers and what is between may ask again for what they read.
        """
        if not token:
            problem = "This studio asks for a ticket, and none came."
            raise Refusal("ticket_missing", problem, "Start from the page that launches studios: it gives one.")
        claims = self._signed(token)
        now = self._clock()
        ends, name = _moment(claims, "exp"), claims.get("jti")
        if ends is None:
            raise _invalid("it does not say when it ends")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            raise _invalid(f"it has no name (jti) of 1 to {LONGEST_NAME} characters")
        begins = [moment for claim in ("iat", "nbf") if (moment := _moment(claims, claim)) is not None]
        if max(begins, default=now) > now + LEEWAY:
            raise _invalid(f"it is valid only in {max(begins) - now:.0f} seconds")
        if ends - min([now, *begins]) > LONGEST_LIFE + LEEWAY:
            raise _invalid(f"it is valid for longer than {LONGEST_LIFE} seconds")
        self._check_place(claims, painting)
        if ends + LEEWAY <= now:
            problem = f"The ticket ended {now - ends:.0f} seconds ago."
            raise Refusal("ticket_expired", problem, _ANOTHER)
        self._used.check(name, ends, now)
        if not reads:
            self._used.take(name, ends)
        return Claims(name, claims.get("painting"))

    def _signed(self, token: str) -> Mapping[str, Any]:
        """The claims of a ticket whose signature is right, whatever they are."""
        if len(token) > LONGEST_TICKET:
            raise _invalid(f"it is longer than {LONGEST_TICKET} characters")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],  # whatever the ticket says of itself, be it "none" or RS256
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},  # by our own clock, later
            )
        except jwt.InvalidSignatureError as error:
            raise _invalid("it was signed with another key") from error
        # What is nested deeply is too much for json, and half a character for base64.
        except (jwt.PyJWTError, RecursionError, UnicodeError) as error:
            raise _invalid("it is not a token (JWT) signed with HS256") from error
        return claims

    def _check_place(self, claims: Mapping[str, Any], painting: str | None) -> None:
        """Refuse a ticket for another studio or painting."""
        wanted = claims.get("painting")
        if not isinstance(wanted, str | None):
            raise _invalid("the painting it is for is not text")
        if wanted is not None and painting is not None and wanted != painting:
            raise _invalid("it is for another painting")
        host = claims.get("host")
        if self._host and (not isinstance(host, str) or host.lower() != self._host.lower()):
            raise _invalid("it is for another studio")


class _Used:
    """The tickets that were used, remembered until they end.

    A wall clock may go back, and make what has ended (and was forgotten) valid again. So the latest end of all that was
    forgotten is kept, and a ticket that ends no later is taken for used: whatever the clock does, none counts twice.
    """

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._by_end: list[tuple[float, str]] = []
        self._forgotten = -math.inf

    def check(self, name: str, ends: float, now: float) -> None:
        """Refuse a ticket that was used."""
        while self._by_end and self._by_end[0][0] + LEEWAY <= now:
            self._forgotten, name_of_ended = heapq.heappop(self._by_end)
            self._names.remove(name_of_ended)
        if name in self._names or ends <= self._forgotten:
            raise Refusal("ticket_used", "The ticket has been used, and it lets in once.", _ANOTHER)

    def take(self, name: str, ends: float) -> None:
        """Use a ticket up."""
        self._names.add(name)
        heapq.heappush(self._by_end, (ends, name))


def read_key(path: str) -> bytes:
    """The key in the file at `path`, for argparse: one line of text, so that it can be pasted into other places."""
    making = "Make one with: openssl rand -hex 32"
    try:
        key = Path(path).read_bytes().strip()
        mode = Path(path).stat().st_mode
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ArgumentTypeError(f"the ticket key {path!r} cannot be read: {reason}. {making}") from error
    if any(byte <= 0x20 or byte >= 0x7F for byte in key):
        raise ArgumentTypeError(f"the ticket key {path!r} is not one line of plain characters. {making}")
    if problem := _problem(key):
        raise ArgumentTypeError(f"the ticket key {path!r} {problem}. {making}")
    if os.name == "posix" and mode & 0o077:
        logger.warning("others on this machine may read the ticket key", extra={"facts": {"path": path}})
    return key


def _problem(key: bytes) -> str:
    """What is wrong with a key; empty if nothing is."""
    return "" if len(key) >= SHORTEST_KEY else f"has {len(key)} bytes and needs at least {SHORTEST_KEY}"


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """A claim that is a moment, in seconds of the wall clock."""
    value = claims.get(name)
    if value is None:
        return None
    # json reads NaN, and whole numbers that no float can hold.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e15 < value < 1e15:
        raise _invalid(f"its {name} is not a moment")
    return float(value)


def _invalid(why: str) -> Refusal:
    return Refusal("ticket_invalid", f"The ticket cannot be used: {why}.", _ANOTHER)
