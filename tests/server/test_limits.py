"""The limits as options, and the counting behind them."""

from __future__ import annotations

import argparse
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.limits import Counts, Limits, Rate, add_arguments, limits, neighbourhood


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def parsed(*words: str) -> Limits:
    parser = argparse.ArgumentParser(prog="visualneurons serve")
    add_arguments(parser)
    return Limits.from_arguments(parser.parse_args(words))


def test_without_options_they_are_the_defaults() -> None:
    assert parsed() == Limits()


@pytest.mark.parametrize("name", limits())
def test_each_is_an_option_within_its_range(name: str) -> None:
    limit, kind = limits()[name], type(getattr(Limits(), name))
    for value in (limit.low, limit.high):
        changed = parsed(f"--limit-{name}", f"{value:.12g}")
        assert dataclasses.asdict(changed) == {**dataclasses.asdict(Limits()), name: value}
        assert type(getattr(changed, name)) is kind
    assert limit.low <= getattr(Limits(), name) <= limit.high


@pytest.mark.parametrize("name", limits())
@pytest.mark.parametrize("text", ["-1", "1e99", "nan", "inf", "many", "", "8 MiB"])
def test_nonsense_is_refused_in_a_sentence(name: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(f"--limit-{name}={text}")
    assert ended.value.code == 2
    limit = limits()[name]
    whole = "whole " if isinstance(getattr(Limits(), name), int) else ""
    span = f"from {limit.low:,.12g} to {limit.high:,.12g} {limit.unit}".strip()
    said = capsys.readouterr().err
    assert said.endswith(f"argument --limit-{name}: {text!r} is not a limit: it must be a {whole}number {span}\n")


def test_the_help_tells_what_each_is_with_its_default() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    told = " ".join(parser.format_help().split())
    for name, limit in limits().items():
        assert f"--limit-{name} N {limit.description} (default: {getattr(Limits(), name):g}" in told
    assert "(default: 32 MiB)" in told
    assert "(default: 100)" in told


def test_a_rate_allows_a_burst_of_twice_and_then_what_it_says() -> None:
    clock = Clock()
    rate = Rate(20, clock)
    assert [rate.take() for _ in range(41)] == [True] * 40 + [False]
    clock.now += 1
    assert [rate.take() for _ in range(21)] == [True] * 20 + [False]
    clock.now += 3600
    assert [rate.take() for _ in range(41)] == [True] * 40 + [False], "an hour of silence saves up no more"


def test_a_rate_below_one_a_second_still_lets_one_pass() -> None:
    clock = Clock()
    rate = Rate(0.125, clock)
    assert [rate.take(), rate.take()] == [True, False]
    clock.now += 7
    assert not rate.take()
    clock.now += 1
    assert rate.take()


@given(st.lists(st.floats(0, 5), max_size=100))
def test_no_pattern_of_messages_beats_the_rate(pauses: list[float]) -> None:
    clock = Clock()
    rate = Rate(5, clock)
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += rate.take()
    assert passed <= 10 + 5 * (clock.now - 1000) + 1e-6


def test_counts_are_by_address_and_come_back() -> None:
    counts = Counts(2)
    assert [counts.take("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert counts.take("192.0.2.2")
    counts.release("192.0.2.1")
    assert [counts.take("192.0.2.1") for _ in range(2)] == [True, False]


def test_a_household_with_ipv6_counts_once() -> None:
    counts = Counts(2)
    assert counts.take("2001:db8::1")
    assert counts.take("2001:db8::2")
    assert not counts.take("2001:db8::ffff:0:0:1")
    assert counts.take("2001:db8:0:1::1")
    counts.release("2001:db8::3")
    assert counts.take("2001:db8::1")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0:1:2:3:4", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("/run/socket", "/run/socket"),
    ],
)
def test_whom_an_address_counts_for(address: str, expected: str) -> None:
    assert neighbourhood(address) == expected
