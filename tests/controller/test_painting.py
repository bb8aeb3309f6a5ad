"""A painting: what is told of it, what is kept of it, and who may steer it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from controller.painting import Painting, locked
from controller.states import MOVES, State
from model.recipe import Recipe, Source

RECIPE = Recipe(engine="patches", size=64, blend=(1, 2), artworks=(Source("one", "1"), Source("two", "2")))
FACTS = {
    "iteration": 4,
    "of": 80,
    "elapsed": 1.5,
    "losses": {"total": 0.25, "style": None},
    "progress": 6.2,
    "eta": 20.0,
}


def painting() -> Painting:
    return Painting("a", RECIPE, locked("key"), 64, 48, 80, order=12.5, address="192.0.2.1")


def test_what_the_gallery_keeps_comes_back_as_it_was() -> None:
    before = painting()
    before.iterated(FACTS)
    before.state, before.since, before.deaths, before.before = "paused", 3, 2, 5
    before.settings = {"blend": (3.0, 1.0), "keep_colors": True}
    before.error = {"code": "painting_deadly", "message": "It was given up.", "hint": "Resume it."}
    assert Painting.from_facts("a", json.loads(json.dumps(before.facts(), allow_nan=False))) == before


@pytest.mark.parametrize("state", MOVES)
def test_what_is_done_is_marked_and_forgets_whose_it_was(state: State) -> None:
    kept = replace(painting(), state=state).facts()
    assert kept["done"] == (state in ("finished", "failed", "cancelled"))
    assert kept["address"] == ("" if kept["done"] else "192.0.2.1")


def test_what_a_later_program_keeps_is_no_obstacle() -> None:
    before = painting()
    assert Painting.from_facts("a", {**before.facts(), "varnished": True}) == before


def test_what_is_told_is_fit_for_json_and_says_neither_lock_nor_address() -> None:
    at = painting()
    at.iterated(FACTS)
    at.settings = {"style_weight": 3.0}
    told = at.described()
    assert json.loads(json.dumps(told, allow_nan=False))["painting"] == "a"
    assert {name: told[name] for name in FACTS} == FACTS
    assert (told["settings"]["style_weight"], told["settings"]["content_weight"]) == (3.0, 1.0)
    assert "error" not in told
    assert at.lock not in json.dumps(told)
    assert "192.0.2.1" not in json.dumps(told)
    assert replace(at, error={"code": "x"}).described()["error"] == {"code": "x"}


def test_an_easel_that_has_not_heard_yet_does_not_say_how_many_there_shall_be() -> None:
    at = painting()
    at.iterated(FACTS)
    at.of = 5  # finished just then
    at.iterated({**FACTS, "iteration": 5})
    assert (at.iteration, at.of) == (5, 6)
    at.of = 100  # more was asked for
    at.iterated({**FACTS, "iteration": 6})
    assert at.of == 100


def test_only_the_key_opens_and_only_its_digest_is_kept() -> None:
    mine = painting()
    assert mine.opens("key")
    assert not any(mine.opens(other) for other in ("", "Key", "key ", mine.lock, "\ud800", "k" * 10_000))
    assert "key" not in mine.facts().values()
