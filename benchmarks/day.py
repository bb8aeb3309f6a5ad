"""A day at the site, in the emulated cloud: visitors come, studios boot, paint, hang and end. The launcher is the real.

What may never happen is counted while it happens: machines that nobody ends, budgets that are overrun, two machines
for one key, visitors who are left without an answer.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.cloud import EmulatedFleet, EmulatedStore, Failed, Faults, Lost, Machine, World
from lambda_launcher import ledger, roll, studio
from lambda_launcher.errors import Refusal
from lambda_launcher.launcher import Answer, Launcher
from lambda_launcher.reaper import Reaper
from lambda_launcher.settings import Settings
from lambda_launcher.store import Draft, transact
from lambda_launcher.studio import BOOT, LEASE
from server.cloud.rules import LAST

KEY = "0123456789abcdef" * 4
API, SCHEDULE = 25.0, 55.0  # seconds that the Lambdas may take
TIMER = 120.0 + 60.0 + 60.0 + 45.0
"""Seconds past its deadline after which a machine has ended itself at the latest, where all else has failed.

ami/deadline.sh leaves two minutes to the others; its timer looks once a minute; a studio that does not heed is killed
after 60 s; and the machine's clock begins up to 45 s after EC2's bill. It must be less than the ledger's `GRACE`.
"""
PATIENCE = BOOT + 300.0  # seconds after which a visitor who was told nothing new is stuck
HOUR = 3600.0
LONGEST = HOUR  # after the last click, for which some may be told again and again to come later


@dataclass(frozen=True)
class Habits:
    """How long things take, in seconds."""

    boot: float = 120.0  # the median of a first boot; the others differ by a quarter
    again: float = 50.0  # of a later one
    painting: float = 30.0
    looking: float = 30.0  # that a visitor goes on doing things after his painting
    beat: float = 15.0  # between two reports of a studio
    poll: float = 2.0  # between two questions of a page
    request: float = 0.3  # that a request takes on its way


@dataclass
class Tally:
    """What has happened."""

    clicks: int = 0
    painted: int = 0
    refused: int = 0
    lost: int = 0  # requests and passes
    doubles: int = 0  # machines asked for by one key while it had another
    crowded: int = 0  # machines asked for when there were as many as may
    stuck: int = 0
    waits: list[float] = field(default_factory=list)  # from click to the beginning of the painting


class Day:
    """One schedule."""

    def __init__(self, settings: Settings, faults: Faults, habits: Habits, seed: int) -> None:
        self.settings = settings
        self.habits = habits
        self.tally = Tally()
        self.world = World(faults, seed)
        self.store = EmulatedStore(self.world)
        self.fleet = EmulatedFleet(self.world, self._boot, self._asked)
        self._launcher = Launcher(self.store, self.fleet, settings, lambda: KEY, self.world.clock)
        self._reaper = Reaper(self.store, self.fleet, settings, self.world.clock)
        self._charged: dict[str, list[tuple[str, str]]] = defaultdict(list)  # by studio: the ledgers of each run
        self._waiting: dict[int, float] = {}

    def play(self, clicks: Sequence[tuple[float, str]], length: float) -> None:
        """Let visitors click at these moments from these addresses, and go on until all is over."""
        beginning = self.world.now
        for number, (moment, address) in enumerate(clicks):
            self.world.after(moment, lambda number=number, address=address: self._click(number, address))
        self.world.after(self.world.random.uniform(0, 60), self._reap)
        self.world.pass_until(beginning + length)
        while self._waiting and self.world.now < beginning + length + LONGEST:
            self.world.pass_until(self.world.now + 60)
        # As long as whatever was begun last may take, and the reaper to see that it is over.
        rest = self.settings.reservation + self.settings.idle_stop + self.settings.idle_end + PATIENCE + 600
        self.world.pass_until(self.world.now + rest)
        self.tally.stuck += len(self._waiting)

    # What is found afterwards

    def orphans(self) -> int:
        """Machines that are still there, or were on for longer than was reserved for them."""
        most = self.settings.longest
        machines = self.fleet.machines.values()
        return sum(
            machine.power != "terminated" or any(end - begin > most for begin, end in machine.runs)
            for machine in machines
        )

    def overrun(self) -> float:
        """GPU-seconds over a day's ceiling, for all and for each address, as AWS charges them."""
        used: dict[str, float] = defaultdict(float)
        for machine in self.fleet.machines.values():
            fill = self.settings.fill_seconds
            for (begin, end), names in zip(machine.runs, self._charged[machine.studio], strict=True):
                for name in names:
                    used[name] += max(ledger.LEAST, min(end, self.world.now) - begin) + fill
                fill = 0  # the disk of one that is started again is full
        everybody = {name for names in self._charged.values() for name, _ in names}
        ceilings = {
            name: self.settings.daily_seconds if name in everybody else self.settings.address_seconds for name in used
        }
        return sum(max(0.0, seconds - ceilings[name]) for name, seconds in used.items())

    def unsettled(self) -> int:
        """GPU-seconds that are still reserved though nothing runs, and studios that are still on the roll."""
        items = self.store.items
        reserved = sum(item.get("reserved", 0) for name, item in items.items() if name.startswith("ledger#"))
        return reserved + len(items.get(roll.ROLL, {}).get("ids", []))

    def seconds(self) -> tuple[float, float]:
        """How long machines were on (each time a minute at least, as EC2 charges), and how long they were there."""
        machines = self.fleet.machines.values()
        on = sum(max(ledger.LEAST, end - begin) for machine in machines for begin, end in machine.runs)
        return on, sum(machine.history[-1][0] - machine.born for machine in machines)

    # The reaper

    def _reap(self) -> None:
        world = self.world
        world.after(60, self._reap)
        if world.chance(world.faults.doubled):
            world.after(world.random.uniform(0, 3), self._pass)
        if not world.chance(world.faults.missed):
            self._pass()

    def _pass(self) -> None:
        try:
            self.world.invoke(self._reaper.reap, SCHEDULE)
        except (Lost, Failed, RuntimeError):
            self.tally.lost += 1

    # Machines

    def _asked(self, id_: str) -> None:
        """A machine is asked for: note whose budget it is, and whether it should have been."""
        item = self.store.items[studio.name(id_)]
        self._charged[id_].append(ledger.names(item["day"], item["address"]))
        on = [machine for machine in self.fleet.machines.values() if machine.is_on]
        self.tally.crowded += len(on) >= self.settings.max_studios
        for machine in on:
            other = studio.from_item(self.store.items[studio.name(machine.studio)])
            # One that has hung, or was told to go, is none that its visitor still has.
            late = self.world.now + 2 * self.world.faults.skew
            if other and other.owner == item["owner"] and (other.is_coming(late) or other.is_ready(late)):
                self.tally.doubles += 1

    def _boot(self, machine: Machine) -> None:
        """Boot the machine: its studio comes up later, or never."""
        world, run = self.world, machine.boots
        median = self.habits.boot if run == 1 else self.habits.again
        seconds = median * math.exp(world.random.gauss(0, 0.25))
        if not world.chance(world.faults.timerless):
            world.after(self.settings.deadline + TIMER, lambda: self._time_out(machine, run))
        ends = math.inf
        if world.chance(world.faults.crashed):
            match world.random.randrange(4):
                case 0:
                    return  # it never comes up
                case 1:
                    seconds *= 8  # it comes up when nobody waits any more
                case 2:
                    ends = world.random.uniform(0, 1500)  # its server hangs
                case _:  # Amazon takes it back
                    world.after(world.random.uniform(0, 1500), lambda: self.fleet.take(machine))
        server = _Server(self, machine, run, world.skew(), world.now + ends)
        world.after(seconds * 0.6, server.load)
        world.after(seconds, server.serve)

    def _time_out(self, machine: Machine, run: int) -> None:
        if self.is_run(machine, run):
            self.fleet.take(machine)

    def is_run(self, machine: Machine, run: int) -> bool:
        return machine.is_on and machine.boots == run

    # Visitors

    def _click(self, number: int, address: str) -> None:
        self.tally.clicks += 1
        _Visitor(self, number, address).ask()


class _Server:
    """The studio on a machine, as far as the table hears of it."""

    def __init__(self, day: Day, machine: Machine, run: int, skew: float, ends: float) -> None:
        self._day = day
        self._machine = machine
        self._run = run
        self._skew = skew
        self._ends = ends
        self._busy = 0
        self._free_at = 0.0
        self._arrived: set[str] = set()
        self._active = 0.0

    @property
    def is_up(self) -> bool:
        return self._day.is_run(self._machine, self._run) and self._day.world.now < self._ends

    def load(self) -> None:
        if self.is_up:
            self._report(phase="loading")

    def serve(self) -> None:
        if self.is_up and self._report(phase="ready", ready=self._clock(), dns=self._machine.dns):
            self._active = self._clock()
            self._machine.answers = self.enter
            self._beat()

    def enter(self, painting: str, begun: Callable[[], None], over: Callable[[bool], None]) -> bool:
        """Let a visitor in, and paint for him when those before him are done."""
        world, habits = self._day.world, self._day.habits
        item = self._day.store.items[studio.name(self._machine.studio)]
        is_closed = self._clock() >= item["deadline"] - LAST and painting not in item.get("coming", {})
        if is_closed or not self.is_up:
            return False
        self._arrived.add(painting)
        begins = max(world.now, self._free_at)
        self._free_at = begins + habits.painting
        self._busy += 1
        self._active = self._clock()
        world.after(begins - world.now, begun)
        world.after(self._free_at - world.now, lambda: self._done(over))
        world.after(self._free_at - world.now + habits.looking, self._act)
        return True

    def _done(self, over: Callable[[bool], None]) -> None:
        self._busy -= 1
        self._act()
        over(self.is_up)

    def _act(self) -> None:
        self._active = self._clock()

    def _beat(self) -> None:
        if self.is_up and self._report():
            self._day.world.after(self._day.habits.beat, self._beat)

    def _report(self, **news: object) -> bool:
        """Tell the table; False, and the machine goes, if the table wants no such studio."""

        def tell(draft: Draft) -> bool:
            item = draft.get(studio.name(self._machine.studio))
            known = studio.from_item(item)
            if known is None or known.phase in ("stopped", "ended") or known.instance not in ("", self._machine.id):
                return False
            kind, subnet = self._machine.pool
            item |= {"instance": self._machine.id, "type": kind, "subnet": subnet, "busy": self._busy}
            item |= {"lease": self._clock() + LEASE, "active": max(item["active"], self._active)}
            item["coming"] = {who: sent for who, sent in item.get("coming", {}).items() if who not in self._arrived}
            if known.phase != "leaving":
                item |= news
            draft.put(studio.name(known.id), item)
            return True

        if not transact(self._day.store, tell):
            self._day.fleet.take(self._machine)
            return False
        return True

    def _clock(self) -> float:
        return self._day.world.now + self._skew


class _Visitor:
    """A page: asks, waits, asks again, and paints."""

    def __init__(self, day: Day, number: int, address: str) -> None:
        self._day = day
        self._number = number
        self._address = address
        self._key = f"key-{number}"
        self._owner = f"owner-{number}"
        self._clicked = day.world.now
        self._tries = 12
        self._has_begun = False
        day._waiting[number] = day.world.now

    def ask(self) -> None:
        """Ask for a studio; now and then the request comes twice."""
        world = self._day.world
        self._news()
        if world.chance(world.faults.doubled):
            world.after(world.random.uniform(0, 2), self._ask_without_listening)
        self._hear(self._launch)

    def _launch(self) -> Answer:
        return self._day._launcher.launch(self._key, self._key, self._address, self._owner)

    def _ask_without_listening(self) -> None:
        self._ignore(self._launch)

    def _ignore(self, request: Callable[[], object]) -> None:
        """Ask for something, whatever is answered."""
        try:
            self._day.world.invoke(request, API)
        except (Lost, Failed, Refusal):
            self._day.tally.lost += 1

    def _poll(self, id_: str) -> None:
        self._hear(lambda: self._day._launcher.status(id_, self._key), id_)

    def _hear(self, request: Callable[[], Answer], id_: str | None = None) -> None:
        if self._number not in self._day._waiting:
            return
        day, world = self._day, self._day.world
        try:
            answer = world.invoke(request, API)
        except (Lost, Failed):
            day.tally.lost += 1
            world.after(3, lambda: self._poll(id_) if id_ else self.ask())
        except Refusal as refusal:
            self._news()
            again = {"studio_ended": 1.0, "studio_unknown": 1.0, "launcher_busy": 1.0}.get(refusal.code)
            if again is None and refusal.retry_after and refusal.retry_after < 300 and world.chance(0.5):
                again = refusal.retry_after
            if again is None or self._tries == 0:
                day.tally.refused += 1
                del day._waiting[self._number]
            else:
                self._tries -= 1
                world.after(again, self.ask)
        else:
            if answer.ticket:
                world.after(day.habits.request, lambda: self._enter(answer))
            else:
                if world.chance(world.faults.given_up):
                    self._ignore(lambda: day._launcher.end(answer.id, self._owner))
                world.after(day.habits.poll, lambda: self._poll(answer.id))

    def _enter(self, answer: Answer) -> None:
        day = self._day
        if self._number not in day._waiting:
            return
        machine = next((each for each in day.fleet.machines.values() if each.dns == answer.dns), None)
        if machine and machine.answers and machine.answers(self._key, self._begun, self._over):
            self._news()
            del day._waiting[self._number]
        else:
            day.world.after(3, self.ask)

    def _begun(self) -> None:
        if not self._has_begun:
            self._day.tally.waits.append(self._day.world.now - self._clicked)
        self._has_begun = True

    def _over(self, is_well: bool) -> None:
        """The painting is done, or its studio is gone: then the page goes on in another."""
        if is_well:
            self._day.tally.painted += 1
        else:
            self._day._waiting[self._number] = self._day.world.now
            self._day.world.after(3, self.ask)

    def _news(self) -> None:
        """Something is heard: was it too long ago that anything was?"""
        day = self._day
        day.tally.stuck += day.world.now - day._waiting[self._number] > PATIENCE
        day._waiting[self._number] = day.world.now
