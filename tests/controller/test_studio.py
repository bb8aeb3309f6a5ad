"""The studio's mind: nothing is lost, nobody is overtaken, and all is finished in the end, whatever happens when."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.painting import Painting
from controller.states import MOVES, Move
from controller.studio import DEATHS, Note, Paint, Studio, Tell
from model.errors import Refusal
from tests.controller.workshop import Workshop, painting

EASELS = 2
PEOPLE: dict[Move, Callable[[Studio, Painting], Any]] = {
    "pause": lambda studio, of: studio.pause(of),
    "resume": lambda studio, of: studio.resume(of),
    "finish": lambda studio, of: studio.finish(of),
    "more": lambda studio, of: studio.more(of, 1),
    "rewind": lambda studio, of: studio.rewind(of, of.iteration),
    "steer": lambda studio, of: studio.steer(of, {"style_weight": 2}),
    "cancel": lambda studio, of: studio.cancel(of),
}


def snapshot(studio: Studio) -> Any:
    """All that the studio knows."""
    return copy.deepcopy(({id: vars(of) for id, of in studio.paintings.items()}, studio.easels, studio.leaving))


class AnyOrder(RuleBasedStateMachine):
    """Whatever people, easels and the gallery do, and in whatever order they do it."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = Workshop(EASELS)
        self.studio = self.shop.studio
        self.accepted: dict[str, Painting] = {}
        self.promised: dict[str, tuple[int, int]] = {}  # how many iterations there shall be, at least and at most
        self.killed: dict[str, int] = {}
        self.left = -1  # how many paintings had been begun when the studio closed

    # ---------------------------------------------------------------- people

    @precondition(lambda self: len(self.accepted) < 3)
    @rule(of=st.integers(1, 5))
    def accept(self, of: int) -> None:
        number = len(self.accepted)
        new = painting("abc"[-number], of, order=float(number))
        self.accepted[new.id], self.promised[new.id], self.killed[new.id] = new, (of, of), 0
        self.shop.accept(new)

    @precondition(lambda self: self.accepted)
    @rule(data=st.data())
    def somebody_asks_for_something(self, data: st.DataObject) -> None:
        of = self.accepted[data.draw(st.sampled_from(sorted(self.accepted)))]
        possible = [move for move in PEOPLE if move in MOVES[of.state] and not (move == "rewind" and of.iteration < 0)]
        if not possible:
            return
        move = data.draw(st.sampled_from([move for move in possible if move != "cancel"] * 4 + ["cancel"]))
        studio, (least, most), (before, painted) = self.studio, self.promised[of.id], (of.state, of.iteration + 1)
        if before == "finished":
            least = most = of.of
        match move:
            case "more":
                iterations = data.draw(st.integers(1, 3))
                self.shop.do(studio.more(of, iterations))
                least, most = least + iterations, most + iterations
            case "rewind":
                self.shop.do(studio.rewind(of, data.draw(st.integers(0, of.iteration))))
            case "steer":
                self.shop.do(studio.steer(of, {"style_weight": data.draw(st.integers(0, 9))}))
            case _:
                self.shop.do(PEOPLE[move](studio, of))
        if move in ("resume", "rewind"):
            self.killed[of.id] = 0
        if move == "finish":
            least = max(1, painted)
        self.promised[of.id] = least, most
        assert of.state in (MOVES[before][move], "painting")  # a free easel begins at once

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), move=st.sampled_from(list(PEOPLE)))
    def whatever_is_illegal_is_refused_by_name_and_changes_nothing(self, data: st.DataObject, move: Move) -> None:
        of = self.accepted[data.draw(st.sampled_from(sorted(self.accepted)))]
        if move in MOVES[of.state]:
            return
        before = snapshot(self.studio)
        with pytest.raises(Refusal, match=rf"^An? {of.state} painting cannot be ") as refused:
            PEOPLE[move](self.studio, of)
        assert refused.value.code == "move_illegal"
        assert snapshot(self.studio) == before

    @precondition(lambda self: self.left < 0 and len(self.shop.begins) > 2)
    @rule(really=st.sampled_from([False] * 9 + [True]))
    def leave(self, really: bool) -> None:
        if really:
            self.left = len(self.shop.begins)
            self.shop.do(self.studio.leave())

    # ---------------------------------------------------------------- easels and the gallery

    @rule(data=st.data(), times=st.integers(1, 12))
    def something_happens(self, data: st.DataObject, times: int) -> None:
        for _ in range(times):
            if events := self.shop.events():
                events[data.draw(st.integers(0, len(events) - 1))]()

    @rule(number=st.integers(0, EASELS - 1))
    def an_easel_dies(self, number: int) -> None:
        easel = self.studio.easels[number]
        if easel.up:
            of = easel.painting
            if of and easel.begun and of.state == "painting":
                self.killed[of.id] += 1
            self.shop.down(number)
            if of and of.state == "finished":
                self.killed[of.id] = 0  # it was asked for more, and stays as it was

    @rule(number=st.integers(0, EASELS - 1))
    def an_easel_cannot_paint_what_it_was_given(self, number: int) -> None:
        desk = self.shop.desks[number]
        if desk and desk.begun and not desk.work:
            self.shop.refuse(number)

    # ---------------------------------------------------------------- what always holds

    @invariant()
    def no_painting_is_lost_or_at_two_easels(self) -> None:
        for of in self.accepted.values():
            at = self.studio.easels_at(of)
            assert len(at) <= 1
            assert (of in self.studio.waiting()) == of.waits
            if of.state == "painting":
                assert at or self.shop.lanes[of.id] or self.studio.leaving, "it is at an easel, or being kept"
            elif at:
                assert self.studio.easels[at[0]].resting, "an easel is at what is not painted only until it has rested"

    @invariant()
    def what_is_rewound_is_painted_again(self) -> None:
        for of in self.accepted.values():
            assert of.iteration < of.of
            if of.since is not None:
                assert of.state not in ("finished", "failed")
                assert of.iteration <= of.since

    @invariant()
    def no_easel_is_idle_while_a_painting_waits(self) -> None:
        if self.studio.leaving:
            assert self.left == len(self.shop.begins), "nothing begins any more"
        elif any(easel.up and easel.painting is None for easel in self.studio.easels):
            assert all(self.studio.easels_at(of) for of in self.studio.waiting())

    @invariant()
    def nobody_is_overtaken(self) -> None:
        orders = [of.order for of in self.studio.waiting()]
        assert orders == sorted(orders)

    @invariant()
    def an_easel_has_one_thing_to_do(self) -> None:
        for number, desk in enumerate(self.shop.desks):
            assert self.studio.easels[number].up == bool(desk)
            if desk:
                turns = {desk.work.turn} if desk.work else set()
                turns |= {work.turn for work in desk.begun} | {said.turn for said in desk.says}
                assert turns <= {self.studio.easels[number].turn}, "it is given nothing more before it has rested"

    @invariant()
    def an_easel_does_what_its_painting_shall_have(self) -> None:
        for number, easel in enumerate(self.studio.easels):
            desk = self.shop.desks[number]
            if desk and desk.work and easel.painting and not (easel.resting or easel.ending or desk.told):
                assert (desk.work.end, desk.work.settings) == (easel.painting.of, easel.painting.settings)

    @invariant()
    def it_takes_three_deaths_to_give_up(self) -> None:
        for of in self.accepted.values():
            deadly = of.state == "failed" and of.error is not None and of.error["code"] == "painting_deadly"
            if of.state != "cancelled":
                assert of.deaths == self.killed[of.id]
                assert deadly == (of.deaths == DEATHS)

    def teardown(self) -> None:
        """With easels that behave, all that is not put aside is finished, with as many iterations as were asked for."""
        self.shop.go_on()
        for of in self.accepted.values():
            if self.studio.leaving:
                assert not self.studio.easels_at(of)
            else:
                assert of.state in ("finished", "failed", "paused", "cancelled")
            if of.state == "finished":
                least, most = self.promised[of.id]
                assert least <= of.of <= most or "error" in self.shop.states(of), "or it could not be painted further"
                assert of.of == of.iteration + 1


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=50)


# ---------------------------------------------------------------- one race at a time


def opened(*waiting: Painting, easels: int = 1) -> Workshop:
    """A workshop whose easels are up."""
    shop = Workshop(easels)
    for number in range(easels):
        shop.up(number)
    for each in waiting:
        shop.accept(each)
    return shop


def painted_to(iteration: int, of: Painting) -> Workshop:
    """A workshop where this one is painted so far, and the next iteration is not finished."""
    shop = opened(of)
    shop.go_on(until=lambda: of.iteration == iteration)
    return shop


def painted_but(of: Painting, kept: bool) -> Workshop:
    """A workshop where this one is painted, but the studio has not heard of it, or the gallery has not kept it yet."""
    shop = opened(of)
    shop.go_on(until=lambda: not shop.studio.is_painting if kept else says_complete(shop))
    assert of.state == "painting"
    return shop


def says_complete(shop: Workshop) -> bool:
    return any(desk and desk.says and getattr(desk.says[-1], "complete", False) for desk in shop.desks)


def test_a_painting_is_painted() -> None:
    of = painting(of=7)
    shop = opened(of)
    shop.go_on()
    assert (of.state, of.of, of.iteration, of.progress, of.eta) == ("finished", 7, 6, 100.0, 0.0)
    assert shop.told["a"] == [("end", of.ended())]
    assert shop.checkpoints["a"] == {0, 3, 6}


def test_those_who_wait_are_told_their_place_whenever_it_changes() -> None:
    shop = opened(*(painting(name, of=4, order=float(order)) for order, name in enumerate("dcba")))
    shop.go_on()
    assert shop.begins == ["d", "c", "b", "a"]
    places = {
        id: [data["position"] for state, data in told if state == "queued" and data] for id, told in shop.told.items()
    }
    assert places == {"d": [], "c": [1], "b": [2, 1], "a": [3, 2, 1]}


def test_each_easel_shortens_the_queue() -> None:
    shop = opened(*(painting(name, of=10, order=float(order)) for order, name in enumerate("abcde")), easels=2)
    assert shop.studio.forecasts() == {"c": (10.0, 20.0), "d": (10.0, 20.0), "e": (20.0, 30.0)}
    last = shop.studio.paintings["e"]
    assert shop.studio.queued(last) == {"painting": "e", "position": 3, "begins": 20.0, "eta": 30.0}


def test_nothing_is_foretold_while_nothing_is_known() -> None:
    studio = Studio(1, lambda painting: None)
    for name in "abc":
        studio.accept(painting(name))
    assert studio.forecasts() == {"a": (0.0, None), "b": (None, None), "c": (None, None)}


def test_finish_takes_the_picture_as_it_is() -> None:
    of = painting(of=50)
    shop = painted_to(4, of)
    shop.do(shop.studio.finish(of))
    shop.go_on()
    assert (of.state, of.of, of.iteration) == ("finished", 6, 5), "the iteration that it was at is finished"


def test_finish_and_more_at_once_paints_so_many_more() -> None:
    of = painting(of=50)
    shop = painted_to(4, of)
    shop.do(shop.studio.finish(of))
    shop.do(shop.studio.more(of, 3))
    shop.go_on()
    assert (of.state, of.of, of.iteration) == ("finished", 8, 7)
    assert shop.states(of).count("end") == 1


def test_more_and_finish_at_once_finishes() -> None:
    of = painting(of=50)
    shop = painted_to(4, of)
    shop.do(shop.studio.more(of, 3))
    shop.do(shop.studio.finish(of))
    shop.go_on()
    assert (of.state, of.of) == ("finished", 6)


def test_more_asked_for_while_the_last_iteration_is_painted_is_painted() -> None:
    of = painting(of=6)
    shop = painted_to(4, of)
    shop.do(shop.studio.more(of, 3))
    shop.go_on()
    assert (of.state, of.of, of.iteration, shop.begins) == ("finished", 9, 8, ["a"])


@pytest.mark.parametrize("kept", [False, True])
def test_more_that_comes_too_late_for_the_easel_is_painted_in_another_turn(kept: bool) -> None:
    of = painting(of=4)
    shop = painted_but(of, kept)
    shop.do(shop.studio.more(of, 2))
    shop.go_on()
    assert (of.state, of.of, of.iteration, shop.begins) == ("finished", 6, 5, ["a", "a"])
    assert shop.states(of).count("end") == 1


def test_what_is_asked_for_before_an_easel_begins_is_not_asked_for_twice() -> None:
    of = painting(of=4)
    shop = opened(of)
    shop.do(shop.studio.more(of, 2))
    shop.do(shop.studio.steer(of, {"style_weight": 5}))
    shop.go_on()
    assert (of.state, of.of, of.settings) == ("finished", 6, {"style_weight": 5.0})


def test_no_more_than_is_allowed() -> None:
    of = painting(of=50)
    shop = painted_to(4, of)
    with pytest.raises(Refusal) as refused:
        shop.studio.more(of, 9_951)
    assert refused.value.code == "iterations_many"
    shop.do(shop.studio.finish(of))
    shop.do(shop.studio.more(of, 9_951))
    assert of.of == 9_956


@pytest.mark.parametrize("kept", [False, True])
def test_what_is_painted_when_it_is_paused_is_finished(kept: bool) -> None:
    of = painting(of=4)
    shop = painted_but(of, kept)
    shop.do(shop.studio.pause(of))
    assert of.state == "paused"
    shop.go_on()
    assert (of.state, shop.states(of), shop.begins) == ("finished", ["paused", "end"], ["a"])


@pytest.mark.parametrize("more", [0, 3])
@pytest.mark.parametrize("kept", [False, True])
def test_paused_and_resumed_while_it_is_being_kept(kept: bool, more: int) -> None:
    of = painting(of=4)
    shop = painted_but(of, kept)
    shop.do(shop.studio.pause(of))
    shop.do(shop.studio.resume(of))
    if more:
        shop.do(shop.studio.more(of, more))
    shop.go_on(until=lambda: not shop.lanes["a"] and not says_complete(shop))
    assert of.state == ("painting" if more else "finished")
    assert shop.studio.easels_at(of) == ([0] if more else [])
    shop.go_on()
    assert (of.state, of.of, of.iteration, shop.states(of).count("end")) == ("finished", 4 + more, 3 + more, 1)


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("to", [0, 2, 3])
def test_rewound_while_it_is_being_kept(kept: bool, to: int) -> None:
    of = painting(of=4)
    shop = painted_but(of, kept)
    if not kept:
        shop.go_on(until=lambda: of.iteration == 3)
    shop.do(shop.studio.rewind(of, to))
    assert shop.studio.at(0, shop.studio.easels[0].turn) is None, "what comes of it is not wanted any more"
    shop.go_on()
    assert (of.state, of.iteration, of.since, shop.begins) == ("finished", 3, None, ["a", "a"])
    assert shop.states(of).count("end") == 1


def test_rewinding_goes_back_and_never_forward() -> None:
    of = painting(of=20)
    shop = painted_to(10, of)
    shop.do(shop.studio.rewind(of, 8))
    with pytest.raises(Refusal, match="is at iteration 8; it cannot be rewound to 9") as refused:
        shop.studio.rewind(of, 9)
    assert refused.value.code == "move_illegal"
    shop.do(shop.studio.rewind(of, 4))
    shop.go_on(until=lambda: of.since is None)
    assert of.iteration == 3, "the newest checkpoint not after that"
    shop.go_on()
    assert (of.state, of.iteration) == ("finished", 19)


def test_nothing_can_be_rewound_before_it_is_painted() -> None:
    of = painting()
    with pytest.raises(Refusal, match="Nothing of the painting is painted yet"):
        opened(of).studio.rewind(of, 0)


def test_a_steered_painting_goes_on_with_its_settings() -> None:
    of = painting(of=20)
    shop = painted_to(5, of)
    shop.do(shop.studio.steer(of, {"style_weight": 3}))
    shop.do(shop.studio.rewind(of, 2))
    shop.go_on(until=lambda: of.iteration == 8)
    desk = shop.desks[0]
    assert desk
    assert desk.work
    assert desk.work.settings == {"style_weight": 3.0}


@pytest.mark.parametrize(("changes", "action"), [({"stop": True}, "finish"), ({"more": 3}, "more")])
def test_what_is_an_action_is_no_setting(changes: dict[str, Any], action: str) -> None:
    of = painting()
    with pytest.raises(Refusal) as refused:
        opened(of).studio.steer(of, changes)
    assert (refused.value.code, refused.value.hint) == ("change_invalid", f"Send the action {action}.")


def test_a_cancelled_painting_holds_its_easel_until_that_has_rested() -> None:
    first, second = painting("a", of=20), painting("b", order=1.0)
    shop = painted_to(3, first)
    shop.accept(second)
    shop.do(shop.studio.cancel(first))
    assert (first.state, shop.begins) == ("cancelled", ["a"])
    shop.go_on()
    assert (second.state, first.iteration) == ("finished", 3)
    assert shop.states(first) == ["error"]


def test_a_painting_cancelled_while_it_rests_is_forgotten() -> None:
    of = painting(of=20)
    shop = painted_to(3, of)
    shop.do(shop.studio.pause(of))
    shop.do(shop.studio.cancel(of))
    shop.go_on()
    assert (of.state, shop.states(of), shop.studio.is_painting) == ("cancelled", ["paused", "error"], False)


def test_an_easel_that_has_not_begun_is_free_at_once() -> None:
    first, second = painting("a", of=20), painting("b", order=1.0)
    shop = opened(first, second)
    shop.do(shop.studio.pause(first))
    assert shop.begins == ["a", "b"]
    shop.do(shop.studio.resume(first))
    shop.go_on()
    assert (first.state, second.state, shop.begins) == ("finished", "finished", ["a", "b", "a"])


def test_an_easel_that_dies_while_it_rests_kills_nothing() -> None:
    of = painting(of=20)
    shop = painted_to(5, of)
    shop.do(shop.studio.pause(of))
    shop.down(0)
    assert (of.state, of.deaths, shop.states(of)) == ("paused", 0, ["paused"])
    shop.do(shop.studio.resume(of))
    shop.go_on()
    assert (of.state, shop.begins) == ("finished", ["a", "a"])


def test_an_easel_that_dies_before_it_has_begun_is_not_the_paintings_fault() -> None:
    of = painting()
    shop = opened(of)
    shop.down(0)
    assert (of.state, of.deaths) == ("queued", 0)
    shop.go_on()
    assert of.state == "finished"


def test_a_painting_survives_two_deaths() -> None:
    of = painting(of=20)
    shop = opened(of)
    for death in (1, 2):
        shop.go_on(until=lambda at=8 * death: of.iteration == at)  # type: ignore[misc]
        shop.down(0)
        assert (of.state, of.deaths) == ("recovering", death)
    shop.go_on()
    assert (of.state, of.iteration, shop.states(of).count("recovering")) == ("finished", 19, 2)
    assert {6, 15} <= shop.checkpoints["a"]


def test_what_kills_three_easels_is_given_up_until_its_owner_tries_again() -> None:
    deadly, other = painting("a", of=20), painting("b", order=1.0)
    shop = painted_to(5, deadly)
    shop.accept(other)
    for _ in range(DEATHS):
        shop.go_on(until=lambda: bool(shop.desks[0] and shop.desks[0].work))
        shop.down(0)
    assert deadly.state == "failed"
    assert deadly.error
    assert deadly.error["code"] == "painting_deadly"
    assert "SIGKILL" in deadly.error["message"]
    shop.go_on()
    assert (deadly.state, other.state) == ("failed", "finished")
    assert shop.told["a"][-1] == ("error", deadly.error)
    shop.do(shop.studio.resume(deadly))
    assert (deadly.deaths, deadly.error) == (0, None)
    shop.go_on()
    assert deadly.state == "finished"


def test_what_cannot_be_painted_fails_and_the_easel_goes_on() -> None:
    impossible, other = painting("a"), painting("b", order=1.0)
    shop = opened(impossible, other)
    shop.go_on(until=lambda: bool(shop.desks[0] and shop.desks[0].begun))
    shop.refuse(0)
    shop.go_on()
    assert (impossible.state, other.state) == ("failed", "finished")
    assert impossible.described()["error"]["code"] == "checkpoint_unfit"


def test_what_cannot_be_painted_further_stays_finished() -> None:
    of = painting(of=2)
    shop = opened(of)
    shop.go_on()
    shop.do(shop.studio.more(of, 3))
    shop.go_on(until=lambda: bool(shop.desks[0] and shop.desks[0].begun))
    shop.refuse(0)
    shop.go_on()
    assert (of.state, of.of, of.progress, of.error) == ("finished", 2, 100.0, None)
    (_, error), end = shop.told["a"][-2:]
    assert error
    assert error["code"] == "checkpoint_unfit"
    assert end == ("end", of.ended())
    shop.do(shop.studio.more(of, 1))
    shop.go_on()
    assert (of.state, of.of) == ("finished", 3)


def test_what_is_rewound_has_no_picture_to_stay_with() -> None:
    of = painting(of=9)
    shop = opened(of)
    shop.go_on()
    shop.do(shop.studio.more(of, 3))
    shop.do(shop.studio.rewind(of, 8))
    shop.go_on(until=lambda: bool(shop.desks[0] and shop.desks[0].begun))
    shop.refuse(0)
    shop.go_on()
    assert of.state == "failed"


def test_finish_of_what_waits_paints_one_iteration_and_of_what_is_paused_none() -> None:
    of = painting(of=20)
    shop = painted_to(5, of)
    waits = shop.accept(painting("b", of=20, order=1.0))
    shop.do(shop.studio.finish(waits))
    shop.do(shop.studio.pause(of))
    shop.go_on()
    assert (waits.state, waits.of) == ("finished", 1)
    shop.do(shop.studio.finish(of))
    shop.go_on()
    assert (of.state, of.of) == ("finished", 7)


def test_what_goes_on_after_its_end_is_last_in_the_queue() -> None:
    first = painting("a", of=2)
    shop = opened(first)
    shop.go_on()
    shop.accept(painting("b", order=1.0))
    shop.accept(painting("c", order=2.0))
    shop.do(shop.studio.more(first, 2))
    assert [each.id for each in shop.studio.waiting()] == ["c", "a"]


def test_a_studio_that_closes_puts_everything_aside_and_begins_nothing() -> None:
    shop = opened(*(painting(name, of=20, order=float(order)) for order, name in enumerate("abcd")), easels=2)
    at, waits, aside = (shop.studio.paintings[name] for name in "acd")
    shop.do(shop.studio.pause(aside))
    shop.go_on(until=lambda: at.iteration == 4)
    shop.do(shop.studio.leave())
    shop.go_on()
    assert not shop.studio.is_painting
    assert shop.begins == ["a", "b"]
    assert max(shop.checkpoints["a"]) == at.iteration
    assert [told[-1][0] for told in shop.told.values()] == ["moved"] * 4
    assert (waits.state, aside.state) == ("queued", "paused")
    assert shop.accept(painting("e")).state == "queued"


def test_a_studio_that_opens_goes_on_with_what_was_being_painted() -> None:
    studio = Studio(1, lambda painting: None)
    kept = {state: painting(state, order=float(order)) for order, state in enumerate(MOVES)}
    for state, of in kept.items():
        of.state = state
        studio.admit(of)
    assert [of.id for of in studio.waiting()] == ["queued", "painting", "recovering"]
    assert {of.state for of in kept.values()} == {"queued", "paused", "finished", "failed", "cancelled"}
    assert not [effect for effect in studio.opened() if not isinstance(effect, Tell)]
    assert [type(effect) for effect in studio.easel_up(0)] == [Note, Paint, Tell, Tell]


def test_what_comes_of_a_former_turn_is_not_heard() -> None:
    first, second = painting("a", of=2), painting("b", order=1.0)
    shop = opened(first, second)
    former = shop.studio.easels[0].turn
    shop.go_on(until=lambda: second.state == "painting")
    assert shop.studio.at(0, former) is None
    assert shop.studio.rested(0, former) == []
    assert shop.studio.at(0, shop.studio.easels[0].turn) is second
