"""The studio's mind about paintings that other studios have."""

from __future__ import annotations

from typing import Any

import pytest

from controller.painting import Painting
from controller.states import MOVES, Move, State
from controller.studio import Effect, Rest, Studio, Tell, standing
from model.errors import Refusal
from tests.controller.test_studio import PEOPLE, opened, painted_to, snapshot
from tests.controller.workshop import painting


def foreign(state: State = "painting", seconds: float | None = 42.5) -> Painting:
    """A painting that another studio has."""
    of = painting("theirs", of=20)
    of.state, of.iteration, of.elsewhere = state, 5, seconds
    return of


def facts(of: Painting, **more: Any) -> dict[str, Any]:
    """What the gallery says of a painting."""
    return {**of.facts(), **more}


def told(effects: list[Effect]) -> list[tuple[str, Any]]:
    return [(effect.state, effect.data) for effect in effects if isinstance(effect, Tell)]


# ---------------------------------------------------------------- another studio's


@pytest.mark.parametrize(
    ("state", "move"), [(state, move) for state in MOVES for move in PEOPLE if move in MOVES[state]]
)
def test_nothing_can_be_done_with_another_studios(state: State, move: Move) -> None:
    of, studio = foreign(state), Studio(1, lambda painting: None)
    studio.admit(of)
    before = snapshot(studio)
    with pytest.raises(Refusal, match=r"Another studio has this painting\.") as refused:
        PEOPLE[move](studio, of)
    assert (refused.value.code, "at most 42 s" in refused.value.hint) == ("painting_elsewhere", True)
    assert snapshot(studio) == before


@pytest.mark.parametrize("state", ["queued", "painting", "recovering"])
def test_another_studios_is_neither_begun_nor_in_anybodys_way(state: State) -> None:
    of, own = foreign(state), painting("own")
    shop = opened()
    shop.studio.admit(of)
    assert shop.studio.waiting() == []
    shop.accept(own)
    shop.go_on()
    assert (shop.begins, own.state, of.state) == (["own"], "finished", state)


def test_what_is_told_of_it_says_for_how_long_it_is_waited_for() -> None:
    state, data = standing(foreign())
    assert (state, data) == (
        "recovering",
        {"reason": "Another studio has it. Should that one be gone, it goes on here in at most 43 s.", "begins": 43},
    )


def test_whose_it_is_is_not_kept_among_the_facts() -> None:
    of = foreign()
    assert "elsewhere" not in of.facts()
    assert Painting.from_facts("theirs", facts(of)).elsewhere is None
    assert Painting.from_facts("theirs", facts(of, held=3.5)).elsewhere == 3.5


# ---------------------------------------------------------------- lost


def test_what_is_lost_is_put_aside_and_nothing_of_it_is_kept() -> None:
    of, other = painting("a", of=20), painting("b", order=1.0)
    shop = painted_to(5, of)
    shop.accept(other)
    effects = shop.studio.lost(of)
    assert [(type(effect), getattr(effect, "keep", None)) for effect in effects[:1]] == [(Rest, False)]
    shop.do(effects)
    turn = shop.studio.easels[0].turn
    assert shop.studio.at(0, turn) is None, "what comes of it is not wanted any more"
    shop.go_on()
    assert shop.states(of) == ["moved"]
    assert (of.state, of.iteration, other.state, shop.begins) == ("painting", 5, "finished", ["a", "b"])


def test_what_is_lost_before_its_easel_begins_is_not_begun() -> None:
    of = painting(of=20)
    shop = opened(of)
    shop.do(shop.studio.lost(of))
    assert not shop.studio.is_painting
    shop.go_on()
    assert (of.iteration, shop.states(of)) == (-1, ["moved"])


def test_what_is_lost_when_its_easel_has_just_painted_it_is_not_finished_here() -> None:
    of = painting(of=4)
    shop = painted_to(3, of)
    shop.do(shop.studio.lost(of))
    assert shop.studio.painted(of) == []
    assert shop.studio.failed(of, Refusal("x", "It cannot be painted.", "")) == []
    shop.go_on()
    assert (of.state, shop.states(of)) == ("painting", ["moved"])


def test_an_easel_that_dies_over_what_is_lost_is_not_the_paintings_fault() -> None:
    of = painting(of=20)
    shop = painted_to(5, of)
    shop.do(shop.studio.lost(of))
    shop.down(0)
    assert (of.deaths, shop.states(of)) == (0, ["moved"])


# ---------------------------------------------------------------- heard of


@pytest.mark.parametrize("state", ["queued", "painting", "recovering"])
def test_what_has_become_ours_goes_on_from_what_the_gallery_says(state: State) -> None:
    of = foreign()
    shop = opened()
    shop.admit(of, 8)
    shop.do(shop.studio.heard(of, facts(of, state=state, iteration=9, settings={"style_weight": 2.0})))
    assert (of.elsewhere, of.iteration, of.settings) == (None, 9, {"style_weight": 2.0})
    shop.go_on()
    assert (shop.begins, of.state, of.iteration) == (["theirs"], "finished", 19)


@pytest.mark.parametrize(
    ("state", "tells"), [("finished", "end"), ("failed", "error"), ("paused", "paused"), ("painting", None)]
)
def test_viewers_are_told_what_has_become_of_it_once(state: State, tells: str | None) -> None:
    of, studio = foreign(), Studio(1, lambda painting: None)
    studio.admit(of)
    said = facts(of, state=state, held=7.0, error={"code": "painting_deadly"})
    assert [word for word, _ in told(studio.heard(of, said))] == ([tells] if tells else [])
    assert (of.state, of.elsewhere) == (state, 7.0)
    assert studio.heard(of, {**said, "held": 6.0}) == []
    if tells:
        assert studio.heard(of, {name: value for name, value in said.items() if name != "held"}) == []
        assert of.elsewhere is None


def test_what_was_forgotten_elsewhere_is_over() -> None:
    of, studio = foreign(), Studio(1, lambda painting: None)
    studio.admit(of)
    ((word, data),) = told(studio.heard(of, None))
    assert (word, data["code"], of.state) == ("error", "painting_cancelled", "cancelled")


def test_viewers_of_what_is_paused_are_told_that_another_studio_goes_on_with_it() -> None:
    of, studio = foreign("paused", None), Studio(1, lambda painting: None)
    studio.admit(of)
    assert studio.heard(of, facts(of)) == []
    assert told(studio.heard(of, facts(of, state="painting", held=9.0))) == [standing(of)]
    assert of.elsewhere == 9.0


def test_a_studio_that_closes_says_so_to_those_who_wait_for_anothers() -> None:
    of, studio = foreign(), Studio(1, lambda painting: None)
    studio.admit(of)
    assert told(studio.leave()) == [("moved", None)]
