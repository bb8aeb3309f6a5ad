"""The launcher and the reaper, as they are deployed, in an emulated cloud: what may never happen, and what it costs.

First thousands of short schedules in which everything goes wrong that can: Lambdas are lost between any two steps,
requests come twice, clocks differ, machines are refused for one reason or another, hang, or are taken back. Only this
is left out: that a machine's own timer does not work while the reaper cannot do its part, either, because EC2 does not
heed it or most of its passes take longer than they may. Then whole days in which nothing goes wrong, against the rule
of the original: a new machine for each click, for 7 minutes.
"""

from __future__ import annotations

import logging
import math
import random
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from benchmarks.clock import in_turns
from benchmarks.cloud import Faults
from benchmarks.day import HOUR, Day, Habits
from benchmarks.figure import Figure, at_least, at_most
from lambda_launcher.deploy.prices import ADDRESS, DISK, FILL, HOURLY, Prices
from lambda_launcher.settings import Settings

SCHEDULES = 2000
DOLLARS_ON, DOLLARS_THERE = (HOURLY["g6.xlarge"] + ADDRESS) / HOUR, DISK / HOUR
"""A second of a g6.xlarge on demand with its public address, and of its disk of 80 GB (us-east-1)."""
DOLLARS_INVOKED = 5e-6  # one request: API Gateway, a Lambda of 512 MB for 0.1 s, some reads and writes
ORIGINAL = 420.0  # seconds that the original's machine ran for each click

TYPES = ("g6.xlarge", "g5.xlarge", "g4dn.xlarge")
SETTINGS = Settings(
    table="studios",
    launch_template="lt-0",
    launch_template_version="1",
    subnets=("subnet-a", "subnet-b"),
    types=TYPES,
    ticket_key="key",
    daily_seconds=360_000,
    address_seconds=360_000,
    max_studios=5,
    deadline=3600,
    idle_stop=180,
    idle_end=3600,
    fill_seconds=Prices({}).fill_seconds(list(TYPES)),
    stack="visualneurons",
    gallery="s3://paintings/gallery?table=paintings",
)
ORIGINAL_RULE = replace(SETTINGS, deadline=420, idle_stop=0)  # as the template has them for IdleStop 0
# Short lives, so that every limit is met often.
SHORT = replace(SETTINGS, max_studios=3, deadline=1200, idle_stop=180, idle_end=300)
SLOW = Habits(beat=30.0, poll=10.0)


def schedule(seed: int) -> Day:
    """One schedule in which things go wrong, played to its end."""
    chance = random.Random(f"schedule {seed}")

    def up_to(most: float) -> float:
        return chance.choice([0.0, 0.3, 1.0]) * most

    failed, pauses, pause = up_to(0.2), up_to(0.3), chance.choice([1.0, 8.0])
    is_reaper_slow = pauses * pause > 1  # seconds a step, of which a pass has some twenty in its 55 seconds
    faults = Faults(
        lost=up_to(0.3),
        pauses=pauses,
        pause=pause,
        skew=up_to(15.0),
        unseen=up_to(20.0),
        refused=up_to(0.6),
        lacking=up_to(0.4),
        barred=up_to(0.2),
        unclear=up_to(0.3),
        failed=failed,
        given_up=up_to(0.1),
        missed=up_to(0.3),
        doubled=up_to(0.5),
        crashed=up_to(0.6),
        # A machine's timer and the reaper are each other's last resort: without both, more is used than was reserved.
        timerless=0.0 if failed or is_reaper_slow else up_to(0.5),
    )
    settings = replace(
        SHORT,
        daily_seconds=int(chance.choice([1.2, 2, 4, 10]) * SHORT.reservation),
        address_seconds=int(chance.choice([1, 2, 10]) * SHORT.reservation),
    )
    day = Day(settings, faults, SLOW, seed)
    # Near midnight now and then, where one day's budget gives way to the next's.
    day.world.now += chance.uniform(0, 24 * HOUR)
    together = chance.choice([30.0, 600.0, 2400.0])
    clicks = [(chance.uniform(0, together), f"192.0.2.{chance.randrange(4)}") for _ in range(chance.randint(1, 12))]
    day.play(sorted(clicks), together + 600)
    return day


def figures(quick: bool) -> Iterator[Figure]:
    """What may never happen, then costs and waits, then how long a Lambda takes to begin."""
    schedules = 40 if quick else SCHEDULES
    found: Counter[str] = Counter()
    with quiet():
        for seed in range(schedules):
            found.update(counted(schedule(seed)))
    yield Figure(
        f"schedules with faults (but not timers and reaper at once): clicks in {schedules}", found["clicks"], ""
    )
    yield Figure("of them painted in the end", 100 * found["painted"] / found["clicks"], "%")
    yield Figure("Lambdas lost on the way, or told to come later", found["lost"], "")
    for name in NEVER:
        yield Figure(name, found[name], "", at_most(0))
    for name, clicks in days(quick).items():
        yield from costs(name, clicks)
    times = in_turns({"bare": lambda: python("pass"), "ours": lambda: python(COLD)}, rounds=1 if quick else 7)
    seconds = statistics.median(times["ours"]) - statistics.median(times["bare"])
    yield Figure("cold start: what the Lambda loads before its first request", 1000 * seconds, "ms", at_most(1000))


COLD = "import lambda_launcher.handlers"


def python(script: str) -> None:
    """Run a script in a process of its own."""
    subprocess.run([sys.executable, "-c", script], check=True)


NEVER = (
    "machines that nobody ended",
    "GPU-seconds over a day's budget",
    "second machines for one key",
    "machines beyond as many as may run",
    "visitors left without an answer",
    "reservations and studios never settled",
)


@contextmanager
def quiet() -> Iterator[None]:
    """Let the launcher not warn of what is done to it on purpose."""
    logger = logging.getLogger("lambda_launcher")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def counted(day: Day) -> dict[str, int]:
    """What a schedule comes to."""
    tally = day.tally
    never = (
        day.orphans(),
        math.ceil(day.overrun()),
        tally.doubles,
        tally.crowded,
        tally.stuck,
        day.unsettled(),
    )
    return {
        "clicks": tally.clicks,
        "painted": tally.painted,
        "lost": tally.lost,
        **dict(zip(NEVER, never, strict=True)),
    }


def days(quick: bool) -> dict[str, list[float]]:
    """The moments of the clicks of a light, a steady and a bursty day, by name."""
    chance = random.Random("days")
    hours = 4 if quick else 24

    def clicks(begins: float, length: float, an_hour: float) -> list[float]:
        """Clicks that know nothing of one another."""
        moments, moment = [], begins
        while (moment := moment + chance.expovariate(an_hour / HOUR)) < begins + length:
            moments.append(moment)
        return moments

    bursts = [begins * HOUR for begins in range(0, hours, 4)]
    return {
        "light day, 2 clicks an hour": clicks(0, hours * HOUR, 2),
        "steady day, 60 clicks an hour": clicks(0, hours * HOUR, 60),
        "bursty day, 40 clicks in 10 minutes every 4 hours": [
            click for begins in bursts for click in clicks(begins, 600, 240)
        ],
    }


def costs(name: str, clicks: list[float]) -> Iterator[Figure]:
    """What a day costs and how long its visitors wait, against a new machine for each click, which nobody shares."""
    habits = Habits()
    ours, by_rule = lived(SETTINGS, clicks), lived(ORIGINAL_RULE, clicks)
    chance = random.Random("boots")
    boots = [habits.boot * math.exp(chance.gauss(0, 0.25)) for _ in clicks]
    long = alone(ORIGINAL)
    short = statistics.mean(alone(boot + habits.painting) for boot in boots)
    waits = sorted(ours.tally.waits)
    median = statistics.median(waits)
    is_steady = name.startswith("steady")
    yield Figure(f"{name}: cents a painting", 100 * price(ours), "¢")
    yield Figure("... of its clicks painted", 100 * ours.tally.painted / len(clicks), "%", at_least(100))
    cheaper = long / price(ours)
    yield Figure("... cheaper than a machine a click, 7 minutes", cheaper, "×", at_least(5) if is_steady else None)
    yield Figure("... cheaper than a machine a click, until it is painted", short / price(ours), "×")
    yield Figure("... half of the visitors wait at most", median, "s")
    yield Figure("... nine of ten wait at most", waits[int(0.9 * len(waits))], "s")
    shorter = statistics.median(boots) / median
    yield Figure("... half wait shorter by", shorter, "×", at_least(10) if is_steady else None)
    yield Figure("... with --idle-stop 0: cents a painting", 100 * price(by_rule), "¢")
    yield Figure("... of its clicks painted", 100 * by_rule.tally.painted / len(clicks), "%")
    yield Figure("... half of the visitors wait at most", statistics.median(by_rule.tally.waits), "s")


def lived(settings: Settings, clicks: list[float]) -> Day:
    """A day in which nothing goes wrong."""
    day = Day(settings, Faults(), Habits(), seed=1)
    day.play([(moment, f"192.0.2.{number % 200}") for number, moment in enumerate(clicks)], 24 * HOUR)
    return day


def price(day: Day) -> float:
    """What a painting has cost that day, in dollars."""
    on, there = day.seconds()
    machines = on * DOLLARS_ON + there * DOLLARS_THERE + len(day.fleet.machines) * FILL
    return (machines + day.world.invoked * DOLLARS_INVOKED) / day.tally.painted


def alone(seconds: float) -> float:
    """What a new machine costs for so long, in dollars, with the few requests that it takes."""
    return seconds * (DOLLARS_ON + DOLLARS_THERE) + FILL + 10 * DOLLARS_INVOKED
