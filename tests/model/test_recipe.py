"""The recipe: defaults, ranges, changes, and what strangers may put into one."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
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


@examples(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # the first text takes a second
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


@pytest.mark.parametrize("changes", [{"size": 64}, {"engine": "vgg19"}, {"colour": 1}, {"stop": "now"}, ["stop"]])
def test_what_cannot_change_while_painting_is_refused(changes: Any) -> None:
    with pytest.raises(Refusal):
        check_changes(changes)


def test_a_blend_that_does_not_fit_is_refused_before_it_is_sent() -> None:
    assert check_changes({"blend": [1, 2]}, artworks=2) == {"blend": (1.0, 2.0)}
    with pytest.raises(Refusal, match="3 shares for 2 artworks"):
        check_changes({"blend": [1, 2, 3]}, artworks=2)


def test_shares_add_up_to_one_and_fit_the_artworks() -> None:
    assert Recipe().shares(4) == (0.25,) * 4
    assert Recipe(blend=(1, 3)).shares(2) == (0.25, 0.75)
    with pytest.raises(Refusal, match="2 shares for 3 artworks"):
        Recipe(blend=(1, 3)).shares(3)
    with pytest.raises(Refusal, match="adds up to 0"):
        replace(Recipe(), blend=(0, 0)).shares(2)
