"""The forecast: what it learns of one painting for the next, and that it comes true."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.forecast import Forecast, Pace, Paces, foretold
from model.recipe import Recipe
from model.scales import Scale, passes
from model.style_transfer import Iteration, StyleTransfer
from tests.model.studies import artwork, photo

SMALLEST = 64
RECIPE = Recipe(size=512, iterations=80)

Cost = Callable[[Scale], float]


def affine(scale: Scale) -> float:
    """As an iteration takes on a processor: some time in any case, and some for each pixel."""
    return 0.006 + 5e-7 * scale.height * scale.width


def proportional(scale: Scale) -> float:
    return 5e-7 * scale.height * scale.width


@dataclass
class Told:
    """What was told after an iteration, and what came."""

    left: float | None
    comes: float
    progress: float


def durations(recipe: Recipe, iteration: Cost, preparation: Cost, height: int = 384, width: int = 512) -> list[float]:
    found: list[float] = []
    for scale in passes(height, width, recipe, SMALLEST):
        found += [preparation(scale) + iteration(scale), *[iteration(scale)] * (scale.steps - 1)]
    return found[: recipe.end]


def watched(forecast: Forecast, took: list[float]) -> list[Told]:
    """What is forecast before the first iteration and after each one."""
    told = [Told(forecast.seconds_left, sum(took), forecast.progress)]
    for number in range(len(took)):
        forecast.after(number, sum(took[: number + 1]))
        told.append(Told(forecast.seconds_left, sum(took[number + 1 :]), forecast.progress))
    return told


def taught(recipe: Recipe = RECIPE, iteration: Cost = affine, preparation: Cost = lambda scale: 0.1) -> Paces:
    """The paces known after one painting."""
    forecast = Forecast(384, 512, recipe, SMALLEST)
    watched(forecast, durations(recipe, iteration, preparation))
    return Paces().learnt(forecast.seen)


class TestOfAPaintingThatNothingIsKnownOf:
    def test_nothing_is_told_before_the_second_iteration(self) -> None:
        told = watched(Forecast(60, 60, Recipe(iterations=3), SMALLEST), [2.5, 2.0, 2.0])
        assert [each.left for each in told] == [None, None, 2.0, 0.0]

    @pytest.mark.parametrize("iteration", [affine, proportional])
    def test_it_comes_nearer_with_each_scale(self, iteration: Cost) -> None:
        told = watched(Forecast(384, 512, RECIPE, SMALLEST), durations(RECIPE, iteration, lambda scale: 0.0))
        first, second, last = 2, passes(384, 512, RECIPE, SMALLEST)[0].steps + 2, 70
        for number, tolerance in ((first, 3.5), (second, 1.3), (last, 1.001)):
            left = told[number].left
            assert left
            assert 1 / tolerance < left / told[number].comes < tolerance

    def test_it_starts_in_the_middle(self) -> None:
        recipe = Recipe(iterations=20, size=128)
        here = passes(128, 128, recipe, SMALLEST)[0].steps + 2
        forecast = Forecast(128, 128, recipe, SMALLEST, done=here)
        assert 0.5 < forecast.progress < 0.8
        forecast.after(here, 100.0)
        assert forecast.seconds_left is None, "what came before the first iteration is not known"
        forecast.after(here + 1, 101.0)
        assert forecast.seconds_left == pytest.approx(20 - here - 2)

    def test_progress_is_by_work_and_not_by_iterations(self) -> None:
        told = watched(Forecast(384, 512, RECIPE, SMALLEST), durations(RECIPE, affine, lambda scale: 0.05))
        whole = told[0].comes
        for number in (20, 40, 60, 75):
            assert told[number].progress == pytest.approx(1 - told[number].comes / whole, abs=0.1)
        assert told[40].progress < 0.3


class TestProgress:
    @given(st.lists(st.floats(0.001, 100), min_size=30, max_size=30), st.booleans())
    def test_it_never_falls_and_ends_at_one(self, took: list[float], known: bool) -> None:
        recipe = Recipe(size=256, iterations=30)
        forecast = Forecast(200, 256, recipe, SMALLEST, taught() if known else Paces())
        told = [each.progress for each in watched(forecast, took)]
        assert told == sorted(told)
        assert told[0] == 0
        assert told[-2] < 1
        assert told[-1] == 1
        assert forecast.seconds_left == 0

    def test_it_does_not_fall_when_a_painting_goes_back_to_a_checkpoint(self) -> None:
        forecast = Forecast(384, 512, RECIPE, SMALLEST)
        took = durations(RECIPE, affine, lambda scale: 0.1)
        for number in range(40):
            forecast.after(number, sum(took[: number + 1]))
        before, seen = forecast.progress, forecast.seen
        forecast.after(30, sum(took[:31]) + 5)
        assert forecast.progress == before
        assert forecast.seen == seen, "what it took to go back is no iteration's pace"
        forecast.after(31, sum(took[:32]) + 5)
        assert forecast.seconds_left == pytest.approx(sum(took[32:]), rel=0.4)

    def test_nothing_to_paint_is_all_done(self) -> None:
        assert Forecast(100, 100, Recipe().changed(0, {"stop": True}), SMALLEST).progress == 1


class TestOfAPaintingLikeOneSeen:
    def test_it_is_known_before_it_begins_and_comes_true_all_along(self) -> None:
        recipe = Recipe(size=512, iterations=40, seed=3)
        told = watched(Forecast(384, 512, recipe, SMALLEST, taught()), durations(recipe, affine, lambda scale: 0.1))
        for each in told:
            assert each.left is not None
            assert each.left == pytest.approx(each.comes, rel=0.1)
            assert each.progress == pytest.approx(1 - each.comes / told[0].comes, abs=0.1)

    @pytest.mark.parametrize(("height", "width"), [(512, 512), (340, 512), (720, 960), (120, 160)])
    def test_other_sizes_are_known_from_it(self, height: int, width: int) -> None:
        forecast = Forecast(height, width, RECIPE, SMALLEST, taught())
        comes = sum(durations(RECIPE, affine, lambda scale: 0.1, height, width))
        assert forecast.seconds_left == pytest.approx(comes, rel=0.2)

    def test_a_machine_with_more_to_do_is_noticed_soon(self) -> None:
        forecast = Forecast(384, 512, RECIPE, SMALLEST, taught())
        told = watched(forecast, [2 * each for each in durations(RECIPE, affine, lambda scale: 0.1)])
        third = told[passes(384, 512, RECIPE, SMALLEST)[0].steps + 20]
        assert third.left
        assert third.left == pytest.approx(third.comes, rel=0.25)

    def test_a_stop_and_more_are_counted(self) -> None:
        paces = taught()
        for recipe in (RECIPE.changed(50, {"stop": True}), RECIPE.changed(3, {"more": 30}).changed(80, {"more": 5})):
            comes = sum(durations(recipe, affine, lambda scale: 0.1))
            assert Forecast(384, 512, recipe, SMALLEST, paces).seconds_left == pytest.approx(comes, rel=0.12)

    def test_more_may_be_asked_for_at_any_time_and_makes_less_of_what_is_done(self) -> None:
        recipe = RECIPE.changed(79, {"more": 20})
        took = durations(recipe, affine, lambda scale: 0.1)
        forecast = Forecast(384, 512, RECIPE, SMALLEST, taught())
        for number in range(80):
            forecast.after(number, sum(took[: number + 1]))
        assert forecast.progress == 1
        forecast.follow(recipe)
        assert forecast.progress == pytest.approx(sum(took[:80]) / sum(took), abs=0.05)
        assert forecast.seconds_left == pytest.approx(sum(took[80:]), rel=0.1)
        for number in range(80, 100):
            forecast.after(number, sum(took[: number + 1]))
        assert (forecast.progress, forecast.seconds_left) == (1, 0)

    def test_another_recipe_with_the_same_work_lets_nothing_fall(self) -> None:
        took = durations(RECIPE, affine, lambda scale: 0.1)[:70]
        forecast = Forecast(384, 512, RECIPE, SMALLEST, taught())
        before = watched(forecast, took)[-1].progress
        forecast.after(70, sum(took) + 10)  # so long that there seems to be more left than before
        forecast.follow(RECIPE.changed(71, {"style_weight": 2.0}))
        assert forecast.progress == before


class TestPaces:
    def test_a_first_preparation_is_not_taken_for_every_painting_s(self) -> None:
        small = Recipe(size=128, iterations=8)
        forecast = Forecast(96, 128, small, SMALLEST)
        took = durations(small, affine, lambda scale: 0.05, 96, 128)
        watched(forecast, [took[0] + 10, *took[1:]])
        paces = Paces().learnt(forecast.seen)
        comes = sum(durations(RECIPE, affine, lambda scale: 0.05))
        assert Forecast(384, 512, RECIPE, SMALLEST, paces).seconds_left == pytest.approx(comes, rel=0.3)
        # Nor later on, when an engine is loaded again.
        again = paces.learnt(forecast.seen)
        assert Forecast(384, 512, RECIPE, SMALLEST, again).seconds_left == pytest.approx(comes, rel=0.3)

    def test_it_gets_used_to_another_speed_and_forgets_one_bad_day(self) -> None:
        def slow(times: float) -> Paces:
            return taught(iteration=lambda scale: times * affine(scale))

        paces = taught()
        for _ in range(4):
            paces = paces.learnt(slow(3.0).seen)
        comes = 3 * sum(durations(RECIPE, affine, lambda scale: 0.0))
        assert Forecast(384, 512, RECIPE, SMALLEST, paces).seconds_left == pytest.approx(comes, rel=0.15)
        for _ in range(4):
            paces = paces.learnt(taught().seen)
        assert Forecast(384, 512, RECIPE, SMALLEST, paces).seconds_left == pytest.approx(comes / 3, rel=0.25)

    @given(st.lists(st.tuples(st.integers(256, 16_000_000), st.floats(0, 60), st.floats(1e-4, 60)), max_size=200))
    def test_whatever_is_seen_it_stays_small_and_sensible(self, seen: list[tuple[int, float, float]]) -> None:
        paces = Paces().learnt(Pace(*each) for each in seen)
        assert len(paces.seen) <= 65
        assert [pace.pixels for pace in paces.seen] == sorted(pace.pixels for pace in paces.seen)
        told = [pace for pixels in (256, 5_000, 200_000, 3_000_000, 16_000_000) if (pace := paces.at(pixels))]
        assert len(told) == (5 if seen else 0)
        for cost in ([pace.iteration for pace in told], [pace.preparation for pace in told]):
            assert cost == pytest.approx(sorted(cost))
            assert all(each >= 0 for each in cost)
        assert Paces.from_dict(json.loads(json.dumps(paces.to_dict()))) == paces
        assert pickle.loads(pickle.dumps(paces)) == paces

    @pytest.mark.parametrize(
        "values",
        [
            {},
            [],
            None,
            {"seen": 3},
            {"seen": [3]},
            {"seen": [{"pixels": 100}]},
            {"seen": [{"pixels": 100, "preparation": "soon", "iteration": 1}]},
            {"seen": [{"pixels": 100, "preparation": 0, "iteration": float("nan")}]},
            {"seen": [{"pixels": 0, "preparation": 0, "iteration": 1}]},
            {"seen": [{"pixels": 100, "preparation": -1, "iteration": 1}]},
            {"seen": [{"pixels": 100, "preparation": float("inf"), "iteration": 1}]},
        ],
    )
    def test_what_are_no_paces_is_refused(self, values: Any) -> None:
        with pytest.raises(ValueError, match="no pace"):
            Paces.from_dict(values)


# ---------------------------------------------------------------- real paintings


@pytest.fixture(scope="module", params=["patches", "vgg19"])
def painter(request: pytest.FixtureRequest) -> StyleTransfer:
    return StyleTransfer(request.param, "random")


def painted(painter: StyleTransfer, recipe: Recipe, paces: Paces) -> tuple[Forecast, list[Told]]:
    """A real painting, and what was told of it."""
    height, width = recipe.size * 3 // 8, recipe.size
    forecast = Forecast(height, width, recipe, painter.engine.smallest, paces)
    left, progress, elapsed = [forecast.seconds_left], [forecast.progress], [0.0]
    for iteration in _iterations(painter, recipe):
        forecast.after(iteration.number, iteration.elapsed)
        left.append(forecast.seconds_left)
        progress.append(forecast.progress)
        elapsed.append(iteration.elapsed)
    return forecast, [
        Told(each, elapsed[-1] - at, done) for each, at, done in zip(left, elapsed, progress, strict=True)
    ]


def _iterations(painter: StyleTransfer, recipe: Recipe) -> Iterator[Iteration]:
    size = recipe.size
    yield from painter.paint(photo(size, size * 3 // 8), [artwork(size, size * 5 // 6)], recipe)


@pytest.mark.alone
def test_real_paintings_come_true_within_thirty_percent(painter: StyleTransfer) -> None:
    smallest = painter.engine.smallest
    real = Recipe(size=256, iterations=16)
    for _ in range(3):  # another program may have had the processor for a while
        warmup, _ = painted(painter, Recipe(size=smallest, iterations=3), Paces())
        paces = Paces().learnt(warmup.seen)
        first, told = painted(painter, real, paces)
        assert told[0].left
        if 1 / 4 < told[0].left / told[0].comes < 4:
            break
    else:
        pytest.fail(f"after a warm-up alone, {told[0].left:.1f} s were told, and {told[0].comes:.1f} s came")

    paces = Paces.from_dict(json.loads(json.dumps(paces.learnt(first.seen).to_dict())))
    alike = replace(real, iterations=20, seed=7).changed(12, {"more": 4})
    for _ in range(3):
        again, told = painted(painter, alike, paces)
        paces = paces.learnt(again.seen)
        whole = told[0].comes
        apart = [abs(each.left - each.comes) / whole if each.left is not None else 1 for each in told]
        assert [each.progress for each in told] == sorted(each.progress for each in told)
        assert (told[-1].progress, told[-1].left) == (1, 0)
        apart += [abs(each.progress - (1 - each.comes / whole)) for each in told]
        if max(apart) < 0.3:
            break
    else:
        pytest.fail(f"it was {max(apart):.0%} of the whole beside the truth")


@pytest.mark.parametrize(
    ("iterations", "end", "done"), [(80, 80, 0), (80, 80, 37), (80, 50, 0), (80, 100, 60), (3, 3, 0)]
)
def test_what_is_foretold_for_a_queue_is_what_a_forecast_says(iterations: int, end: int, done: int) -> None:
    paces = Paces((Pace(3_000, 0.01, 0.005), Pace(48_000, 0.03, 0.02), Pace(190_000, 0.1, 0.08)))
    recipe = Recipe(iterations=iterations).ending(done - 1, end)
    forecast = Forecast(342, 512, recipe, 64, paces, done).seconds_left
    assert foretold(342, 512, iterations, 0, 64, end, done, paces) == pytest.approx(forecast)
    assert foretold(342, 512, iterations, 0, 64, end, done, Paces()) is None
