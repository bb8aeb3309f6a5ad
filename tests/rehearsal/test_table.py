"""The table at the terminal."""

from __future__ import annotations

import dataclasses

from lambda_launcher.studio import Studio
from rehearsal.table import lines, news
from rehearsal.view import View

BOOTING = Studio(
    id="a1b2c3d4e5f6g7h8",
    phase="booting",
    owner="",
    began=1000,
    deadline=2800,
    day="2026-11-21",
    address="127.0.0.1",
    reserved=2100,
    lease=0,
    active=1000,
    type="g6.xlarge",
)
READY = dataclasses.replace(BOOTING, phase="ready", lease=1165, busy=1)
ENDED = dataclasses.replace(BOOTING, phase="ended", left=1200, lease=0, reserved=0)


def test_it_says_what_each_studio_does_and_costs() -> None:
    first, row, money = lines(View(1100, (READY,), 0, 2100))
    assert first.split() == ["studio", "type", "phase", "runs", "for", "paints", "lease", "costs"]
    assert row.split() == ["a1b2c3d4e5f6g7h8", "g6.xlarge", "ready", "1:40", "1", "65", "s", "$0.078"]
    assert money == "today: 0 GPU-seconds used, 2100 reserved; in EC2 this would have cost $0.078"


def test_what_has_ended_costs_no_more() -> None:
    early, late = (lines(View(now, (ENDED,), 200, 0))[1] for now in (1200, 5000))
    assert early == late
    assert late.split() == ["a1b2c3d4e5f6g7h8", "g6.xlarge", "ended", "3:20", "–", "–", "$0.102"]


def test_it_says_that_there_is_nobody() -> None:
    assert lines(View(1000, (), 0, 0))[1] == "no studio: nobody has asked for one yet"


def test_the_columns_stand_below_their_headings() -> None:
    requested = dataclasses.replace(BOOTING, phase="requested", type="")
    first, *rows, _ = lines(View(1100, (READY, requested, ENDED), 0, 2100))
    for heading in ("type", "phase", "runs for", "lease", "costs"):
        place = first.index(heading)
        assert all(row[place - 1] == " " and row[place] != " " for row in rows), heading


def test_news_are_told_once() -> None:
    booting, ready = View(1100, (BOOTING,), 0, 2100), View(1142, (READY,), 0, 2100)
    (begun,) = news(None, booting)
    assert begun.startswith("studio a1b2c3d4e5f6g7h8 (g6.xlarge): booting, after 100 s; today:")
    (come,) = news(booting, ready)
    assert come.startswith("studio a1b2c3d4e5f6g7h8 (g6.xlarge): ready, paints 1, after 142 s; today:")
    assert list(news(ready, dataclasses.replace(ready, now=1150))) == []
