"""Schedules in which all goes wrong that can, for the real launcher and reaper; the benchmark plays thousands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest

from benchmarks.cloud import EmulatedStore
from benchmarks.day import TIMER
from benchmarks.launcher import NEVER, costs, counted, days, schedule
from lambda_launcher import launcher, ledger, reaper, roll, settings
from lambda_launcher.store import Change
from lambda_launcher.template import ROOT

SETTLE = ledger.settle


def played(schedules: range) -> Counter[str]:
    found: Counter[str] = Counter()
    for seed in schedules:
        found.update(counted(schedule(seed)))
    return found


@pytest.mark.slow
def test_whatever_goes_wrong_what_may_never_happen_does_not() -> None:
    found = played(range(10_000, 10_300))
    assert found["clicks"] > 1500
    assert found["lost"] > 2000
    assert 0.7 < found["painted"] / found["clicks"] < 1
    assert {name: found[name] for name in NEVER} == dict.fromkeys(NEVER, 0)


def test_a_schedule_is_the_same_each_time() -> None:
    assert counted(schedule(7)) == counted(schedule(7))


def forgetful(self: EmulatedStore, changes: list[Change]) -> bool:
    for name, item, _ in changes:
        self.items[name] = {**item, "version": self.items.get(name, {}).get("version", 0) + 1}
    return True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "name", "broken", "found"),
    [
        (EmulatedStore, "write", forgetful, {"second machines for one key", "machines beyond as many as may run"}),
        (ledger, "settle", lambda draft, studio, _: SETTLE(draft, studio, 0), {"GPU-seconds over a day's budget"}),
        (roll, "run", roll.put, {"machines beyond as many as may run", "reservations and studios never settled"}),
        (
            launcher.Studio,
            "expects",
            lambda *_: False,
            {"visitors left without an answer", "second machines for one key"},
        ),
        (reaper.Reaper, "_judge", lambda *_: "keep", {"machines that nobody ended"}),
    ],
)
def test_the_schedules_find_out_what_is_broken(
    monkeypatch: pytest.MonkeyPatch, place: object, name: str, broken: Callable[..., object], found: set[str]
) -> None:
    monkeypatch.setattr(place, name, broken)
    seen = played(range(100))
    assert any(seen[each] for each in found), {each: seen[each] for each in NEVER}


@pytest.mark.slow
def test_days_are_cheaper_and_quicker_than_with_a_machine_for_each_click() -> None:
    judged = [figure for day in days(quick=False).items() for figure in costs(*day) if figure.target]
    assert len(judged) == 2 + 3, "and on each day all who click have their painting"
    assert all(figure.target and figure.target.met_by(figure.value) for figure in judged)


def test_a_machine_ends_itself_within_what_is_reserved_for_it() -> None:
    script = (ROOT / "ami" / "deadline.sh").read_text(encoding="utf-8")
    (delay,) = re.findall(r"-ge \$\(\(deadline \+ (\d+)\)\)", script)
    timer = (ROOT / "ami" / "units" / "visualneurons-deadline.timer").read_text(encoding="utf-8")
    assert "OnUnitActiveSec=1min" in timer
    studio = (ROOT / "ami" / "units" / "visualneurons.service").read_text(encoding="utf-8")
    (killed,) = re.findall(r"TimeoutStopSec=(\d+)", studio)
    assert int(delay) + 60 + int(killed) < TIMER < settings.GRACE
