"""What a studio tells and concludes: the plain rules, and that the launcher means the same by the same numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambda_launcher import studio
from server.cloud import rules
from server.cloud.place import METADATA, Place
from server.cloud.rules import BOOT, LAST, LEASE, MARGIN, PROMISE, UNHEARD, Entry, Own, farewell, over, report, unwanted

NOW = 1_800_000_000.0
IDLE = 420.0
READY = Entry(3, "ready", "i-1", NOW - 3000, NOW + 600, NOW - 10, NOW - 2800)
LOADING = Entry(2, "loading", "i-1", NOW - 100, NOW + 3500, NOW - 100)
OWN = Own("i-1", "ec2.example", 1, True, "", 0, NOW - 10, frozenset())
LONG_IDLE = replace(READY, active=NOW - IDLE - MARGIN - 1), replace(OWN, active=NOW - IDLE - MARGIN - 1)


def test_the_launcher_means_the_same_by_these_numbers() -> None:
    theirs = studio.LEASE, studio.BOOT, studio.PROMISE
    assert theirs == (LEASE, BOOT, PROMISE)
    assert studio.COMING | {"ready"} == rules._WANTED


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (None, "the table knows no such studio"),
        (replace(READY, phase="stopped"), "the table has it as stopped"),
        (replace(READY, phase="ended"), "the table has it as ended"),
        (replace(READY, phase="leaving"), "the table has it as leaving"),
        (replace(READY, instance="i-2"), "the table has it on another machine, i-2"),
    ],
)
def test_what_is_not_wanted(entry: Entry | None, why: str) -> None:
    assert entry is None or not entry.is_of("i-1")
    assert unwanted(entry) == why


@pytest.mark.parametrize(
    "entry", [READY, LOADING, replace(LOADING, instance=""), replace(LOADING, phase="requested", instance="")]
)
def test_what_is_wanted(entry: Entry) -> None:
    assert entry.is_of("i-1")


@pytest.mark.parametrize(
    ("entry", "own", "idle_stop", "why"),
    [
        (READY, OWN, IDLE, ""),
        (READY, replace(OWN, problem="No GPU."), IDLE, "it cannot paint: No GPU."),
        (replace(READY, deadline=NOW), OWN, IDLE, "its deadline has come"),
        (replace(READY, deadline=NOW + 1), OWN, IDLE, ""),
        (LOADING, replace(OWN, is_loaded=False), IDLE, ""),
        (replace(LOADING, began=NOW - BOOT - 1), OWN, IDLE, "it was not ready within 600 s"),
        (*LONG_IDLE, IDLE, "nobody has done anything for 601 s"),
        (LONG_IDLE[0], replace(LONG_IDLE[1], busy=1), IDLE, ""),
        (LONG_IDLE[0], OWN, IDLE, ""),  # somebody has just done something
        (replace(READY, active=NOW - IDLE - 1), replace(OWN, active=0), IDLE, ""),  # it is for the reaper to stop it
        (replace(LONG_IDLE[0], ready=NOW - 60), LONG_IDLE[1], IDLE, ""),
        (replace(LONG_IDLE[0], coming={"p": NOW - PROMISE + 1}), LONG_IDLE[1], IDLE, ""),
        (replace(LONG_IDLE[0], coming={"p": NOW - PROMISE}), LONG_IDLE[1], IDLE, "nobody has done anything for 601 s"),
        # As the original did: it ends when what it paints has ended.
        (READY, OWN, 0, ""),
        (replace(READY, active=0), replace(OWN, active=NOW - PROMISE - 1), 0, "nobody has done anything for 21 s"),
        (replace(READY, active=0), replace(OWN, active=NOW - PROMISE - 1, busy=1), 0, ""),
        (replace(READY, active=0, ready=NOW - 5, coming={"p": NOW - 200}), replace(OWN, active=0), 0, ""),
    ],
)
def test_when_its_time_is_over(entry: Entry, own: Own, idle_stop: float, why: str) -> None:
    assert over(entry, own, NOW, idle_stop) == why


def test_nothing_that_keeps_it_from_leaving_lasts() -> None:
    """Whatever visitors do, the deadline comes; and with the reaper lost, nobody's doing anything ends it, too."""
    awaited = replace(READY, coming={"p": NOW}, active=NOW, deadline=NOW + 10**6)
    later = NOW + IDLE + MARGIN + 1
    assert over(awaited, replace(OWN, active=NOW), later, IDLE) != ""
    assert over(awaited, replace(OWN, busy=9), NOW + 10**6, IDLE) == "its deadline has come"
    assert LEASE < UNHEARD
    assert LAST < 240, "the launcher sends nobody from then on, so nobody who was just sent is refused"


def test_what_it_tells_while_it_boots() -> None:
    told = {"instance": "i-1", "dns": "ec2.example", "lease": NOW + LEASE, "active": NOW - 10, "busy": 0}
    loading, ready = replace(OWN, is_loaded=False), {"phase": "ready", "ready": NOW, "easels": 1}
    for phase in ("requested", "booting"):
        assert report(replace(LOADING, phase=phase), loading, NOW) == ({**told, "phase": "loading"}, [])
        assert report(replace(LOADING, phase=phase), OWN, NOW) == (told | ready, [])
    assert report(LOADING, loading, NOW) == (told, [])
    assert report(LOADING, OWN, NOW) == (told | ready, [])
    assert report(READY, loading, NOW) == (told, []), "it crashed and was started again: it takes paintings at once"
    assert report(READY, OWN, NOW) == (told, [])


def test_what_it_tells_of_its_visitors() -> None:
    entry = replace(READY, active=NOW - 5, coming={"p-1": NOW - 9, "p-2": NOW - 8, "p-3": NOW - 7})
    own = replace(OWN, busy=2, active=NOW - 1, paintings=frozenset({"p-1", "p-3", "p-9"}))
    values, came = report(entry, own, NOW)
    assert (values["busy"], values["active"], came) == (2, NOW - 1, ["p-1", "p-3"])
    values, _ = report(replace(entry, active=NOW), own, NOW)
    assert values["active"] == NOW, "the launcher has just sent somebody"


def test_farewell() -> None:
    assert farewell(NOW) == {"phase": "leaving", "goal": "ended", "left": NOW}


def test_where_it_is() -> None:
    given = {"STUDIO": "a1b2", "INSTANCE": "i-1", "TABLE": "studios", "IDLE_STOP": "420"}
    assert Place.from_environment({}) is None
    assert Place.from_environment({**given, "STUDIO": ""}) is None
    assert Place.from_environment(given) == Place("a1b2", "i-1", "studios", 420, METADATA)
    asked = Place.from_environment({**given, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9/"})
    assert asked == Place("a1b2", "i-1", "studios", 420, "http://127.0.0.1:9")
    with pytest.raises(ValueError, match=r"a studio in the cloud, but INSTANCE and TABLE are not\. Set them, "):
        Place.from_environment({"STUDIO": "a1b2", "IDLE_STOP": "420"})
    with pytest.raises(ValueError, match=r"a studio in the cloud, but TABLE is not\. Set it, too\."):
        Place.from_environment({**given, "TABLE": ""})
    with pytest.raises(ValueError, match="IDLE_STOP is 'soon', not a whole number of seconds"):
        Place.from_environment({**given, "IDLE_STOP": "soon"})
