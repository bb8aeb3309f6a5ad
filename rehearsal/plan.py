"""What is rehearsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

BRISK: Mapping[str, str] = {"Deadline": "1800", "IdleStop": "60", "IdleEnd": "60"}
"""Parameters of the template that are not as it has them, so that a studio's end can be seen, too."""


@dataclass(frozen=True)
class Plan:
    """Everything that can be chosen."""

    port: int = 8080
    boot_seconds: float = 40.0
    engine: str = "patches"
    faults: Sequence[str] = ()
    claim: float | None = None  # seconds for which a studio that has died keeps a painting, if not as long as usual
    parameters: Mapping[str, str] = field(default_factory=lambda: BRISK)
