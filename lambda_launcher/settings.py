"""What the template sets for the Lambdas, read from their environment in this one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GRACE = 300
"""Seconds past its deadline that a studio's end may take, the reaper being late or lost: they are reserved, too."""


@dataclass(frozen=True)
class Settings:
    """How studios are launched, how long they live and what they may cost. Lengths of time are in seconds."""

    table: str
    launch_template: str
    launch_template_version: str  # that was deployed with these settings: what a machine is told goes with them
    subnets: tuple[str, ...]
    types: tuple[str, ...]  # in order of choice
    ticket_key: str  # the ARN of the secret that signs tickets
    daily_seconds: int  # of GPUs, for all
    address_seconds: int  # of GPUs a day, for one address
    max_studios: int  # that run at once
    deadline: int  # that a studio may run at most
    idle_stop: int  # without a visitor's doing anything, after which a studio stops; 0: it ends with what it paints
    idle_end: int  # stopped, after which it is ended for good
    fill_seconds: int  # of a GPU, that cost as much as the filling of a new machine's disk
    stack: str
    gallery: str  # where paintings are kept, as studios are told: s3://BUCKET/PREFIX?table=NAME

    def check(self) -> None:
        """Refuse what would never launch anything; what runs is ended all the same."""
        least = self.reservation
        for name, value in (("DAILY_SECONDS", self.daily_seconds), ("ADDRESS_SECONDS", self.address_seconds)):
            if value < least:
                parts = f"{self.deadline} s to live, {GRACE} s to end and {self.fill_seconds} s for its disk"
                reason = f"a new studio may take {least} s, of which {parts}"
                raise ValueError(f"{name} is {value}, with which nothing can be launched: {reason}.")
        for name, count in (
            ("MAX_STUDIOS", self.max_studios),
            ("SUBNETS", len(self.subnets)),
            ("TYPES", len(self.types)),
        ):
            if count < 1:
                raise ValueError(f"{name} must name at least one.")

    @property
    def longest(self) -> int:
        """The seconds that one run can take at most; they are reserved before it."""
        return self.deadline + GRACE

    @property
    def reservation(self) -> int:
        """What is reserved before a new machine runs, whose disk has to be filled."""
        return self.longest + self.fill_seconds

    @property
    def pools(self) -> tuple[tuple[str, str], ...]:
        """Each type in each subnet, in order of choice: where there may be a machine when elsewhere there is none."""
        return tuple((kind, subnet) for kind in self.types for subnet in self.subnets)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """The settings of a Lambda."""

        def text(name: str) -> str:
            try:
                return environment[name]
            except KeyError:
                raise ValueError(f"The environment of the Lambda lacks {name}: the template sets it.") from None

        def number(name: str) -> int:
            try:
                return int(text(name))
            except ValueError as error:
                raise ValueError(f"{name} is not a whole number: {error}") from error

        def several(name: str) -> tuple[str, ...]:
            return tuple(each.strip() for each in text(name).split(",") if each.strip())

        return cls(
            table=text("TABLE"),
            launch_template=text("LAUNCH_TEMPLATE"),
            launch_template_version=text("LAUNCH_TEMPLATE_VERSION"),
            subnets=several("SUBNETS"),
            types=several("TYPES"),
            ticket_key=text("TICKET_KEY"),
            daily_seconds=number("DAILY_SECONDS"),
            address_seconds=number("ADDRESS_SECONDS"),
            max_studios=number("MAX_STUDIOS"),
            deadline=number("DEADLINE"),
            idle_stop=number("IDLE_STOP"),
            idle_end=number("IDLE_END"),
            fill_seconds=number("FILL_SECONDS"),
            stack=text("STACK"),
            gallery=text("GALLERY"),
        )
