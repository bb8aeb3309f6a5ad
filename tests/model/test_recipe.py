"""The recipe: defaults, ranges, changes, and what strangers may put into one."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import Refusal
from model.recipe import PRESETS, Change, Recipe, Source, check_changes, settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NUMBERS = [name for name, setting in settings().items() if setting.low is not None and name != "blend"]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_out_of_range_is_refused_by_name_value_and_range(name: str) -> None:
    setting = settings()[name]
    assert setting.low is not None
    assert setting.high is not None
    kind = type(getattr(Recipe(), name))
    for value in (kind(setting.low - 1), kind(setting.high + 1)):
        with pytest.raises(Refusal) as refused:
            Recipe(**{name: value})
        assert refused.value.code == "setting_invalid"
        assert refused.value.message.startswith(f"{name} is {value!r}, but it has to be from ")
        assert f"{setting.high:,.12g}" in refused.value.message
    for value in (setting.low, setting.high):
        assert getattr(Recipe(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 512.5),
        ("size", True),
        ("size", "512"),
        ("style_weight", float("nan")),
        ("style_weight", float("inf")),
        ("engine", "oil"),
        ("engine", None),
        ("keep_colors", 1),
        ("blend", 3),
        ("blend", "12"),
        ("blend", [1, -1]),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(Refusal, match=f"^{name} is "):
        Recipe(**{name: value})


def test_every_setting_says_what_it_is_and_its_default_is_allowed() -> None:
    assert all(setting.description for setting in settings().values())
    assert Recipe() == Recipe(**{name: getattr(Recipe(), name) for name in settings()})
    assert [Recipe(**preset).engine for preset in PRESETS.values()] == ["auto", "vgg19"]


def test_a_recipe_survives_json() -> None:
    recipe = Recipe(
        engine="patches", blend=(1, 3), photo=Source("a.jpg", "12"), artworks=(Source("b.jpg", "34"), Source("ü", "56"))
    ).changed(7, {"style_weight": 2, "blend": [3, 1]})
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@given(st.dictionaries(st.sampled_from([*settings(), "photo", "artworks", "changes", "more"]), JSON, max_size=4))
def test_whatever_a_stranger_writes_is_a_recipe_or_refused(values: dict[str, Any]) -> None:
    with contextlib.suppress(Refusal):
        recipe = Recipe.from_dict(values)
        assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_changes_are_in_force_from_their_iteration_on() -> None:
    recipe = Recipe().changed(3, {"style_weight": 2.0}).changed(5, {"keep_colors": True, "style_weight": 4.0})
    assert [recipe.at(number).style_weight for number in range(7)] == [1, 1, 1, 2, 2, 4, 4]
    assert [recipe.at(number).keep_colors for number in (4, 5)] == [False, True]
    assert recipe.style_weight == 1, "the recipe still tells what the painting began with"
    assert recipe.changes[0] == Change(3, {"style_weight": 2.0})
    assert [recipe.changed(9, {"stop": True}).stopped(number) for number in (8, 9)] == [False, True]


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 64},
        {"engine": "vgg19"},
        {"colour": 1},
        {"stop": "now"},
        ["stop"],
        {"more": 0},
        {"more": 10_001},
        {"more": 1.5},
        {"more": True},
        {"more": "20"},
        {"more": None},
        {"more": 5, "stop": True},
    ],
)
def test_what_cannot_change_while_painting_is_refused(changes: Any) -> None:
    with pytest.raises(Refusal):
        check_changes(changes)


def test_a_blend_that_does_not_fit_is_refused_before_it_is_sent() -> None:
    assert check_changes({"blend": [1, 2]}, artworks=2) == {"blend": (1.0, 2.0)}
    with pytest.raises(Refusal, match="3 shares for 2 artworks"):
        check_changes({"blend": [1, 2, 3]}, artworks=2)


def test_more_is_checked_like_a_setting() -> None:
    with pytest.raises(Refusal) as refused:
        check_changes({"more": 0})
    assert refused.value.code == "setting_invalid"
    assert refused.value.message == "more is 0, but it has to be from 1 to 10,000 steps."
    assert check_changes({"more": 20.0, "stop": False}) == {"more": 20, "stop": False}


def test_more_iterations_than_a_painting_may_have_are_refused_wherever_they_come_from() -> None:
    recipe = Recipe(iterations=80).changed(3, {"more": 9_000})
    assert recipe.total == 9_080
    assert check_changes({"more": 920}, total=recipe.total)
    written = recipe.to_dict()
    written["changes"] = [*written["changes"], {"iteration": 4, "settings": {"more": 921}}]
    for attempt in (
        lambda: check_changes({"more": 921}, total=recipe.total),
        lambda: recipe.changed(4, {"more": 921}),
        lambda: recipe.extended(3, 921),
        lambda: Recipe.from_dict(written),
    ):
        with pytest.raises(Refusal, match="10,001 iterations; 10,000 are allowed") as refused:
            attempt()
        assert refused.value.code == "iterations_many"


def test_more_is_counted_from_the_beginning_and_changes_no_setting() -> None:
    recipe = Recipe(iterations=10).changed(4, {"more": 5, "style_weight": 2}).changed(15, {"more": 3})
    assert (recipe.total, recipe.end, recipe.further) == (18, 18, (5, 3))
    assert recipe.at(17) == replace(Recipe(iterations=10), style_weight=2.0)
    assert (recipe.changed(12, {"stop": True}).total, recipe.changed(12, {"stop": True}).end) == (18, 12)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def stopped(at: int, recipe: Recipe = Recipe(iterations=10)) -> Recipe:
    return recipe.changed(at, {"stop": True})


@pytest.mark.parametrize(
    ("recipe", "iteration", "more", "changes", "end"),
    [
        pytest.param(Recipe(iterations=10), 9, 4, [(10, {"more": 4})], 14, id="finished"),
        pytest.param(Recipe(iterations=10), 3, 4, [(4, {"more": 4})], 14, id="being painted"),
        pytest.param(stopped(5), 4, 3, [(8, {"stop": True})], 8, id="stopped, with more left"),
        pytest.param(stopped(5), 4, 5, [], 10, id="stopped, with as many left"),
        pytest.param(stopped(5), 4, 9, [(5, {"more": 4})], 14, id="stopped, with fewer left"),
        pytest.param(stopped(8), 2, 1, [(9, {"stop": True})], 9, id="to be stopped later"),
        pytest.param(stopped(3), 6, 2, [(9, {"stop": True})], 9, id="stopped too late"),
        pytest.param(
            stopped(12, Recipe(iterations=10).extended(9, 5)),
            11,
            6,
            [(10, {"more": 5}), (12, {"more": 3})],
            18,
            id="stopped in a further pass",
        ),
        pytest.param(
            Recipe(iterations=10).changed(2, {"style_weight": 2.0}).changed(5, {"stop": True, "keep_colors": True}),
            4,
            2,
            [(2, {"style_weight": 2.0}), (5, {"keep_colors": True}), (7, {"stop": True})],
            7,
            id="other changes stay",
        ),
    ],
)
def test_an_extended_recipe_has_so_many_iterations_more_than_asked_for(
    recipe: Recipe, iteration: int, more: int, changes: list[tuple[int, dict[str, Any]]], end: int
) -> None:
    extended = recipe.extended(iteration, more)
    assert extended.changes == tuple(Change(*change) for change in changes)
    assert extended.end == end
    assert extended == recipe.changed(iteration + 1, {"more": more})
    assert [extended.stopped(number) for number in (end - 1, end)] == [False, end < extended.total]


def test_shares_add_up_to_one_and_fit_the_artworks() -> None:
    assert Recipe().shares(4) == (0.25,) * 4
    assert Recipe(blend=(1, 3)).shares(2) == (0.25, 0.75)
    with pytest.raises(Refusal, match="2 shares for 3 artworks"):
        Recipe(blend=(1, 3)).shares(3)
    with pytest.raises(Refusal, match="adds up to 0"):
        replace(Recipe(), blend=(0, 0)).shares(2)
