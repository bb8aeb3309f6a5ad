"""The timeline: few enough to keep, spread evenly, and never in need of what was let go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.timeline import (
    CHECKPOINTS,
    FRAMES,
    checkpoint_name,
    frame_name,
    iterations,
    kept,
    stride,
    superfluous,
)

COUNTS = st.integers(1, 10_000)
MOST = st.sampled_from([FRAMES, CHECKPOINTS, 1])


def all_kept(of: int, most: int) -> list[int]:
    return [iteration for iteration in range(of) if kept(iteration, of, most)]


@pytest.mark.parametrize(("of", "apart"), [(1, 1), (100, 1), (101, 2), (200, 2), (201, 4), (10_000, 128)])
def test_the_stride_is_the_least_power_of_two_that_suffices(of: int, apart: int) -> None:
    assert stride(of, FRAMES) == apart


@given(COUNTS, MOST)
def test_at_most_so_many_are_kept_and_at_least_half_as_many(of: int, most: int) -> None:
    number = len(all_kept(of, most))
    assert min(of, most // 2) <= number <= most


@given(COUNTS, MOST)
def test_they_are_spread_evenly(of: int, most: int) -> None:
    apart = stride(of, most)
    assert all_kept(of, most) == list(range(apart - 1, of, apart))


@given(COUNTS, st.integers(0, 10_000), MOST)
def test_a_painting_that_grows_only_thins_out_what_it_has(of: int, more: int, most: int) -> None:
    assert set(all_kept(of + more, most)) & set(range(of)) <= set(all_kept(of, most))


@given(st.lists(st.tuples(st.integers(1, 300), st.booleans()), min_size=1, max_size=5))
def test_what_is_kept_of_a_painting_that_is_put_aside_and_grows_stays_within_bounds(
    growth: list[tuple[int, bool]],
) -> None:
    names: set[str] = {"photo", "artwork0", "picture"}
    of = at = 0
    for more, half in growth:
        of += more
        until = (at + of) // 2 if half else of - 1  # put aside on its way, or painted
        for iteration in range(at, until + 1):
            if kept(iteration, of, FRAMES):
                names.add(frame_name(iteration))
        names |= {frame_name(until), checkpoint_name(until)}
        names -= set(superfluous(sorted(names), until, of))
        at = until + 1
        assert names >= {"photo", "artwork0", "picture", frame_name(until), checkpoint_name(until)}
        assert len(iterations(sorted(names), "frames")) <= FRAMES
        assert len(iterations(sorted(names), "checkpoints")) <= CHECKPOINTS


@given(COUNTS, st.data())
def test_only_what_lies_too_close_is_superfluous(of: int, data: st.DataObject) -> None:
    newest = data.draw(st.integers(0, of - 1))
    names = [frame_name(each) for each in range(newest + 1)] + [checkpoint_name(each) for each in range(newest + 1)]
    left = sorted(set(names) - set(superfluous(names, newest, of)))
    for folder, most in (("frames", FRAMES), ("checkpoints", CHECKPOINTS)):
        expected = sorted({*(each for each in all_kept(of, most) if each < newest), newest})
        assert iterations(left, folder) == expected


def test_names_are_in_order_and_what_is_newer_is_left_alone() -> None:
    names = [frame_name(10), "photo", frame_name(9), checkpoint_name(3), frame_name(9_999)]
    assert iterations(names, "frames") == [9, 10, 9_999]
    assert iterations(sorted(names), "frames") == [9, 10, 9_999]
    assert superfluous([frame_name(500)], newest=400, of=1_000) == []
