"""The audience: the newest frame for whoever is ready, made once for all, and nothing for those who are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.audience import MOST_UNTAKEN, QUALITIES, QUICK, SLOW, STEADY, WINDOW, Audience, Seat
from controller.frame import Cut
from controller.messages import Want

JPEG, BINARY, PNG = Cut("jpeg"), Cut("jpeg", text=False), Cut("png")


class Onlooker:
    """Somebody who remembers what was shown."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def tell(self, state: str, data: Mapping[str, Any] | None) -> None:
        raise AssertionError("an audience shows frames only")

    def show(self, iteration: int, message: bytes) -> None:
        assert message.endswith(b" %d" % iteration)
        self.seen.append(iteration)


def seated(audience: Audience, cut: Cut = JPEG, every: bool = False) -> Onlooker:
    viewer = Onlooker()
    audience.seats[viewer] = Seat(cut, every)
    return viewer


def frame(cut: Cut, iteration: int) -> bytes:
    return f"{cut.format} {cut.quality} {iteration}".encode()


def framed(audience: Audience, cut: Cut, iteration: int) -> None:
    """A frame is made, and shown to whom it is due."""
    audience.framed(cut, iteration, frame(cut, iteration))
    for viewer, newest, message in audience.due(cut):
        viewer.show(newest, message)


def painted(audience: Audience, iteration: int) -> list[Want]:
    """An iteration is finished, and what is wanted of it made."""
    audience.iterated(iteration)
    wants = audience.wants()
    for want in wants:
        assert want.after < iteration
        framed(audience, want.cut, iteration)
    return wants


def took(audience: Audience, viewer: Onlooker, seconds: float = 0.2) -> bool:
    """A viewer has taken a frame, and is shown the next that is there."""
    changed = audience.taken(viewer, seconds)
    if shown := audience.due_to(viewer):
        viewer.show(*shown)
    return changed


def test_without_viewers_nothing_is_wanted() -> None:
    audience = Audience()
    assert painted(audience, 0) == []
    viewer = seated(audience)
    assert painted(audience, 1) == [Want(JPEG, -1)]
    audience.leave(viewer)
    assert painted(audience, 2) == []
    assert not audience.look().cuts


def test_a_frame_is_made_once_for_all_viewers_of_a_cut() -> None:
    audience = Audience()
    crowd = [seated(audience) for _ in range(20)]
    others = [seated(audience, BINARY) for _ in range(20)]
    assert painted(audience, 0) == [Want(JPEG, -1), Want(BINARY, -1)]
    assert all(viewer.seen == [0] for viewer in crowd + others)
    assert audience.look().cuts == {JPEG, BINARY}
    assert not audience.look().every


def test_a_frame_is_asked_for_once() -> None:
    audience = Audience()
    viewer = seated(audience)
    audience.iterated(0)
    assert audience.wants() == [Want(JPEG, -1)]
    audience.iterated(1)
    assert audience.wants() == []
    framed(audience, JPEG, 1)
    assert viewer.seen == [1]


def test_the_newest_is_shown_and_those_in_between_never() -> None:
    audience = Audience()
    slow, quick = seated(audience), seated(audience)
    for iteration in range(10):
        painted(audience, iteration)
        took(audience, quick)
    assert slow.seen == [0, 1]
    assert quick.seen == list(range(10))
    took(audience, slow)
    assert slow.seen == [0, 1, 9]


def test_a_viewer_that_is_not_ready_costs_nothing() -> None:
    audience = Audience()
    viewer = seated(audience)
    for iteration in range(WINDOW):
        assert painted(audience, iteration)
    assert painted(audience, 5) == []
    assert painted(audience, 6) == []
    took(audience, viewer)
    assert audience.wants() == [Want(JPEG, 1)]


def test_a_viewer_waits_for_the_frame_that_is_being_made_rather_than_take_an_old_one() -> None:
    audience = Audience()
    slow, quick = seated(audience), seated(audience)
    for iteration in range(4):
        painted(audience, iteration)
        took(audience, quick)
    audience.iterated(4)
    assert audience.wants() == [Want(JPEG, 3)]
    took(audience, slow)
    framed(audience, JPEG, 4)
    assert slow.seen == [0, 1, 4]


def test_who_wants_every_frame_gets_each_without_asking() -> None:
    audience = Audience()
    original = seated(audience, PNG, every=True)
    assert audience.look().every == {PNG}
    for iteration in range(200):
        audience.iterated(iteration)
        assert audience.wants() == []
    for iteration in range(200):
        framed(audience, PNG, iteration)
    assert original.seen == list(range(200))


def test_even_who_wants_every_frame_misses_some_rather_than_fill_the_memory() -> None:
    audience = Audience()
    original = seated(audience, PNG, every=True)
    large = b"x" * (MOST_UNTAKEN // 4)
    for iteration in range(20):
        audience.iterated(iteration)
        audience.framed(PNG, iteration, large + b" %d" % iteration)
        for viewer, newest, message in audience.due(PNG):
            viewer.show(newest, message)
    assert original.seen == [0, 1, 2, 3]
    took(audience, original)
    assert original.seen == [0, 1, 2, 3, 19]


def test_with_one_who_wants_every_frame_nobody_of_its_cut_has_to_ask() -> None:
    audience = Audience()
    original, other = seated(audience, PNG, every=True), seated(audience, PNG)
    audience.iterated(0)
    assert audience.wants() == []
    framed(audience, PNG, 0)
    assert original.seen == other.seen == [0]


def test_quality_goes_down_on_a_slow_link_and_up_on_a_quick_one() -> None:
    audience = Audience()
    viewer = seated(audience)
    seat = audience.seats[viewer]
    qualities = []
    for iteration, seconds in enumerate([2 * SLOW] * 3 + [QUICK / 2] * 3 * STEADY):
        painted(audience, iteration)
        before = seat.cut
        assert took(audience, viewer, seconds) == (seat.cut != before)
        qualities.append(seat.cut.quality)
    low, middle, high = QUALITIES
    assert JPEG.quality == middle
    assert qualities == [low] * (2 + STEADY) + [middle] * STEADY + [high] * (STEADY + 1)
    assert audience.look().cuts == {replace(JPEG, quality=high)}


def test_quality_stays_where_frames_arrive_neither_quickly_nor_slowly() -> None:
    audience = Audience()
    viewer = seated(audience)
    for iteration in range(4 * STEADY):
        painted(audience, iteration)
        assert not took(audience, viewer, 2 * QUICK if iteration % STEADY == 0 else QUICK / 2)
    assert audience.seats[viewer].cut == JPEG


def test_a_png_has_no_quality() -> None:
    audience = Audience()
    viewer = seated(audience, PNG)
    for iteration, seconds in enumerate([2 * SLOW] * 3 + [QUICK / 2] * 3 * STEADY):
        painted(audience, iteration)
        assert not took(audience, viewer, seconds)


def test_a_quality_that_was_asked_for_and_dropped_can_be_asked_for_again() -> None:
    audience = Audience()
    viewer = seated(audience)
    painted(audience, 0)
    audience.iterated(1)
    assert audience.wants() == [Want(JPEG, 0)]  # which no easel makes any more once nobody wants it
    assert audience.taken(viewer, 2 * SLOW)
    iteration = 2
    while audience.seats[viewer].cut != JPEG:
        painted(audience, iteration)
        took(audience, viewer, QUICK / 2)
        iteration += 1
    assert painted(audience, iteration) == [Want(JPEG, 0)]
    assert viewer.seen[-1] == iteration


def test_what_nobody_asked_for_is_not_taken() -> None:
    audience = Audience()
    viewer, stranger = seated(audience), Onlooker()
    assert not audience.taken(viewer, 0.0)
    assert not audience.taken(stranger, 0.0)
    audience.leave(stranger)
    assert list(audience.seats) == [viewer]


def test_after_a_rewind_all_is_new() -> None:
    audience = Audience()
    viewer = seated(audience)
    for iteration in range(10):
        painted(audience, iteration)
        took(audience, viewer)
    audience.rewound()
    assert audience.wants() == []
    painted(audience, 4)
    assert viewer.seen[-2:] == [9, 4]


def test_who_looks_back_is_shown_nothing_new_meanwhile() -> None:
    audience = Audience()
    viewer = seated(audience)
    seat = audience.seats[viewer]
    seat.live = False
    assert painted(audience, 3) == []
    framed(audience, JPEG, 3)
    assert list(audience.last()) == []
    seat.shown, seat.live = 2, True
    assert audience.due_to(viewer) == (3, frame(JPEG, 3))


def test_what_a_dead_easel_was_asked_for_is_asked_for_again() -> None:
    audience = Audience()
    seated(audience)
    audience.iterated(7)
    assert audience.wants() == [Want(JPEG, -1)]
    audience.begun()
    assert audience.wants() == [Want(JPEG, -1)]


def test_after_a_recovery_nobody_is_shown_what_they_have_seen() -> None:
    audience = Audience()
    viewer = seated(audience)
    for iteration in [*range(10), *range(5, 12)]:
        painted(audience, iteration)
        took(audience, viewer)
    assert viewer.seen == list(range(12))


def test_the_last_frame_reaches_everybody_ready_or_not() -> None:
    audience = Audience()
    slow, original, other = seated(audience), seated(audience, PNG, every=True), seated(audience, BINARY)
    for iteration in range(5):
        painted(audience, iteration)
        framed(audience, PNG, iteration)
        took(audience, other)
    framed(audience, JPEG, 4)
    assert slow.seen == [0, 1]
    for viewer, newest, message in audience.last():
        viewer.show(newest, message)
    assert [viewer.seen[-1] for viewer in (slow, original, other)] == [4, 4, 4]
    assert list(audience.last()) == []
    assert len(audience.seats[slow].flying) == WINDOW + 1


@pytest.mark.parametrize("late", [False, True])
def test_the_last_frame_is_not_lost_with_a_change_of_quality(late: bool) -> None:
    audience = Audience()
    viewer = seated(audience)
    for iteration in range(WINDOW):
        painted(audience, iteration)
    if late:
        audience.framed(JPEG, 5, frame(JPEG, 5))
    assert audience.taken(viewer, 2 * SLOW)
    if not late:
        audience.framed(JPEG, 5, frame(JPEG, 5))
    assert list(audience.last()) == [(viewer, 5, frame(JPEG, 5))]


class AnyOrder(RuleBasedStateMachine):
    """Viewers come, take their time and go, while a painting is painted, dies and is rewound."""

    def __init__(self) -> None:
        super().__init__()
        self.audience = Audience()
        self.viewers: list[Onlooker] = []
        self.flying: Counter[Onlooker] = Counter()
        self.iteration = -1
        self.asked: list[Want] = []
        self.ever: set[int] = set()

    def some(self, data: st.DataObject) -> Onlooker:
        return self.viewers[data.draw(st.integers(0, len(self.viewers) - 1))]

    def shown(self, frames: list[tuple[Any, int, bytes]]) -> None:
        for viewer, iteration, message in frames:
            assert viewer in self.viewers
            assert not viewer.seen or iteration > viewer.seen[-1], "never an older one after a newer one"
            viewer.show(iteration, message)
            self.flying[viewer] += 1
            assert self.flying[viewer] <= WINDOW

    def want(self) -> None:
        wants = self.audience.wants()
        cuts = self.audience.look().cuts
        for want in wants:
            assert want.cut in cuts
            assert want.cut not in [asked.cut for asked in self.asked]
        self.asked += wants

    @precondition(lambda self: len(self.viewers) < 4)
    @rule(cut=st.sampled_from([JPEG, BINARY, PNG]))
    def join(self, cut: Cut) -> None:
        viewer = seated(self.audience, cut)
        self.viewers.append(viewer)
        if shown := self.audience.due_to(viewer):
            self.shown([(viewer, *shown)])
        self.look()

    @precondition(lambda self: self.viewers)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        viewer = self.some(data)
        self.audience.leave(viewer)
        self.viewers.remove(viewer)
        self.look()

    @precondition(lambda self: self.viewers)
    @rule(data=st.data(), seconds=st.sampled_from([QUICK / 2, QUICK * 2, SLOW * 2]))
    def take(self, data: st.DataObject, seconds: float) -> None:
        viewer = self.some(data)
        if self.flying[viewer]:
            self.flying[viewer] -= 1
            if self.audience.taken(viewer, seconds):
                self.look()
            if shown := self.audience.due_to(viewer):
                self.shown([(viewer, *shown)])
            self.want()

    @rule(times=st.integers(1, 3))
    def paint(self, times: int) -> None:
        for _ in range(times):
            self.iteration += 1
            self.audience.iterated(self.iteration)
            self.want()

    @precondition(lambda self: self.asked)
    @rule()
    def make(self) -> None:
        """The easel makes what it was asked for, if there is something newer."""
        for want in self.asked:
            if self.iteration > want.after:
                self.asked.remove(want)
                self.audience.framed(want.cut, self.iteration, frame(want.cut, self.iteration))
                self.shown(self.audience.due(want.cut))
                self.want()
                return

    @rule(back=st.integers(0, 5))
    def die(self, back: int) -> None:
        self.iteration = max(-1, self.iteration - back)
        self.asked.clear()
        self.audience.begun()

    @rule(back=st.integers(0, 5))
    def rewind(self, back: int) -> None:
        self.iteration = max(-1, self.iteration - back)
        self.asked.clear()
        self.audience.rewound()
        for viewer in self.viewers:
            viewer.seen.clear()

    def look(self) -> None:
        """As a scribe does: what nobody wants is not made."""
        cuts = self.audience.look().cuts
        self.asked = [want for want in self.asked if want.cut in cuts]

    @invariant()
    def no_more_is_flying_than_may(self) -> None:
        for viewer in self.viewers:
            assert len(self.audience.seats[viewer].flying) == self.flying[viewer] <= WINDOW

    def teardown(self) -> None:
        """Whoever takes what it is shown sees the newest in the end."""
        reached = [*(want.after for want in self.asked), *(viewer.seen[-1] for viewer in self.viewers if viewer.seen)]
        self.paint(max(0, max(reached, default=-1) - self.iteration))  # what was painted before an easel died
        for _ in range(20):
            for viewer in self.viewers:
                while self.flying[viewer]:
                    self.flying[viewer] -= 1
                    self.audience.taken(viewer, QUICK * 2)
                    if shown := self.audience.due_to(viewer):
                        self.shown([(viewer, *shown)])
            self.paint(1)
            while any(self.iteration > want.after for want in self.asked):
                self.make()
        assert all(viewer.seen[-1] == self.iteration for viewer in self.viewers)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40)
