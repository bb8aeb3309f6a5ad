"""Who may talk to the server from a browser: its own pages, and those of the sites it was told of.

A browser says in `Origin` whose page is asking. It does not for what a page merely reads from its own site, and a site
can have its own name lead to 127.0.0.1 (DNS rebinding): a server that only this machine can reach therefore also wants
to be asked for by a name of this machine.
"""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from controller import Refusal

LONGEST_SHOWN = 100  # characters of what a stranger calls himself

_PORTS = {"http": 80, "https": 443}
_FORM = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)


class Origin(NamedTuple):
    """Where a page comes from. IPv6 numbers are without their brackets."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != _PORTS[self.scheme] else "")


def parse(text: str) -> Origin | None:
    """The origin that `text` is, in its plain form; None if it is none ("null", for one)."""
    match = _FORM.fullmatch(text)
    if not match:
        return None
    scheme, host = match[1].lower(), match[2].lower()
    port = int(match[3]) if match[3] else _PORTS[scheme]
    if not 0 < port <= 65535:
        return None
    if host.startswith("["):
        try:
            host = IPv6Address(host[1:-1]).compressed
        except ValueError:
            return None
    return Origin(scheme, host, port)


def read_origin(text: str) -> Origin:
    """The origin that a person writes as an option, for argparse."""
    origin = parse(text.removesuffix("/"))
    if origin is None:
        raise ArgumentTypeError(
            f"{text!r} is not an origin: it must be a scheme, a host and, if need be, a port, and nothing else, "
            "for example https://example.com or http://192.0.2.1:8080"
        )
    return origin


def is_loopback(host: str) -> bool:
    """Whether a name or number is of this machine only."""
    try:
        number = ip_address(host)
    except ValueError:
        name = host.lower().removesuffix(".")
        return name == "localhost" or name.endswith(".localhost")
    if isinstance(number, IPv6Address) and number.ipv4_mapped:
        return number.ipv4_mapped.is_loopback
    return number.is_loopback


class Origins:
    """The door for pages: those of the server itself and of `configured` origins."""

    def __init__(self, configured: Iterable[Origin] = (), *, loopback: bool) -> None:
        """Take the origins that are let in beside our own, and whether only this machine can reach the server."""
        self._configured = frozenset(configured)
        self._names = {origin.host for origin in self._configured}
        self._loopback = loopback

    def check(self, origin: str | None, scheme: str, host: str) -> None:
        """Refuse a request for `scheme`://`host` (the `Host` header) by a page that may not make it.

        A request with no `origin` is not a page's, or reads from its own site.
        """
        own = parse(f"{scheme}://{host}")
        if origin is not None:
            page = parse(origin)
            allowed = page in self._configured or (page is not None and page == own and self._is_ours(page.host))
            asking, shown = page, origin
        else:
            # With no `Host` at all it is no browser.
            names_us = own is not None and (self._is_ours(own.host) or own.host in self._names)
            allowed = not self._loopback or not host or names_us
            asking, shown = own, host
        if not allowed:
            raise _refusal(asking, shown)

    def _is_ours(self, host: str) -> bool:
        """Whether no stranger can have made this name lead here."""
        return not self._loopback or is_loopback(host)


def _refusal(page: Origin | None, text: str) -> Refusal:
    shown = str(page or text)[:LONGEST_SHOWN]
    problem = f"Pages of {shown!r} may not talk to this studio."
    option = f", or start it with --origin {shown}" if page else ""
    return Refusal("origin_refused", problem, f"Open the studio's own page{option}.")
