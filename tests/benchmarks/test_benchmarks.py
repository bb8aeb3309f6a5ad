"""Each benchmark runs, in miniature, and prints rows: what is measured, how much it is, how much it should be."""

from __future__ import annotations

import math
import re

import pytest

from benchmarks.__main__ import BENCHMARKS, machine, main, row
from benchmarks.clock import in_turns, ratio
from benchmarks.figure import Figure, Target, at_least, at_most
from model.backend import device

ROW = re.compile(
    r"(?P<benchmark>\w+) +(?P<name>\S.*?) +(?P<value>[\d.,e+-]+|inf)"
    r"(?: (?P<unit>m?s|/s|×|%|¢|GF/s|kB|KiB|MiB))?(?: +[≥≤] \S+)?"
)


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_prints_its_figures(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([name, "--quick"])
    head, note, *rows = capsys.readouterr().out.splitlines()
    assert head == machine()
    assert note.startswith("--quick")
    assert rows
    for line in rows:
        found = ROW.fullmatch(line)
        assert found, line
        assert found["benchmark"] == name
        assert not math.isnan(float(found["value"].replace(",", "")))


def test_the_head_names_the_machine_and_the_software() -> None:
    assert machine().startswith(device())
    assert re.search(r"\d+ cores, .*keras \d+\.\d+", machine())


def test_a_name_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["speed"])
    assert "there is no benchmark 'speed', only step," in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "good", "bad", "shown"), [(at_least(4.5), 4.5, 4.49, "≥ 4.5"), (at_most(10), 10, 10.1, "≤ 10")]
)
def test_a_row_says_honestly_whether_the_target_is_met(target: Target, good: float, bad: float, shown: str) -> None:
    assert row("step", Figure("ours", good, "×", target), judged=True).endswith(f"{shown:<7} ok")
    assert row("step", Figure("ours", bad, "×", target), judged=True).endswith(f"{shown:<7} MISSED")
    assert row("step", Figure("ours", bad, "×", target), judged=False).endswith(shown)


def test_things_are_timed_in_turns_after_a_warm_up() -> None:
    done: list[str] = []
    times = in_turns({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, rounds=2, warm_up=1)
    assert done == ["a", "b"] * 3
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 2, "b": 2}


def test_a_ratio_compares_what_met_the_same_machine() -> None:
    assert ratio([2, 20, 200], [1, 10, 100]) == 2
