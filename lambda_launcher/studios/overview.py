"""The studios, as the launcher's table and EC2 know them, and the day's ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambda_launcher import ledger, roll
from lambda_launcher.deploy.artifacts import OURS
from lambda_launcher.deploy.prices import DISK, Prices
from lambda_launcher.ec2 import STUDIO
from lambda_launcher.fleet import GONE
from lambda_launcher.store import Draft, Store
from lambda_launcher.studio import Studio

COLUMNS = ("ID", "PHASE", "TYPE", "ZONE", "SINCE", "IDLE", "BUSY", "BUDGET", "COST")


@dataclass(frozen=True)
class Row:
    """One studio. Lengths of time are in seconds, money is in dollars."""

    id: str
    phase: str
    type: str
    zone: str
    since: float
    idle: float | None
    busy: str
    budget: int
    cost: float | None  # None: the price of its type is not known

    @property
    def cells(self) -> tuple[str, ...]:
        """It as it is shown."""
        idle = "-" if self.idle is None else length(self.idle)
        told = (self.id, self.phase, self.type or "-", self.zone or "-", length(self.since), idle, self.busy)
        return (*told, f"{self.budget} s", "?" if self.cost is None else f"${self.cost:.3f}")


@dataclass(frozen=True)
class Day:
    """What is spent of a day's budget, in GPU-seconds."""

    used: int
    reserved: int
    most: int

    def __str__(self) -> str:
        left = max(0, self.most - self.used - self.reserved)
        return (
            f"Today (UTC): {self.used} GPU-seconds used and {self.reserved} reserved of {self.most}; {left} are left."
        )


def today(store: Store, most: int, now: float) -> Day:
    """What is spent today."""
    item = Draft(store).get(f"ledger#{ledger.day(now)}")
    return Day(item.get("used", 0), item.get("reserved", 0), most)


def rows(store: Store, ec2: Any, stack: str, prices: Prices, now: float) -> list[Row]:
    """All studios that have not ended, and the machines of ours that no studio of the table has."""
    known = roll.studios(Draft(store))
    machines = _machines(ec2, stack)
    zones = _zones(ec2, sorted({each.subnet for each in known if each.subnet}))
    table = [_row(each, zones, prices, now) for each in known]
    theirs = {each.instance for each in known}
    return table + [_orphan(each, prices, now) for each in machines if each["InstanceId"] not in theirs]


def lines(table: Sequence[Row]) -> list[str]:
    """The rows as a table."""
    cells = [COLUMNS, *(row.cells for row in table)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def length(seconds: float) -> str:
    """A length of time."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02} min"


def _row(one: Studio, zones: Mapping[str, str], prices: Prices, now: float) -> Row:
    rests = one.phase == "stopped"
    since = now - (one.left if rests else one.began)
    # The runs before this one are settled in the ledger, and not counted here.
    cost = since / 3600 * DISK if rests else _cost(one.type, since, prices, one.runs == 1) if one.instance else 0.0
    return Row(
        one.id,
        one.phase,
        one.type,
        zones.get(one.subnet, ""),
        since,
        now - one.active if one.active and not rests else None,
        "-" if rests else f"{one.busy} of {one.easels}",
        one.reserved,
        cost,
    )


def _orphan(machine: Any, prices: Prices, now: float) -> Row:
    tags = {tag["Key"]: tag["Value"] for tag in machine.get("Tags", [])}
    since = now - machine["LaunchTime"].timestamp()
    kind, zone = machine["InstanceType"], machine["Placement"]["AvailabilityZone"]
    name = tags.get(STUDIO, machine["InstanceId"])
    return Row(name, "UNKNOWN", kind, zone, since, None, "-", 0, _cost(kind, since, prices, is_new=True))


def _cost(kind: str, seconds: float, prices: Prices, is_new: bool) -> float | None:
    return prices.run(kind, seconds, is_new) if kind in prices else None


def _machines(ec2: Any, stack: str) -> list[Any]:
    pages = ec2.get_paginator("describe_instances").paginate(Filters=[{"Name": f"tag:{OURS}", "Values": [stack]}])
    every = (each for page in pages for some in page["Reservations"] for each in some["Instances"])
    return [each for each in every if each["State"]["Name"] not in GONE]


def _zones(ec2: Any, subnets: Sequence[str]) -> dict[str, str]:
    if not subnets:
        return {}
    described = ec2.describe_subnets(Filters=[{"Name": "subnet-id", "Values": list(subnets)}])["Subnets"]
    return {each["SubnetId"]: each["AvailabilityZone"] for each in described}
