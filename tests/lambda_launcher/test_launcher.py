from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.cloud import Faults
from lambda_launcher.ec2 import Ec2Fleet
from lambda_launcher.errors import Refusal
from lambda_launcher.fleet import NoImage, OverQuota, Refused, Throttled
from lambda_launcher.launcher import KEPT_OUT, Launcher
from lambda_launcher.ledger import LEAST, day
from lambda_launcher.settings import GRACE, Settings
from lambda_launcher.studio import BOOT, PROMISE
from lambda_launcher.table import Table
from server.tickets import Tickets
from tests.lambda_launcher.site import KEY, SETTINGS, Site, secret, with_settings

RESERVED = SETTINGS.deadline + GRACE + SETTINGS.fill_seconds


def refusal(site: Site, painting: str, address: str = "192.0.2.1") -> Refusal:
    with pytest.raises(Refusal) as refused:
        site.launch(painting, address)
    return refused.value


def test_the_first_visitor_gets_a_machine() -> None:
    site = Site()
    answer = site.launch("p-1")
    assert (answer.state, answer.type, answer.ticket, answer.url, answer.dns) == (
        "booting",
        "g6.xlarge",
        None,
        None,
        None,
    )
    assert answer.eta == 150  # nothing is known of boots yet
    assert len(site.fleet.machines) == 1
    assert site.reserved() == RESERVED


def test_asked_again_the_studio_is_the_same() -> None:
    site = Site()
    first = site.launch("p-1")
    site.world.pass_until(site.world.now + 50)
    again = site.launch("p-1")
    assert (again.id, again.eta) == (first.id, 100)
    assert len(site.fleet.machines) == 1
    assert site.studio(first.id).load(site.world.now) == 1


def test_one_key_has_one_studio_whatever_it_paints() -> None:
    site = with_settings(max_studios=9)
    first = site.launcher.launch("key", "p-0", "192.0.2.1")
    others = {site.launcher.launch("key", f"p-{number}", "192.0.2.1").id for number in range(9)}
    assert others == {first.id}
    assert len(site.fleet.machines) == 1


def test_a_ready_studio_is_told_with_a_ticket_that_it_takes() -> None:
    site = Site()
    id_ = site.launch("p-1").id
    site.serve(id_)
    answer = site.launcher.status(id_, "p-1")
    assert (answer.state, answer.eta, answer.url) == ("ready", 0, "/ws/styletransfer")
    claims = Tickets(KEY.encode(), "EC2-192-0-2-9.example.com", site.world.clock).admit(answer.ticket, "p-1")
    assert claims.painting == "p-1"
    assert site.launcher.status(id_, "p-1").ticket != answer.ticket


def test_the_eta_is_learnt_from_past_boots() -> None:
    site = with_settings(max_studios=9)
    for seconds in (80, 90, 100):
        id_ = site.launch(f"p-{seconds}").id
        site.world.pass_until(site.world.now + seconds)
        site.serve(id_, busy=9)  # so that the next visitor needs another
        site.reaper.reap()
    answer = site.launch("p-4")
    assert answer.eta == 90
    site.world.pass_until(site.world.now + 95)
    assert site.launcher.status(answer.id, "p-4").eta == 5
    site.world.pass_until(site.world.now + 100)
    assert site.launcher.status(answer.id, "p-4").eta == 39  # longer than ever: a fifth of what it has taken


def test_a_free_easel_is_taken_first() -> None:
    site = Site()
    id_ = site.ready("p-1")
    assert site.launch("p-2").id == id_
    assert len(site.fleet.machines) == 1


def test_who_comes_while_a_studio_boots_waits_for_it() -> None:
    site = Site()
    assert len({site.launch(f"p-{number}").id for number in range(3)}) == 1
    assert site.launch("p-3").id != site.launch("p-0").id  # its queue is no longer short
    assert len(site.fleet.machines) == 2


def test_a_visitor_on_his_way_counts_until_he_is_there_or_does_not_come() -> None:
    site = Site()
    id_ = site.ready("p-0")
    for number in range(1, 4):
        assert site.launch(f"p-{number}").id == id_
    assert site.launch("p-4").id != id_
    site.world.pass_until(site.world.now + PROMISE + 1)
    site.report(id_)
    assert site.studio(id_).load(site.world.now) == 0
    assert site.launch("p-5").id == id_


def test_a_stopped_studio_is_started_before_another_is_launched() -> None:
    site = Site()
    id_ = site.ready("p-1")
    site.wait(SETTINGS.idle_stop + 240, renewing=id_)
    assert site.studio(id_).phase == "stopped"
    assert site.reserved() == 0
    answer = site.launch("p-2")
    assert (answer.id, answer.state, answer.eta) == (id_, "booting", 60)
    assert site.machine(id_).boots == 2
    assert site.reserved() == SETTINGS.deadline + GRACE, "its disk is full already"


def test_a_stopped_studio_that_was_told_otherwise_is_not_started_but_ended() -> None:
    site = Site()
    id_ = site.ready("p-1")
    site.wait(SETTINGS.idle_stop + 240, renewing=id_)
    machine = site.machine(id_)
    assert site.launch("p-2").id == id_, "it is as it is set"
    site.serve(id_)
    site.wait(SETTINGS.idle_stop + 240, renewing=id_)
    assert (machine.power, machine.boots) == ("stopped", 2)
    site.deploy(idle_end=9000)
    assert site.launch("p-3").id != id_
    site.reaper.reap()
    assert (machine.power, machine.boots) == ("shutting-down", 2)


def test_a_running_studio_that_was_told_otherwise_paints_to_the_end_and_takes_nobody_new() -> None:
    site = with_settings(max_studios=9)
    old = site.ready("p-1", busy=1)
    site.deploy()
    assert site.launcher.status(old, "p-1").ticket, "who has a painting there may come back"
    new = site.ready("p-2")
    assert new != old
    assert site.launch("p-3").id == new
    site.reaper.reap()
    assert site.machine(old).is_on
    site.report(old, busy=0)
    site.wait(60)
    assert not site.machine(old).is_on
    assert site.machine(new).is_on


def test_who_waited_for_a_run_that_is_over_is_told_though_another_has_begun() -> None:
    site = Site()
    id_ = site.launch("p-1").id
    site.fleet.stop(site.studio(id_).instance)
    site.wait(240)
    assert site.launch("p-2").id == id_
    with pytest.raises(Refusal) as refused:
        site.launcher.status(id_, "p-1")
    assert refused.value.code == "studio_ended"
    assert site.launch("p-1").id == id_
    assert site.launcher.status(id_, "p-1").state == "booting"


def test_a_studio_that_has_hung_gets_no_visitors() -> None:
    site = with_settings(max_studios=9)
    id_ = site.ready("p-1")
    site.world.pass_until(site.world.now + 91)
    with pytest.raises(Refusal) as refused:
        site.launcher.status(id_, "p-1")
    assert (refused.value.code, refused.value.status) == ("studio_ended", 410)
    assert site.launch("p-1").id != id_


def test_a_studio_near_its_deadline_gets_no_new_visitors() -> None:
    site = with_settings(max_studios=9)
    id_ = site.ready("p-1")
    site.world.pass_until(site.world.now + SETTINGS.deadline - 100)
    site.report(id_, coming={"p-1": site.world.now - 1})
    assert site.launch("p-2").id != id_
    assert site.launch("p-1").id == id_, "he is expected there"
    site.report(id_, coming={})
    assert site.launch("p-1").id != id_, "it would be refused there"
    assert site.launcher.status(id_, "p-1").ticket, "who has a painting there may come back"


def test_a_boot_that_takes_too_long_is_waited_for_no_longer() -> None:
    site = with_settings(max_studios=9)
    id_ = site.launch("p-1").id
    site.world.pass_until(site.world.now + BOOT + 1)
    with pytest.raises(Refusal):
        site.launcher.status(id_, "p-1")
    assert site.launch("p-1").id != id_


def test_no_machine_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()

    def refuse(studio: str, pools: Any) -> Any:
        raise Refused("InsufficientInstanceCapacity", pools)

    with monkeypatch.context() as patch:
        patch.setattr(site.fleet, "launch", refuse)
        none = refusal(site, "p-1")
    assert (none.code, none.status) == ("capacity_none", 503)
    assert 0 < (none.retry_after or 0) <= KEPT_OUT + 1
    assert site.is_over()
    site.world.pass_until(site.world.now + 60)
    assert refusal(site, "p-1").retry_after == KEPT_OUT - 60 + 1  # and nobody was asked
    site.world.pass_until(site.world.now + KEPT_OUT - 60)
    assert site.launch("p-1").state == "booting"


def test_pools_that_refused_are_kept_out_and_the_others_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    site = with_settings(max_studios=9)
    launch = site.fleet.launch

    def refuse_some(studio: str, pools: Any) -> Any:
        left = [pool for pool in pools if pool[0] != "g6.xlarge"]
        machine, _ = launch(studio, left)
        return machine, [pool for pool in pools if pool not in left]

    monkeypatch.setattr(site.fleet, "launch", refuse_some)
    assert site.launch("p-1").type == "g5.xlarge"
    monkeypatch.setattr(site.fleet, "launch", launch)
    for number in range(2, 5):
        assert site.launch(f"p-{number}").type == "g5.xlarge"
    site.world.pass_until(site.world.now + KEPT_OUT)
    assert {site.launch(f"p-{number}").type for number in range(5, 9)} == {"g5.xlarge", "g6.xlarge"}


def test_a_stopped_studio_without_capacity_gives_way_to_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    id_ = site.ready("p-1")
    site.wait(SETTINGS.idle_stop + 240, renewing=id_)

    def refuse(instance: str, pool: Any) -> None:
        raise Refused("InsufficientInstanceCapacity", [pool])

    monkeypatch.setattr(site.fleet, "start", refuse)
    answer = site.launch("p-2")
    assert answer.id != id_
    assert site.studio(id_).phase == "stopped"
    assert site.reserved() == RESERVED
    other = site.studio(answer.id)
    assert (other.type, other.subnet) != (site.studio(id_).type, site.studio(id_).subnet)


def test_a_stopped_studio_that_cannot_be_started_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    id_ = site.ready("p-1")
    site.wait(SETTINGS.idle_stop + 240, renewing=id_)

    def refuse(instance: str, pool: Any) -> None:
        raise Refused("IncorrectInstanceState")

    monkeypatch.setattr(site.fleet, "start", refuse)
    assert site.launch("p-2").id != id_
    site.wait(240)
    assert site.studio(id_).phase == "ended"


@pytest.mark.parametrize(
    ("reason", "code", "wait"),
    [(Throttled("RequestLimitExceeded"), "launcher_busy", 5), (OverQuota("VcpuLimitExceeded"), "quota_spent", 60)],
)
@pytest.mark.parametrize("asked", ["launch", "start"])
def test_where_too_much_is_asked_for_nothing_is_started_and_one_asks_again(
    monkeypatch: pytest.MonkeyPatch, asked: str, reason: Refused, code: str, wait: int
) -> None:
    site = Site()
    id_ = site.ready("p-1") if asked == "start" else ""
    site.wait(SETTINGS.idle_stop + 240, renewing=id_)

    def refuse(*_: object) -> Any:
        raise reason

    with monkeypatch.context() as patch:
        patch.setattr(site.fleet, asked, refuse)
        busy = refusal(site, "p-2")
    assert (busy.code, busy.status, busy.retry_after) == (code, 503, wait)
    assert site.reserved() == 0
    answer = site.launch("p-2")
    assert answer.state == "booting"
    assert answer.id == id_ or asked == "launch", "it can be started as before"


def test_pools_that_were_not_tried_are_asked_in_the_same_request(monkeypatch: pytest.MonkeyPatch) -> None:
    site = with_settings(subnets=("subnet-a", "subnet-b", "subnet-c", "subnet-d"))
    *others, last = site.settings.pools
    launch, asked = site.fleet.launch, []

    def try_three(studio: str, pools: Any) -> Any:
        asked.append(tuple(pools[:3]))
        if last not in pools[:3]:
            raise Refused("InsufficientInstanceCapacity, UnfulfillableCapacity", pools[:3])
        machine, _ = launch(studio, [last])
        return machine, pools[: pools.index(last)]

    monkeypatch.setattr(site.fleet, "launch", try_three)
    answer = site.launch("p-1")
    assert (answer.state, answer.type) == ("booting", last[0])
    assert [pool for pools in asked for pool in pools] == [*others, last]
    assert site.reserved() == RESERVED


def test_a_search_that_takes_too_long_goes_on_with_the_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    asked = []

    def refuse_slowly(studio: str, pools: Any) -> Any:
        asked.append(pools[0])
        site.world.pass_until(site.world.now + 10)
        raise Refused("InsufficientInstanceCapacity, UnfulfillableCapacity", pools[:1])

    monkeypatch.setattr(site.fleet, "launch", refuse_slowly)
    first = refusal(site, "p-1")
    assert (first.code, first.status, first.retry_after) == ("capacity_none", 503, 1)
    assert len(asked) == 2, "within the 25 seconds of a Lambda"
    assert refusal(site, "p-1").retry_after == 1
    assert refusal(site, "p-1").message.endswith("of no type and in no zone.")
    assert tuple(asked) == site.settings.pools, "each once"
    assert site.is_over()


@pytest.mark.parametrize(
    "reason",
    [Refused("UnauthorizedOperation"), Throttled("RequestLimitExceeded"), OverQuota("VcpuLimitExceeded"), NoImage("")],
)
def test_where_no_machine_is_to_be_had_a_long_queue_is_better_than_none(
    monkeypatch: pytest.MonkeyPatch, reason: Refused
) -> None:
    site = Site()
    id_ = site.ready("p-1", busy=5)

    def refuse(studio: str, pools: Any) -> Any:
        raise reason

    monkeypatch.setattr(site.fleet, "launch", refuse)
    assert site.launch("p-2").id == id_
    assert site.reserved() == RESERVED
    site.report(id_, busy=50)
    assert refusal(site, "p-3").status == 503


def test_an_image_that_is_still_being_made_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()

    def refuse(studio: str, pools: Any) -> Any:
        raise NoImage("SsmInvalidParameter")

    monkeypatch.setattr(site.fleet, "launch", refuse)
    refused = refusal(site, "p-1")
    assert (refused.code, refused.status, refused.retry_after) == ("image_none", 503, 120)
    assert site.is_over()


def test_what_the_cloud_should_not_refuse_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()

    def refuse(studio: str, pools: Any) -> Any:
        raise Refused("UnauthorizedOperation")

    monkeypatch.setattr(site.fleet, "launch", refuse)
    refused = refusal(site, "p-1")
    assert (refused.code, refused.retry_after) == ("cloud_unavailable", 60)
    assert "UnauthorizedOperation" in refused.message
    assert site.is_over()


def test_without_an_answer_the_studio_registers_itself_or_is_ended() -> None:
    site = Site(Faults(unclear=1.0))
    answers = [site.launch(f"p-{number}") for number in range(9)]
    assert {answer.state for answer in answers} == {"requested"}
    site.wait(SETTINGS.reservation + SETTINGS.idle_end + 900)
    assert site.is_over()


def test_the_days_budget_is_a_ceiling() -> None:
    site = with_settings(daily_seconds=2 * RESERVED + 100, max_studios=9)
    for number in range(2):
        site.ready(f"p-{number}", busy=99)
    spent = refusal(site, "p-9", "198.51.100.1")
    assert (spent.code, spent.status, spent.retry_after) == ("budget_spent", 503, 120)
    assert f"of {2 * RESERVED + 100} GPU-seconds 0 are used and {2 * RESERVED} reserved" in spent.message


def test_a_budget_that_is_used_up_comes_again_at_midnight() -> None:
    site = with_settings(daily_seconds=RESERVED + 100, address_seconds=RESERVED + 100)
    id_ = site.ready("p-1")
    site.wait(600, renewing=id_)
    site.launcher.end(id_, secret("p-1"))
    site.wait(120)
    for address, code, status in (("192.0.2.1", "address_spent", 429), ("192.0.2.2", "budget_spent", 503)):
        spent = refusal(site, "p-2", address)
        assert (spent.code, spent.status) == (code, status)
        assert day(site.world.now + (spent.retry_after or 0)) != day(site.world.now)
    site.world.pass_until(site.world.now + (spent.retry_after or 0))
    assert site.launch("p-2").state == "booting"


def test_one_address_has_less_than_all() -> None:
    site = with_settings(address_seconds=RESERVED, max_studios=9)
    site.ready("p-1", busy=99)
    assert refusal(site, "p-2").code == "address_spent"
    assert site.launch("p-3", "198.51.100.1").state == "booting"
    assert site.reserved() == 2 * RESERVED


def test_no_more_studios_run_than_may_and_a_long_queue_is_better_than_none() -> None:
    site = with_settings(max_studios=1)
    id_ = site.ready("p-1", busy=5)
    assert site.launch("p-2").id == id_
    site.report(id_, busy=50)
    many = refusal(site, "p-3")
    assert (many.code, many.status, many.retry_after) == ("studios_many", 503, 60)


def test_a_refused_visitor_reserves_nothing() -> None:
    site = with_settings(daily_seconds=RESERVED, max_studios=9)
    id_ = site.ready("p-1", busy=5)
    assert site.launch("p-2", "198.51.100.1").id == id_
    ledgers = [item for name, item in site.store.items.items() if name.startswith("ledger#")]
    assert [item["reserved"] for item in ledgers] == [RESERVED, RESERVED]


def test_only_who_launched_a_studio_may_end_it() -> None:
    site = Site()
    id_ = site.launch("p-1").id
    site.launcher.launch("p-1", "p-1", "192.0.2.1", "another secret, later")
    for owner in ("p-1", secret("p-2"), "another secret, later", ""):
        with pytest.raises(Refusal) as refused:
            site.launcher.end(id_, owner)
        assert (refused.value.code, refused.value.status) == ("key_wrong", 403)
    site.launcher.end(id_, secret("p-1"))
    assert site.machine(id_).power == "shutting-down"
    site.launcher.end(id_, secret("p-1"))
    site.wait(60)
    assert site.is_over()
    assert site.studio(id_).phase == "ended"
    site.launcher.end(id_, secret("p-1"))


def test_a_studio_that_was_launched_without_a_secret_is_ended_by_nobody_who_asks() -> None:
    site = Site()
    id_ = site.launcher.launch("p-1", "p-1", "192.0.2.1").id
    for owner in ("", "p-1"):
        with pytest.raises(Refusal, match="not launched with this secret"):
            site.launcher.end(id_, owner)


def test_the_secret_itself_is_not_kept() -> None:
    site = Site()
    site.launch("p-1")
    assert secret("p-1") not in repr(site.store.items)


def test_a_studio_where_something_is_painted_or_awaited_is_not_ended() -> None:
    site = Site()

    def refused(id_: str) -> Refusal:
        with pytest.raises(Refusal) as raised:
            site.launcher.end(id_, secret("p-1"))
        assert site.machine(id_).is_on
        return raised.value

    id_ = site.launch("p-1").id
    site.launch("p-2")
    waiting = refused(id_)
    assert (waiting.code, waiting.status) == ("studio_busy", 409)
    assert waiting.message == f"Paintings in the studio {id_} or on their way there: 2."
    site.report(id_, phase="loading", coming={}, busy=1)  # it goes on with what was put aside
    assert refused(id_).code == "studio_busy"
    site.serve(id_, busy=1)
    assert refused(id_).message.endswith("or on their way there: 1.")
    site.report(id_, busy=0, coming={"p-3": site.world.now})
    assert refused(id_).code == "studio_busy"
    site.report(id_, coming={})
    site.launcher.end(id_, secret("p-1"))
    assert not site.machine(id_).is_on


def test_whoever_launches_and_ends_again_and_again_spends_no_more_than_the_days_budget() -> None:
    site = with_settings(deadline=600, daily_seconds=32_000, address_seconds=32_000)
    code = ""
    for number in range(200):
        try:
            id_ = site.launch(f"p-{number}").id
        except Refusal as refused:
            code = refused.code
            break
        site.launcher.end(id_, secret(f"p-{number}"))
        site.wait(30)
    assert code == "address_spent"
    charged = len(site.fleet.machines) * (LEAST + SETTINGS.fill_seconds)
    assert 30_000 < charged <= 32_000


def test_what_was_ended_while_its_machine_was_asked_for_is_ended_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    launch = site.fleet.launch

    def end_meanwhile(studio: str, pools: Any) -> Any:
        machine = launch(studio, pools)
        site.launcher.end(studio, secret("p-1"))
        return machine

    monkeypatch.setattr(site.fleet, "launch", end_meanwhile)
    answer = site.launch("p-1")
    assert answer.state == "leaving"
    assert [machine.power for machine in site.fleet.machines.values()] == ["shutting-down"]


@pytest.mark.parametrize("ask", ["status", "end"])
def test_a_studio_that_there_is_not(ask: str) -> None:
    with pytest.raises(Refusal) as refused:
        getattr(Site().launcher, ask)("0" * 16, "p-1")
    assert (refused.value.code, refused.value.status) == ("studio_unknown", 404)


def test_many_at_once_with_one_key_launch_once(dynamodb: Any, ec2: Any, cloud: Settings) -> None:
    def launch(_: int) -> str:
        fleet = Ec2Fleet(ec2, cloud)
        launcher = Launcher(Table(dynamodb, cloud.table), fleet, cloud, lambda: KEY, lambda: 1_800_000_000.0)
        return launcher.launch("key", "p-1", "192.0.2.1").id

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(launch, range(8)))
    assert len(ids) == 1
    assert [machine.studio for machine in Ec2Fleet(ec2, cloud).instances()] == [*ids]


def test_many_at_once_never_exceed_what_may_run(dynamodb: Any, ec2: Any, cloud: Settings) -> None:
    few = replace(cloud, max_studios=2)

    def launch(number: int) -> str:
        launcher = Launcher(Table(dynamodb, few.table), Ec2Fleet(ec2, few), few, lambda: KEY, lambda: 1_800_000_000.0)
        return launcher.launch(f"p-{number}", f"p-{number}", f"192.0.2.{number}").id

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(launch, range(8)))
    assert len(set(ids)) == 2
    assert {machine.studio for machine in Ec2Fleet(ec2, few).instances()} == set(ids)
