"""A site whose cloud is only numbers: what a test does to it, it does step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.cloud import EmulatedFleet, EmulatedStore, Faults, Machine, World
from lambda_launcher import roll, studio
from lambda_launcher.launcher import Answer, Launcher
from lambda_launcher.reaper import Reaper
from lambda_launcher.settings import Settings
from lambda_launcher.store import Draft
from lambda_launcher.studio import LEASE, Studio

KEY = "0123456789abcdef" * 4
SETTINGS = Settings(
    table="studios",
    launch_template="lt-0",
    launch_template_version="1",
    subnets=("subnet-a", "subnet-b"),
    types=("g6.xlarge", "g5.xlarge"),
    ticket_key="arn",
    daily_seconds=40_000,
    address_seconds=20_000,
    max_studios=3,
    deadline=3600,
    idle_stop=180,
    idle_end=1800,
    fill_seconds=184,
    stack="visualneurons",
    gallery="s3://paintings/gallery?table=paintings",
)


class Site:
    """The launcher and the reaper, with an emulated store and fleet."""

    def __init__(self, faults: Faults | None = None, settings: Settings = SETTINGS) -> None:
        self.world = World(faults or Faults(), seed=0)
        self.store = EmulatedStore(self.world)
        self.asked: list[str] = []
        self.fleet = EmulatedFleet(self.world, lambda machine: None, self.asked.append)
        self._set(settings)

    def _set(self, settings: Settings) -> None:
        self.settings = settings
        self.launcher = Launcher(self.store, self.fleet, settings, lambda: KEY, self.world.clock)
        self.reaper = Reaper(self.store, self.fleet, settings, self.world.clock)

    def deploy(self, **changes: Any) -> None:
        """Set something else, of which machines that there are hear nothing."""
        version = str(int(self.settings.launch_template_version) + 1)
        self._set(replace(self.settings, launch_template_version=version, **changes))

    def launch(self, painting: str, address: str = "192.0.2.1") -> Answer:
        return self.launcher.launch(painting, painting, address, secret(painting))

    def studio(self, id_: str) -> Studio:
        found = roll.get(Draft(self.store), id_)
        assert found
        return found

    def machine(self, id_: str) -> Machine:
        return self.fleet.machines[self.studio(id_).instance]

    def report(self, id_: str, **news: object) -> None:
        """Change what a studio alone knows of itself."""
        item = self.store.items[studio.name(id_)]
        self.store.items[studio.name(id_)] = {
            **item,
            "lease": self.world.now + LEASE,
            **news,
            "version": item["version"] + 1,
        }

    def serve(self, id_: str, **news: object) -> None:
        """Let a studio be ready."""
        ready = {"phase": "ready", "ready": self.world.now, "dns": "ec2-192-0-2-9.example.com", "coming": {}}
        self.report(id_, **{**ready, "active": self.world.now, **news})

    def ready(self, painting: str, **news: object) -> str:
        """The id of a new studio that is ready."""
        id_ = self.launch(painting).id
        self.serve(id_, **news)
        return id_

    def wait(self, seconds: float, renewing: str = "") -> None:
        """Let time pass, the reaper coming once a minute; a studio may renew its lease meanwhile."""
        until = self.world.now + seconds
        while self.world.now < until:
            self.world.pass_until(min(until, self.world.now + 60))
            if renewing:
                self.report(renewing)
            self.reaper.reap()

    def reserved(self) -> int:
        """GPU-seconds that are reserved, for all."""
        ledgers = [
            item for name, item in self.store.items.items() if name.count("#") == 1 and name.startswith("ledger#")
        ]
        return sum(item["reserved"] for item in ledgers)

    def is_over(self) -> bool:
        """Whether nothing runs, is there or is reserved any more."""
        gone = all(machine.power == "terminated" for machine in self.fleet.machines.values())
        return gone and not self.reserved() and not self.store.items.get(roll.ROLL, {}).get("ids")


def secret(painting: str) -> str:
    """What whoever painted it launches studios with, and ends them."""
    return f"secret of {painting}"


def with_settings(**changes: Any) -> Site:
    """A site with other settings."""
    return Site(settings=replace(SETTINGS, **changes))
