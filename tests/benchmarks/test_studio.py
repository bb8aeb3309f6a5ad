"""The studio that is measured is a real one, and its viewers see what they say they see."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from benchmarks.studies import ROOT
from benchmarks.studio import Painted, Studio, pace, studio

pytestmark = pytest.mark.slow

RECIPE = {"size": 256, "scales": 1, "iterations": 100}


@pytest.fixture(scope="module")
def place() -> Iterator[Studio]:
    with studio() as found:
        yield found


def test_each_iteration_that_was_kept_tells_when_it_was_finished(place: Studio) -> None:
    began = time.time()
    painted = place.paint({**RECIPE, "size": 128, "iterations": 200})
    kept = list(painted.at)  # on a slow disk some are left out in the end
    assert kept == sorted(kept)
    assert set(kept) <= set(range(1, 200, 2))
    assert len(kept) > 5
    assert list(painted.at.values()) == sorted(painted.at.values())
    assert painted.span == (kept[0], 199)
    assert began - 0.01 < painted.at[kept[0]]
    assert painted.at[199] < time.time() + 0.01
    assert painted.seen is None


@pytest.mark.alone
def test_viewers_look_on_and_some_of_them_slowly(place: Studio) -> None:
    painted = place.paint(RECIPE, viewers=4, slow=2)
    seen = painted.seen
    assert seen
    assert painted.at[0] <= painted.since <= painted.at[99]
    assert (len(seen.rates), len(seen.slow_rates)) == (2, 2)
    assert 0 < max(seen.slow_rates) < min(seen.rates)
    assert 0 < min(seen.ages) <= max(seen.ages) < 5
    assert 0 < seen.load < 1
    assert seen.open <= 2, "who reads slowly may not have come to the end"
    assert seen.answered > 0


def test_idle_sockets_are_counted_and_take_memory(place: Studio) -> None:
    before = place.memory()
    with place.crowd(100) as crowd:
        held = place.memory()
        seen = crowd.leave()
    assert (seen.open, seen.ages, seen.load) == (100, [], 0)
    assert 0 < before - 20 < held < before + 20


def test_viewers_that_see_nothing_say_so_and_end(place: Studio, capfd: pytest.CaptureFixture[str]) -> None:
    with place.crowd(2) as crowd, pytest.raises(RuntimeError, match="before their time"):
        crowd.watch("no-such-painting")
    assert "The viewers gave up: There is no painting 'no-such-painting'" in capfd.readouterr().err


def test_bare_painting_says_when_each_iteration_was_finished() -> None:
    command = [sys.executable, "-m", "benchmarks.bare", "patches"]
    recipes = "".join(json.dumps({"size": 64, "iterations": iterations}) + "\n" for iterations in (4, 6))
    began = time.time()
    said = subprocess.run(command, cwd=ROOT, input=recipes, stdout=subprocess.PIPE, text=True, check=True).stdout
    first, second = map(json.loads, said.splitlines())
    assert (len(first), len(second)) == (4, 6)
    times = [began, *first, *second, time.time()]
    assert times == sorted(times)


def test_the_pace_is_that_of_the_clock_from_when_all_had_settled() -> None:
    at = {1: 10.0, 3: 11.0, 5: 13.0, 7: 15.0}
    assert pace(at, 1, 7) == pytest.approx(5 / 6)
    assert Painted(at, since=0).span == (1, 7)
    late = Painted(at, since=10.5)
    assert late.span == (3, 7)
    assert late.pace == 1


def test_a_painting_that_was_finished_too_soon_is_not_measured() -> None:
    with pytest.raises(RuntimeError, match="more iterations"):
        _ = Painted({1: 10.0, 3: 11.0}, since=10.5).pace
