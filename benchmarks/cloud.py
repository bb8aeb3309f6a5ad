"""A cloud that is only numbers: a clock, a store, a fleet, and Lambdas that can be lost between any two steps.

The launcher and the reaper run in it unchanged. There is one thread: whenever a Lambda touches the store or the fleet,
time may pass, and whatever else is due by then happens first (other Lambdas, reapers, machines). So requests
interleave at every step, and a schedule is the same each time it is played.
"""

from __future__ import annotations

import copy
import heapq
import itertools
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from lambda_launcher.fleet import GONE, Instance, NoImage, OverQuota, Pool, Power, Refused, Throttled, Unclear
from lambda_launcher.store import Change, Item

T = TypeVar("T")

NESTED = 4  # Lambdas that may be under way at once
TRIED = 3  # pools that EC2 tries for one fleet; what the others have, it does not say


class Failed(Exception):
    """What was asked of the fleet was refused, or done without an answer."""


class Lost(BaseException):
    """The Lambda is no more: no code of its own runs after this. (Not an Exception: no handler may catch it.)"""


@dataclass(frozen=True)
class Faults:
    """How often, of 1, something goes wrong; lengths of time are in seconds."""

    lost: float = 0.0  # Lambdas, at a step by chance
    pauses: float = 0.0  # steps at which time passes
    pause: float = 0.0  # how long, on average
    skew: float = 0.0  # by which clocks differ at most
    unseen: float = 0.0  # for which what happens to machines may not be seen
    refused: float = 0.0  # requests for a machine of which pools refuse
    lacking: float = 0.0  # pools that refuse each time: their zone does not offer the type
    barred: float = 0.0  # requests for a machine that are throttled, over the quota, without an image or not allowed
    unclear: float = 0.0  # requests for a machine that get no answer
    failed: float = 0.0  # other requests to the fleet that are refused; as many again are done, and not answered
    given_up: float = 0.0  # answers upon which a visitor ends the studio that he had launched, and asks anew
    missed: float = 0.0  # passes of the reaper
    doubled: float = 0.0  # requests, and passes of the reaper
    crashed: float = 0.0  # machines that hang, boot not at all, or are taken back
    timerless: float = 0.0  # machines whose own deadline does not work


@dataclass
class _Run:
    """A Lambda under way."""

    until: float
    skew: float
    steps_left: int


@dataclass
class World:
    """Time, and what is due when."""

    faults: Faults
    seed: int
    now: float = 1_800_000_000.0
    invoked: int = 0
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0
    _runs: list[_Run | None] = field(default_factory=lambda: [None])  # None: what happens there is no Lambda's doing

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def chance(self, probability: float) -> bool:
        """Whether it happens this time."""
        return probability > 0 and self.random.random() < probability

    def after(self, seconds: float, happening: Callable[[], None]) -> None:
        """Let something happen later."""
        self._count += 1
        heapq.heappush(self._due, (self.now + max(0.0, seconds), self._count, happening))

    def pass_until(self, moment: float) -> None:
        """Let time pass, and all happen that is due."""
        while self._due and self._due[0][0] <= moment:
            due, _, happening = heapq.heappop(self._due)
            self.now = max(self.now, due)
            self._runs.append(None)
            happening()
            self._runs.pop()
        self.now = max(self.now, moment)

    def skew(self) -> float:
        """By how much one clock is wrong."""
        return self.random.uniform(-self.faults.skew, self.faults.skew)

    def clock(self) -> float:
        """What the Lambda under way takes for the time."""
        run = self._runs[-1]
        return self.now + run.skew if run else self.now

    def invoke(self, work: Callable[[], T], limit: float, steps: int = 10_000) -> T:
        """Run a Lambda, of at most `limit` seconds and so many steps; raise Lost if it does not come to its end."""
        self.invoked += 1
        if self.chance(self.faults.lost):
            steps = self.random.randrange(16)
        self._runs.append(_Run(self.now + limit, self.skew(), steps))
        try:
            return work()
        finally:
            self._runs.pop()

    def step(self) -> None:
        """Between two steps of a Lambda: time may pass, and it may be lost."""
        run = self._runs[-1]
        if run is None:
            return
        if len(self._runs) < 2 * NESTED and self.chance(self.faults.pauses):
            self.pass_until(self.now + self.random.expovariate(1 / self.faults.pause))
        run.steps_left -= 1
        if run.steps_left < 0 or self.now > run.until:
            raise Lost


class EmulatedStore:
    """A store as DynamoDB is one: one reads what was written last, and changes are made together or not at all."""

    def __init__(self, world: World | None = None) -> None:
        self._step = world.step if world else lambda: None
        self.items: dict[str, Item] = {}

    def read(self, names: Collection[str]) -> dict[str, Item]:
        self._step()
        found = {name: copy.deepcopy(self.items[name]) for name in names if name in self.items}
        self._step()
        return found

    def write(self, changes: Sequence[Change]) -> bool:
        self._step()
        if any(self.items.get(name, {}).get("version", 0) != version for name, _, version in changes):
            return False
        for name, item, version in changes:
            self.items[name] = {**copy.deepcopy(item), "version": version + 1}
        self._step()
        return True


BARRED: tuple[Callable[[Sequence[Pool]], Refused], ...] = (
    lambda pools: Throttled("InsufficientInstanceCapacity, RequestLimitExceeded", pools),
    lambda pools: OverQuota("InsufficientInstanceCapacity, VcpuLimitExceeded", pools),
    lambda pools: NoImage("SsmInvalidParameter"),
    lambda pools: Refused("InsufficientInstanceCapacity, UnauthorizedOperation", pools),
)
"""Why EC2 starts nothing though there are machines; some pools may have refused before it says so."""


@dataclass
class Machine:
    """One machine, and all that has happened to it."""

    id: str
    studio: str
    pool: Pool
    born: float
    history: list[tuple[float, Power]]
    runs: list[tuple[float, float]] = field(default_factory=list)  # from when until when it had to be paid for
    boots: int = 0
    answers: Callable[[str, Callable[[], None], Callable[[bool], None]], bool] | None = (
        None  # lets a visitor in with his painting, once it serves
    )

    @property
    def power(self) -> Power:
        """What it is just now."""
        return self.history[-1][1]

    @property
    def is_on(self) -> bool:
        """Whether it has to be paid for."""
        return self.power in ("pending", "running")

    @property
    def dns(self) -> str:
        """Its name, another after each boot."""
        return f"{self.id}-{self.boots}.compute.example"


class EmulatedFleet:
    """A fleet as EC2 is one: it may have no machine, give no answer, and show what has happened a little later."""

    def __init__(self, world: World, booted: Callable[[Machine], None], asked: Callable[[str], None]) -> None:
        """Take what to do when a machine boots, and when one is asked for a studio."""
        self._world = world
        self._booted = booted
        self._asked = asked
        self._lacking: dict[Pool, bool] = {}
        self.machines: dict[str, Machine] = {}

    def launch(self, studio: str, pools: Sequence[Pool]) -> tuple[Instance, Sequence[Pool]]:
        self._world.step()
        faults = self._world.faults
        is_short = self._world.chance(faults.refused)
        refused = list(itertools.takewhile(lambda pool: self._refuses(pool, is_short), pools[:TRIED]))
        if self._world.chance(faults.barred):
            raise self._world.random.choice(BARRED)(refused)
        if len(refused) == len(pools[:TRIED]):
            raise Refused("InsufficientInstanceCapacity, UnfulfillableCapacity", refused)
        unclear = self._world.chance(faults.unclear)
        if unclear and self._world.chance(0.5):
            raise Unclear("no answer")
        pool = pools[len(refused)]
        machine = next((each for each in self.machines.values() if each.studio == studio), None)
        if machine is None:  # else it is the same request once more
            self._asked(studio)
            machine = Machine(f"i-{len(self.machines):08x}", studio, pool, self._world.now, [])
            self.machines[machine.id] = machine
            self._switch_on(machine)
        if unclear:
            raise Unclear("no answer")
        self._world.step()
        return Instance(machine.id, studio, *machine.pool, "pending"), refused

    def start(self, instance: str, pool: Pool) -> None:
        self._world.step()
        machine = self.machines[instance]
        if self._world.chance(self._world.faults.refused):
            raise Refused("InsufficientInstanceCapacity", [pool])
        if self._world.chance(self._world.faults.barred):
            raise self._world.random.choice([Throttled("RequestLimitExceeded"), OverQuota("VcpuLimitExceeded")])
        if machine.power in ("stopping", *GONE):
            raise Refused("IncorrectInstanceState")
        if machine.power == "stopped":
            self._asked(machine.studio)
            self._switch_on(machine)
        if self._world.chance(self._world.faults.unclear):
            raise Unclear("no answer")
        self._world.step()

    def stop(self, instance: str) -> None:
        self._step_or_fail()
        machine = self.machines[instance]
        if machine.is_on:
            self._switch_off(machine, "stopping")
            self._world.after(20, lambda: self._turn(machine, "stopping", "stopped"))
        self._step_or_fail()

    def end(self, instance: str) -> None:
        self._step_or_fail()
        self.take(self.machines[instance])
        self._step_or_fail()

    def take(self, machine: Machine) -> None:
        """End a machine, whoever wants it."""
        if machine.power not in GONE:
            self._switch_off(machine, "shutting-down")
            self._world.after(30, lambda: self._turn(machine, "shutting-down", "terminated"))

    def instances(self) -> Sequence[Instance]:
        self._step_or_fail()
        seen = []
        for machine in self.machines.values():
            moment = self._world.now - self._world.random.uniform(0, self._world.faults.unseen)
            powers = [power for since, power in machine.history if since <= moment]
            # An hour after its end EC2 forgets a machine.
            if powers and not (machine.power == "terminated" and machine.history[-1][0] < self._world.now - 3600):
                seen.append(Instance(machine.id, machine.studio, *machine.pool, powers[-1]))
        self._world.step()
        return seen

    def _refuses(self, pool: Pool, is_short: bool) -> bool:
        if pool not in self._lacking:
            self._lacking[pool] = self._world.chance(self._world.faults.lacking)
        return self._lacking[pool] or (is_short and self._world.chance(0.6))

    def _step_or_fail(self) -> None:
        self._world.step()
        if self._world.chance(self._world.faults.failed):
            raise Failed

    def _switch_on(self, machine: Machine) -> None:
        self._turn(machine, "", "pending")
        machine.runs.append((self._world.now, float("inf")))
        machine.boots += 1
        self._world.after(8, lambda: self._turn(machine, "pending", "running"))
        self._booted(machine)

    def _switch_off(self, machine: Machine, power: Power) -> None:
        if machine.is_on:
            machine.runs[-1] = (machine.runs[-1][0], self._world.now)
        machine.answers = None
        self._turn(machine, "", power)

    def _turn(self, machine: Machine, before: str, power: Power) -> None:
        if before in ("", machine.history[-1][1] if machine.history else ""):
            machine.history.append((self._world.now, power))
