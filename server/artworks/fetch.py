"""The bytes of a picture, from a file or from an address on the web."""

from __future__ import annotations

import re
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from server.artworks.errors import Declined

MOST = 100_000_000
PATIENCE = 20.0
"""Seconds without a sign from the other side."""

# Museums' servers refuse who does not say what they are.
AGENT = "VisualNeurons/0.1 (adds one picture to a collection)"


def fetch(place: str) -> bytes:
    """The bytes at `place`, a path or a URL."""
    if scheme := re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", place):
        if scheme[1].lower() not in ("http", "https"):
            raise Declined(f"{place} is not on the web.", "Give an address that begins https://, or a path.")
        return _from_web(place)
    path = Path(place).expanduser()
    try:
        size = path.stat().st_size
        if size > MOST:
            raise _too_large(place, size)
        return path.read_bytes()
    except OSError as error:
        problem = f"{place} cannot be read: {error.strerror}."
        raise Declined(problem, "Give the path of a picture, or an address that begins https://.") from None


def _from_web(url: str) -> bytes:
    try:
        with urlopen(Request(url, headers={"User-Agent": AGENT}), timeout=PATIENCE) as answer:
            return _body(url, answer)
    except HTTPError as error:
        with error:
            problem = f"{url} was answered with {error.code} {error.reason}."
        raise Declined(problem, "Open it in a browser, and copy the picture's own address.") from None
    except (OSError, HTTPException, ValueError) as error:
        problem = f"{url} cannot be had: {_reason(error)}."
        raise Declined(problem, "Check the address and the connection, or save the file first.") from None


def _body(url: str, answer: HTTPResponse) -> bytes:
    told = answer.headers.get("Content-Length", "")
    if told.isdecimal() and int(told) > MOST:
        raise _too_large(url, int(told))
    if answer.headers.get_content_type() == "text/html":
        problem = f"{url} is a web page, not a picture."
        raise Declined(problem, "Open it in a browser, and copy the picture's own address.")
    body = answer.read(MOST + 1)
    if len(body) > MOST:
        raise _too_large(url, len(body))
    if told.isdecimal() and len(body) < int(told):
        problem = f"{url} broke off after {len(body):,} of {int(told):,} bytes."
        raise Declined(problem, "Try again, or save the file first.")
    return body


def _too_large(place: str, size: int) -> Declined:
    problem = f"{place} has {max(size, MOST + 1) / 1e6:,.1f} MB; {MOST / 1e6:,.0f} MB are the most."
    return Declined(problem, "Choose a smaller size of it: 1280 pixels are enough.")


def _reason(error: Exception) -> str:
    """An error in words, without its number."""
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        return _reason(error.reason)
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
