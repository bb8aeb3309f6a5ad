"""The limits that keep one visitor from taking everything, each declared once, and the counting behind them.

The command line and the documentation read names, defaults, units and descriptions from here.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any


@dataclass(frozen=True)
class Limit:
    """What a person may know of one limit."""

    description: str
    low: float
    high: float
    unit: str = ""


def _limit(default: float, description: str, **more: Any) -> Any:
    return field(default=default, metadata={"limit": Limit(description, **more)})


@dataclass(frozen=True)
class Limits:
    """What a visitor may take. A whole number by default is a whole number always."""

    message: float = _limit(32.0, "most that a message or an upload may have", unit="MiB", low=0.1, high=400)
    pixels: float = _limit(
        50.0, "most pixels that a photo or an artwork may have", unit="megapixels", low=0.001, high=50
    )
    queue: int = _limit(100, "most paintings that may wait for an easel", low=0, high=10_000)
    paintings: int = _limit(20, "most unfinished paintings that one address may have", low=1, high=10_000)
    sockets: int = _limit(100, "most sockets that one address may hold open", low=1, high=100_000)
    rate: float = _limit(
        20.0,
        "most messages that one socket may send for long; at once it may send twice as many",
        unit="a second",
        low=0.1,
        high=10_000,
    )
    idle: float = _limit(
        600.0, "longest that a socket without a painting may say nothing", unit="seconds", low=0.1, high=86_400
    )
    unread: float = _limit(
        60.0, "longest that a viewer may leave a frame untaken", unit="seconds", low=0.1, high=86_400
    )
    disk: float = _limit(10.0, "most room that the gallery may take", unit="GiB", low=0.001, high=1_000_000)
    age: float = _limit(30.0, "longest that a painting is kept", unit="days", low=0.001, high=36_500)

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Limits:
        """The limits that the options of `add_arguments` ask for."""
        return cls(**{name: getattr(arguments, f"limit_{name}") for name in limits()})


def limits() -> dict[str, Limit]:
    """Every limit by name."""
    return {each.name: each.metadata["limit"] for each in fields(Limits)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add an option for each limit to `parser`."""
    group = parser.add_argument_group("limits")
    for name, limit in limits().items():
        default = getattr(Limits(), name)
        group.add_argument(
            f"--limit-{name}",
            type=_reader(limit, type(default)),
            default=default,
            metavar="N",
            help=f"{limit.description} (default: {default:g} {limit.unit}".rstrip() + ")",
        )


def _reader(limit: Limit, kind: type[int] | type[float]) -> Callable[[str], float]:
    """What reads the text of an option."""
    whole = "whole " if kind is int else ""
    allowed = f"a {whole}number from {limit.low:,.12g} to {limit.high:,.12g} {limit.unit}".rstrip()

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not limit.low <= value <= limit.high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a limit: it must be {allowed}")
        return value

    return read


class Rate:
    """How often one socket may do something: `per_second` for long, twice as often at once (a token bucket)."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._most = max(1.0, 2 * per_second)
        self._tokens = self._most
        self._clock = clock
        self._filled = clock()

    def take(self) -> bool:
        """Whether it may be done once more now, which then counts."""
        now = self._clock()
        self._tokens = min(self._most, self._tokens + (now - self._filled) * self._per_second)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Counts:
    """How many of something each address has, at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    def take(self, address: str) -> bool:
        """Whether `address` may have one more, which then counts until it is released."""
        party = neighbourhood(address)
        if self._taken[party] >= self._most:
            return False
        self._taken[party] += 1
        return True

    def release(self, address: str) -> None:
        """Give back one that `address` has taken."""
        party = neighbourhood(address)
        self._taken[party] -= 1
        if self._taken[party] <= 0:
            del self._taken[party]


def neighbourhood(address: str) -> str:
    """Whom an address counts for: an IPv4 address for itself, an IPv6 address for its /64, which one household has."""
    try:
        number = ip_address(address)
    except ValueError:
        return address  # of a Unix socket, for one
    if not isinstance(number, IPv6Address):
        return str(number)
    if number.ipv4_mapped:
        return str(number.ipv4_mapped)
    return str(IPv6Network((int(number), 64), strict=False))
