from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.cloud import Failed, Faults, Lost
from lambda_launcher.fleet import Instance, Power
from lambda_launcher.ledger import LEAST
from lambda_launcher.reaper import PUTTING_ASIDE, SPARE, STOPPING, UNSEEN, verdict
from lambda_launcher.studio import BOOT, LEASE, PROMISE, Studio
from tests.lambda_launcher.site import SETTINGS, Site, secret, with_settings

NOW = 1_800_000_000.0
READY = Studio(
    id="s",
    phase="ready",
    owner="o",
    began=NOW - 1000,
    deadline=NOW + 1000,
    day="2027-01-15",
    address="192.0.2.1",
    reserved=3900,
    lease=NOW + LEASE,
    active=NOW - 10,
    instance="i-1",
    type="g6.xlarge",
    subnet="subnet-a",
    template=SETTINGS.launch_template_version,
    dns="ec2.example",
    ready=NOW - 900,
    learnt=NOW - 1000,
)
REQUESTED = replace(READY, phase="requested", began=NOW - 60, instance="", type="", dns="", ready=0, learnt=0)
BOOTING = replace(REQUESTED, phase="booting", instance="i-1", type="g6.xlarge", subnet="subnet-a")
LOADING = replace(BOOTING, phase="loading")
STOPPED = replace(READY, phase="stopped", reserved=0, left=NOW - 60, lease=0)
STOPPING_ = replace(READY, phase="leaving", goal="stopped", left=NOW - 60)
ENDING = replace(READY, phase="leaving", goal="ended", left=NOW - 30)
IDLE = replace(READY, active=NOW - SETTINGS.idle_stop - 1)


@pytest.mark.parametrize(
    ("studio", "power", "expected"),
    [
        (READY, "running", "keep"),
        (replace(READY, learnt=0), "running", "learn"),
        (replace(READY, lease=NOW - 1), "running", "end"),
        (replace(READY, deadline=NOW - 1), "running", "end"),
        (READY, "stopping", "keep"),
        (READY, "stopped", "has stopped"),
        (READY, "shutting-down", "has ended"),
        (READY, "terminated", "has ended"),
        (READY, None, "has ended"),
        (IDLE, "running", "stop"),
        (replace(IDLE, busy=1), "running", "keep"),
        (replace(IDLE, ready=NOW - 60), "running", "keep"),
        (replace(IDLE, coming={"p": NOW - 5}), "running", "keep"),
        (REQUESTED, None, "keep"),
        (replace(REQUESTED, began=NOW - UNSEEN - 1), None, "has ended"),
        (REQUESTED, "pending", "adopt"),
        (replace(LOADING, instance=""), "running", "adopt"),
        (replace(READY, type="", subnet=""), "running", "adopt"),  # it was quicker than its launcher, who was lost
        (BOOTING, "running", "keep"),
        (BOOTING, None, "keep"),
        (BOOTING, "stopped", "keep"),  # it was started a moment ago
        (replace(BOOTING, began=NOW - UNSEEN - 1), "stopped", "has stopped"),
        (replace(BOOTING, began=NOW - BOOT - 1), "running", "end"),
        (replace(LOADING, began=NOW - BOOT - 1), "running", "end"),
        (replace(LOADING, lease=NOW - 1), "running", "end"),
        (STOPPED, "stopped", "keep"),
        (replace(STOPPED, left=NOW - SETTINGS.idle_end - 1), "stopped", "end"),
        (replace(STOPPED, template="0"), "stopped", "end"),
        (replace(READY, template="0", active=NOW - PROMISE), "running", "keep"),
        (replace(READY, template="0", active=NOW - PROMISE - 1), "running", "end"),
        (replace(READY, template="0", active=NOW - PROMISE - 1, busy=1), "running", "keep"),
        (replace(BOOTING, template="0"), "running", "keep"),
        (STOPPED, "running", "stop"),
        (STOPPED, "terminated", "has ended"),
        (STOPPED, None, "has ended"),
        (STOPPING_, "running", "stop"),
        (STOPPING_, "stopping", "stop"),
        (STOPPING_, "stopped", "has stopped"),
        (replace(STOPPING_, left=NOW - STOPPING - 1), "stopping", "end"),
        (STOPPING_, "terminated", "has ended"),
        (ENDING, "running", "keep"),  # it puts its paintings aside
        (replace(ENDING, left=NOW - PUTTING_ASIDE - 1), "running", "end"),
        (replace(ENDING, left=NOW - PUTTING_ASIDE - 1), "stopped", "end"),
        (ENDING, "terminated", "has ended"),
    ],
)
def test_the_verdict(studio: Studio, power: Power | None, expected: str) -> None:
    machine = Instance("i-1", "s", "g6.xlarge", "subnet-a", power) if power else None
    assert verdict(studio, machine, False, NOW, SETTINGS) == expected


def test_a_spare_studio_stops_sooner() -> None:
    machine = Instance("i-1", "s", "g6.xlarge", "subnet-a", "running")
    idle = replace(READY, active=NOW - SPARE - 1)
    assert verdict(idle, machine, True, NOW, SETTINGS) == "stop"
    assert verdict(idle, machine, False, NOW, SETTINGS) == "keep"
    assert verdict(READY, machine, True, NOW, SETTINGS) == "keep"
    impatient = replace(SETTINGS, idle_stop=5)
    assert verdict(READY, machine, True, NOW, impatient) == "stop"


def test_by_the_rule_of_the_original_a_studio_ends_with_what_it_paints() -> None:
    machine, settings = Instance("i-1", "s", "g6.xlarge", "subnet-a", "running"), replace(SETTINGS, idle_stop=0)

    def found(studio: Studio) -> str:
        assert verdict(studio, machine, True, NOW, settings) == verdict(studio, machine, False, NOW, settings)
        return verdict(studio, machine, False, NOW, settings)

    assert found(replace(READY, busy=1, active=NOW - 400)) == "keep"
    assert found(replace(READY, active=NOW - PROMISE)) == "keep"
    assert found(replace(READY, active=NOW - PROMISE - 1)) == "end"
    assert found(replace(READY, active=NOW - 400, ready=NOW - 10, coming={"p": NOW - 200})) == "keep"
    assert found(replace(READY, active=NOW - 400, ready=NOW - PROMISE - 1, coming={"p": NOW - 200})) == "end"


def test_seven_minutes_after_the_boot_or_with_the_painting() -> None:
    site = with_settings(idle_stop=0, deadline=420)
    done = site.ready("p-1", busy=9)
    long = site.ready("p-2", busy=1)
    site.report(done, busy=0)
    site.wait(60, renewing=long)
    site.wait(60, renewing=done)
    assert site.machine(done).power in ("shutting-down", "terminated")
    site.wait(240, renewing=long)
    assert site.machine(long).is_on
    site.wait(180, renewing=long)
    assert site.is_over()


def test_a_studio_that_says_that_it_leaves_is_ended_and_visited_no_more() -> None:
    site = Site()
    id_ = site.ready("p-1")
    site.report(id_, phase="leaving", goal="ended", left=site.world.now)
    assert site.launch("p-1").id != id_
    assert site.reaper.reap() == {"orphan": 0, "keep": 2}
    assert site.machine(id_).is_on, "it puts its paintings aside"
    site.world.pass_until(site.world.now + PUTTING_ASIDE + 1)
    assert site.reaper.reap()["end"] == 1
    assert site.machine(id_).power == "shutting-down"


def test_of_two_idle_studios_one_stays() -> None:
    site = Site()
    first = site.ready("p-1", busy=9)
    second = site.ready("p-2")
    site.report(first, busy=0)
    for _ in range(4):
        site.world.pass_until(site.world.now + 43)
        for id_ in (first, second):
            if site.studio(id_).phase == "ready":
                site.report(id_)
        site.reaper.reap()
    assert sorted(site.studio(id_).phase for id_ in (first, second)) == ["ready", "stopped"]


def test_one_that_visitors_are_not_sent_to_makes_no_other_spare() -> None:
    site = Site()
    old = site.ready("p-1", busy=1, easels=2)
    site.deploy()
    id_ = site.ready("p-2")
    for _ in range(3):
        site.world.pass_until(site.world.now + SPARE / 2)
        site.report(old)
        site.report(id_)
        site.reaper.reap()
    assert [site.studio(each).phase for each in (old, id_)] == ["ready", "ready"]


def test_a_machine_that_is_nobodys_is_ended() -> None:
    site = Site()
    site.fleet.launch("nobody", site.settings.pools)
    assert site.reaper.reap()["orphan"] == 1
    assert [machine.power for machine in site.fleet.machines.values()] == ["shutting-down"]
    assert site.reaper.reap() == {"orphan": 0}


def test_a_second_machine_of_one_studio_is_ended() -> None:
    site = Site()
    id_ = site.ready("p-1")
    machine, _ = site.fleet.launch("other", site.settings.pools)
    site.fleet.machines[machine.id].studio = id_
    site.reaper.reap()
    assert site.machine(id_).is_on
    assert site.fleet.machines[machine.id].power == "shutting-down"


def test_a_studio_whose_machine_was_found_is_adopted() -> None:
    site = Site()
    id_ = site.launch("p-1").id
    site.report(id_, phase="requested", instance="", type="", subnet="")
    assert site.reaper.reap() == {"orphan": 0, "adopt": 1}
    studio = site.studio(id_)
    assert (studio.phase, studio.type) == ("booting", "g6.xlarge")
    assert site.machine(id_).is_on


def test_an_idle_studio_stops_and_is_ended_later() -> None:
    site = Site()
    id_ = site.ready("p-1")
    site.wait(SETTINGS.idle_stop - 30, renewing=id_)
    assert site.studio(id_).phase == "ready"
    site.wait(240, renewing=id_)
    assert (site.studio(id_).phase, site.machine(id_).power) == ("stopped", "stopped")
    assert site.reserved() == 0
    site.wait(SETTINGS.idle_end + 180)
    assert site.is_over()


def test_what_was_used_is_settled() -> None:
    site = Site()
    id_ = site.ready("p-1")
    site.wait(120, renewing=id_)
    site.fleet.take(site.machine(id_))
    site.wait(60)
    assert used(site) == [(180 + SETTINGS.fill_seconds, 0)] * 2, "with what its disk has cost"


def used(site: Site) -> list[tuple[int, int]]:
    """What is used and reserved, for all and for one."""
    ledgers = [item for name, item in site.store.items.items() if name.startswith("ledger#")]
    return [(item["used"], item["reserved"]) for item in ledgers]


def test_a_start_is_charged_for_a_minute_at_least_and_a_disk_is_filled_once() -> None:
    site = Site()
    id_ = site.ready("p-1")
    site.wait(SETTINGS.idle_stop + 240, renewing=id_)
    ((before, _), _) = used(site)
    assert before > SETTINGS.idle_stop + SETTINGS.fill_seconds
    assert site.launch("p-2").id == id_
    site.world.pass_until(site.world.now + 10)
    site.fleet.take(site.machine(id_))
    site.reaper.reap()
    assert used(site) == [(before + LEAST, 0)] * 2


def test_a_hung_studio_is_over_before_its_deadline_and_one_that_lies_at_it() -> None:
    site = Site()
    hung = site.ready("p-1")
    site.wait(LEASE + 120)
    assert site.machine(hung).power == "terminated"
    busy = site.ready("p-2", busy=7)
    site.wait(SETTINGS.deadline + 120, renewing=busy)
    assert site.machine(busy).power == "terminated"
    ((begin, end),) = site.machine(busy).runs
    assert SETTINGS.deadline < end - begin < SETTINGS.reservation


def test_one_that_cannot_be_ended_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    ids = [site.ready(f"p-{number}", busy=9) for number in range(3)]
    orphan, _ = site.fleet.launch("nobody", site.settings.pools)
    protected = {site.studio(ids[0]).instance, orphan.id}
    end = site.fleet.end

    def refuse(instance: str) -> None:
        if instance in protected:
            raise PermissionError(instance)
        end(instance)

    monkeypatch.setattr(site.fleet, "end", refuse)
    site.world.pass_until(site.world.now + LEASE + 1)
    with pytest.raises(RuntimeError, match=rf"could not do all: {ids[0]}, {orphan.id}; the log says why"):
        site.reaper.reap()
    assert [site.machine(id_).power for id_ in ids] == ["running", "shutting-down", "shutting-down"]
    monkeypatch.undo()
    site.wait(PUTTING_ASIDE + 180)
    assert site.is_over()


def test_what_ec2_refuses_or_does_not_answer_is_asked_for_until_it_is_done() -> None:
    site = Site(Faults(failed=0.4))
    for number in range(3):
        site.ready(f"p-{number}", busy=9)
    failures = 0
    for _ in range(120):
        site.world.pass_until(site.world.now + 60)
        try:
            site.reaper.reap()
        except (Failed, RuntimeError):
            failures += 1
    assert failures > 20
    assert site.is_over()


def test_a_boot_is_learnt_from_once() -> None:
    site = Site()
    id_ = site.launch("p-1").id
    site.world.pass_until(site.world.now + 77)
    site.serve(id_)
    assert site.reaper.reap() == {"orphan": 0, "learn": 1}
    assert site.reaper.reap() == {"orphan": 0, "keep": 1}
    assert site.store.items["boots#g6.xlarge"]["seconds"] == [77]


def test_after_a_day_what_has_ended_may_be_forgotten() -> None:
    site = with_settings(idle_end=0)
    id_ = site.ready("p-1")
    site.launcher.end(id_, secret("p-1"))
    site.wait(120)
    assert site.store.items[f"studio#{id_}"]["expires"] > site.world.now + 80_000
    forgotten = [item for name, item in site.store.items.items() if name.startswith(("key#", "ledger#", "studio#"))]
    assert all(isinstance(item["expires"], int) for item in forgotten), "DynamoDB forgets by whole seconds"


@pytest.mark.parametrize("steps", range(40))
def test_wherever_a_launch_is_lost_all_is_over_in_the_end(steps: int) -> None:
    site = Site()
    assert_over_after(site, steps, 0)


@pytest.mark.parametrize("steps", range(24))
def test_wherever_a_start_is_lost_all_is_over_in_the_end(steps: int) -> None:
    site = Site()
    id_ = site.ready("p-0")
    site.wait(SETTINGS.idle_stop + 240, renewing=id_)
    assert site.studio(id_).phase == "stopped"
    assert_over_after(site, steps, 1)


@pytest.mark.parametrize("steps", range(0, 60, 2))
def test_wherever_passes_of_the_reaper_are_lost_the_next_does_the_rest(steps: int) -> None:
    site = Site()
    for number in range(3):
        site.ready(f"p-{number}", busy=9)
    for _ in range(10):
        site.world.pass_until(site.world.now + 60)
        lose(site, steps, site.reaper.reap)
    site.wait(SETTINGS.reservation)
    assert site.is_over()


def assert_over_after(site: Site, steps: int, runs: int) -> None:
    lose(site, steps, lambda: site.launch("p-1"))
    site.wait(300)
    assert sum(len(machine.runs) for machine in site.fleet.machines.values()) <= runs + 1
    answer = site.launch("p-1")  # the page asks again
    assert answer.state in ("requested", "booting")
    assert sum(machine.is_on for machine in site.fleet.machines.values()) == 1
    site.wait(SETTINGS.reservation + SETTINGS.idle_end)
    assert site.is_over()


def lose(site: Site, steps: int, work: Callable[[], object]) -> None:
    """Run a Lambda that is lost after so many steps."""
    with contextlib.suppress(Lost):
        site.world.invoke(work, 1000.0, steps)
