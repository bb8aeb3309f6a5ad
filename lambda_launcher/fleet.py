"""The fleet: the machines of ours that there are, whatever the table says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Pool = tuple[str, str]
"""A type in a subnet."""

Power = Literal["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]
GONE: frozenset[Power] = frozenset({"shutting-down", "terminated"})

QUOTA = "L-DB2E81BA"
QUOTA_NAME = "Running On-Demand G and VT instances"
"""What an account may run of machines with GPUs: one number of virtual CPUs for all their types and zones."""


@dataclass(frozen=True)
class Instance:
    """A machine, and the studio it was started for."""

    id: str
    studio: str
    type: str
    subnet: str
    power: Power


class Refused(Exception):
    """The machine is not to be had, and was not started: these pools refused it (none are named: for another reason).

    The others have not been tried.
    """

    def __init__(self, reason: str, pools: Iterable[Pool] = ()) -> None:
        super().__init__(reason)
        self.pools = tuple(pools)


class Throttled(Refused):
    """Too much was asked for at this moment, and nothing was started."""


class OverQuota(Refused):
    """The account may run no other machine, wherever it is asked for, and nothing was started."""


class NoImage(Refused):
    """There is no image yet that machines can be made from."""


class Unclear(Exception):
    """No answer came: the machine may have been started or not."""


class Fleet(Protocol):
    """What can be done with machines."""

    def launch(self, studio: str, pools: Sequence[Pool]) -> tuple[Instance, Sequence[Pool]]:
        """Start a new machine in the first of `pools` that has one, and say which refused; only some may be tried."""

    def start(self, instance: str, pool: Pool) -> None:
        """Start a stopped machine."""

    def stop(self, instance: str) -> None:
        """Stop a machine; it is no error if it does not run."""

    def end(self, instance: str) -> None:
        """End a machine for good; it is no error if there is none."""

    def instances(self) -> Sequence[Instance]:
        """All machines of ours. One that was started within the last seconds may be missing."""
