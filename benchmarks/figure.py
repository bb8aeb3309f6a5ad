"""A measured figure, and the target it is held to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A figure has to be at least, or at most, so much."""

    limit: float
    least: bool

    def met_by(self, value: float) -> bool:
        """Whether `value` is good enough."""
        return value >= self.limit if self.least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.limit:g}"


@dataclass(frozen=True)
class Figure:
    """One row of the table."""

    name: str
    value: float
    unit: str
    target: Target | None = None


def at_least(limit: float) -> Target:
    """A figure that has to be large."""
    return Target(limit, least=True)


def at_most(limit: float) -> Target:
    """A figure that has to be small."""
    return Target(limit, least=False)
