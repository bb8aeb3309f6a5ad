from __future__ import annotations

from typing import Any

import pytest

from lambda_launcher.brake import AGAIN, BRAKE, FAILED, PAUSE
from lambda_launcher.errors import Refusal
from lambda_launcher.fleet import Refused, Unclear
from lambda_launcher.reaper import UNSEEN
from lambda_launcher.studio import BOOT, LEASE
from tests.lambda_launcher.site import SETTINGS, Site, secret


def failed(site: Site) -> int:
    """How many boots in a row have failed."""
    count: int = site.store.items.get(BRAKE, {}).get("failed", 0)
    return count


def fail(site: Site, painting: str) -> str:
    """Launch a studio that ends before it is ready; return its id."""
    id_ = site.launch(painting).id
    site.world.pass_until(site.world.now + 40)
    site.fleet.take(site.machine(id_))  # it has switched itself off
    site.reaper.reap()
    return id_


def broken() -> Site:
    """A site whose studios have failed often enough."""
    site = Site()
    for _ in range(FAILED):
        fail(site, "p-1")
    return site


def test_where_boot_after_boot_fails_no_new_machine_is_asked_for_until_a_pause_is_over() -> None:
    site = broken()
    with pytest.raises(Refusal, match=f"The last {FAILED} studios ended before they were ready") as refused:
        site.launch("p-1")
    assert (refused.value.code, refused.value.status, refused.value.retry_after) == ("studios_broken", 503, AGAIN)
    assert (len(site.fleet.machines), site.reserved()) == (FAILED, 0)
    site.world.pass_until(site.world.now + PAUSE - 1)
    with pytest.raises(Refusal):
        site.launch("p-1")
    site.world.pass_until(site.world.now + 2)
    fail(site, "p-1")
    with pytest.raises(Refusal, match=f"The last {FAILED + 1} studios"):
        site.launch("p-1")


def test_one_that_is_ready_releases_it() -> None:
    site = Site()
    for _ in range(FAILED - 1):
        fail(site, "p-1")
    site.ready("p-1", busy=9)
    site.reaper.reap()
    assert failed(site) == 0


def test_one_that_was_ready_and_gone_before_the_reaper_came_releases_it() -> None:
    site = Site()
    fail(site, "p-1")
    site.fleet.take(site.machine(site.ready("p-1")))
    site.reaper.reap()
    assert failed(site) == 0


def test_the_end_of_one_that_was_ready_long_ago_does_not_release_it() -> None:
    site = Site()
    old = site.ready("p-0", busy=9)
    site.reaper.reap()
    fail(site, "p-1")
    site.fleet.take(site.machine(old))
    site.reaper.reap()
    assert failed(site) == 1


@pytest.mark.parametrize("silent", [LEASE, BOOT])
def test_one_that_hangs_has_failed_once(silent: float) -> None:
    site = Site()
    id_ = site.launch("p-1").id
    if silent == LEASE:
        site.report(id_, phase="loading")
    site.wait(silent + 180)
    assert site.studio(id_).phase == "ended"
    assert failed(site) == 1


def test_one_that_leaves_since_it_cannot_paint_has_failed_whoever_has_come_there() -> None:
    site = Site()
    id_ = site.launch("p-1").id
    site.report(id_, phase="loading", coming={}, busy=1)  # it would go on with what was put aside
    site.report(id_, phase="leaving", goal="ended", left=site.world.now)
    site.fleet.take(site.machine(id_))
    site.reaper.reap()
    assert failed(site) == 1


def test_what_its_visitor_has_given_up_has_not_failed() -> None:
    site = Site()
    for _ in range(FAILED + 1):
        site.launcher.end(site.launch("p-1").id, secret("p-1"))
        site.wait(60)
    assert len(site.fleet.machines) == FAILED + 1
    assert failed(site) == 0


def test_what_was_never_started_has_not_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()

    def stay_silent(studio: str, pools: Any) -> Any:
        raise Unclear("no answer")

    monkeypatch.setattr(site.fleet, "launch", stay_silent)
    id_ = site.launch("p-1").id
    site.wait(UNSEEN + 60)
    assert site.studio(id_).phase == "ended"
    assert failed(site) == 0


def test_one_that_stopped_and_cannot_be_started_has_not_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    id_ = site.ready("p-0")
    site.wait(SETTINGS.idle_stop + 240, renewing=id_)

    def refuse(instance: str, pool: Any) -> None:
        raise Refused("IncorrectInstanceState")

    monkeypatch.setattr(site.fleet, "start", refuse)
    assert site.launch("p-1").id != id_
    site.wait(180)
    assert site.studio(id_).phase == "ended"
    assert failed(site) == 0


def test_one_that_stopped_is_started_all_the_same() -> None:
    site = Site()
    id_ = site.ready("p-0")
    site.wait(SETTINGS.idle_stop + 240, renewing=id_)
    assert site.studio(id_).phase == "stopped"
    site.store.items[BRAKE] = {"failed": FAILED, "last": site.world.now, "version": 1}
    assert site.launch("p-1").id == id_
