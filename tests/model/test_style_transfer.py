"""The generator: what it yields, how it is steered, and that going on from a checkpoint equals never stopping."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.checkpoint import Checkpoint
from model.errors import Refusal
from model.recipe import Change, Recipe
from model.style_transfer import Iteration, StyleTransfer
from tests.model.studies import artwork, photo

ROOT = Path(__file__).resolve().parents[2]
SMALL = Recipe(size=128, iterations=14)
LOW = photo(96, 24)  # of few pixels, in which small paintings are painted at several scales
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def patches() -> StyleTransfer:
    return StyleTransfer("patches")


@pytest.fixture(scope="module")
def vgg19() -> StyleTransfer:
    return StyleTransfer("vgg19", "random")


@pytest.fixture(params=["patches", "vgg19"])
def painter(request: pytest.FixtureRequest) -> StyleTransfer:
    found: StyleTransfer = request.getfixturevalue(request.param)
    return found


def painted(painter: StyleTransfer, recipe: Recipe) -> list[Iteration]:
    return list(painter.paint(LOW, [artwork()], recipe))


def difference(one: Iteration, other: Iteration) -> float:
    return float(np.abs(one.pixels - other.pixels).max())


def test_each_step_yields_an_iteration(painter: StyleTransfer) -> None:
    found = painted(painter, SMALL)
    assert [each.number for each in found] == list(range(14))
    assert {each.of for each in found} == {14}
    assert [each.scale for each in found] == sorted(each.scale for each in found)
    assert found[-1].scale == found[-1].scales - 1
    assert found[-1].size == (128, 32)
    assert found[-1].picture.shape == (32, 128, 3)
    assert found[-1].picture.dtype == np.uint8
    assert [each.elapsed for each in found] == sorted(each.elapsed for each in found)
    for each in found:
        assert each.losses.keys() == {"total", "style", "content", "variation"}
        assert all(np.isfinite(value) and value >= 0 for value in each.losses.values())
    assert found[3].picture.shape[:2] == found[3].size[::-1], "an old iteration still has its picture"
    assert found[-1].recipe.engine == painter.engine.name
    assert found[-1].recipe.fingerprint == painter.engine.fingerprint
    assert painter.engine.name == "patches" or found[-1].recipe.precision in ("float32", "bfloat16")


def test_the_same_recipe_paints_the_same_picture_and_another_seed_another(patches: StyleTransfer) -> None:
    first, again, other = (painted(patches, Recipe(size=96, iterations=8, seed=seed))[-1] for seed in (1, 1, 2))
    assert difference(first, again) < 1 / 255
    assert difference(first, other) > 10 / 255


def test_changes_take_effect_at_the_next_step_and_are_written_down(painter: StyleTransfer) -> None:
    untouched = painted(painter, SMALL)
    painting = painter.paint(LOW, [artwork()], SMALL)
    for number in range(10):
        assert difference(next(painting), untouched[number]) < 1 / 255
    steered = painting.send({"content_weight": 40.0, "variation_weight": 3.0})
    assert steered.number == 10
    assert steered.recipe.changes == (Change(10, {"content_weight": 40.0, "variation_weight": 3.0}),)
    # The losses are those before the step; the picture is the one after it.
    assert (
        steered.losses["style"] == pytest.approx(untouched[10].losses["style"], rel=1e-3)
        or painter.engine.name == "patches"
    )
    assert difference(steered, untouched[10]) > 1 / 255
    *_, last = painting
    assert last.losses["content"] < untouched[-1].losses["content"]


def test_a_recipe_with_changes_paints_them_again(painter: StyleTransfer) -> None:
    painting = painter.paint(LOW, [artwork(seed=1), artwork(seed=2)], SMALL)
    for _ in range(6):
        next(painting)
    painting.send({"blend": [1, 0]})
    next(painting)
    painting.send({"keep_colors": True, "style_weight": 2})
    *_, last = painting
    assert len(last.recipe.changes) == 2
    recipe = Recipe.from_dict(last.recipe.to_dict())
    *_, again = painter.paint(LOW, [artwork(seed=1), artwork(seed=2)], recipe)
    assert difference(last, again) < 1 / 255


def test_stop_ends_the_painting(patches: StyleTransfer) -> None:
    painting = patches.paint(LOW, [artwork()], SMALL)
    seen = [next(painting) for _ in range(3)]
    with pytest.raises(StopIteration):
        painting.send({"stop": True})
    with pytest.raises(StopIteration):
        next(painting)
    assert len(painted(patches, seen[-1].recipe.changed(3, {"stop": True}))) == 3


def test_blend_goes_from_one_artwork_to_the_other(painter: StyleTransfer) -> None:
    styles = [artwork(seed=1), artwork(seed=3)]
    alone = [list(painter.paint(LOW, [style], SMALL))[-1].pixels for style in styles]
    first, half, second = (
        list(painter.paint(LOW, styles, replace(SMALL, blend=blend)))[-1].pixels for blend in ((1, 0), (1, 1), (0, 1))
    )

    def colours(pixels: np.ndarray) -> np.ndarray:
        return np.quantile(pixels.reshape(-1, 3), np.linspace(0, 1, 21), axis=0)

    apart = np.abs(colours(alone[0]) - colours(alone[1])).mean()
    assert np.abs(colours(first) - colours(alone[0])).mean() < apart / 4
    assert np.abs(colours(second) - colours(alone[1])).mean() < apart / 4
    assert np.abs(colours(half) - colours(first)).mean() < apart
    assert np.abs(colours(half) - colours(second)).mean() < apart
    assert np.abs(half - first).mean() > 5 / 255 < np.abs(half - second).mean()


def test_it_can_start_from_noise(painter: StyleTransfer) -> None:
    noisy = painted(painter, Recipe(size=96, iterations=1, init="noise"))[0].picture
    from_photo = painted(painter, Recipe(size=96, iterations=1))[0].picture
    detail = [np.abs(np.diff(picture.astype(float), axis=1)).mean() for picture in (noisy, from_photo)]
    assert detail[0] > 2 * detail[1]


@pytest.mark.parametrize("shape", [(16, 300), (300, 16), (17, 19), (31, 500)])
def test_strange_sizes_are_painted(patches: StyleTransfer, shape: tuple[int, int]) -> None:
    *_, last = patches.paint(photo(*shape), [artwork(40, 333), artwork(300, 16)], Recipe(size=128, iterations=6))
    assert max(last.picture.shape) == 128
    assert min(last.picture.shape[:2]) >= 16


def test_flat_pictures_are_painted(painter: StyleTransfer) -> None:
    for value in (0, 128, 255):
        flat = np.full((40, 60, 3), value, np.uint8)
        for content, style in ((flat, artwork()), (photo(), flat), (flat, flat)):
            *_, last = painter.paint(content, [style], Recipe(size=64, iterations=4))
            assert np.isfinite(last.pixels).all()
            assert np.isfinite(list(last.losses.values())).all()


def test_what_cannot_be_painted_is_refused_before_painting(patches: StyleTransfer) -> None:
    for refused, code in (
        (lambda: patches.paint(photo(), [], SMALL), "artwork_missing"),
        (lambda: patches.paint(photo(), [artwork()], Recipe(blend=(1, 2))), "recipe_invalid"),
        (lambda: patches.paint(photo(), [artwork()], Recipe(engine="vgg19")), "engine_other"),
        (lambda: patches.paint(photo(), [artwork()] * 9, Recipe()), "artworks_many"),
        (lambda: patches.paint(photo(), [artwork()], Recipe(fingerprint="other")), "weights_other"),
        (lambda: StyleTransfer("oil"), "engine_unknown"),
    ):
        with pytest.raises(Refusal) as caught:
            refused()
        assert caught.value.code == code


def test_going_on_from_any_iteration_equals_never_stopping(painter: StyleTransfer) -> None:
    recipe = replace(SMALL, size=256).changed(9, {"style_weight": 3.0})
    whole = painted(painter, recipe)
    ends = [each.number for each, after in itertools.pairwise(whole) if each.scale != after.scale]
    assert ends, "there is a last step of a coarse scale"
    for number in {0, *ends, ends[0] + 1, 11}:
        checkpoint = Checkpoint.from_bytes(whole[number].checkpoint().to_bytes())
        rest = list(painter.resume(checkpoint))
        assert [each.number for each in rest] == list(range(number + 1, 14))
        assert difference(rest[-1], whole[-1]) < 1 / 255
        assert rest[0].elapsed > checkpoint.elapsed
    assert list(painter.resume(whole[-1].checkpoint())) == []


def same(one: Iteration, other: Iteration) -> bool:
    """Whether the two are alike to the last bit."""
    return bool(np.array_equal(one.pixels, other.pixels)) and one.losses == other.losses


def test_more_is_painted_at_full_size_and_all_before_stays_as_it_was(patches: StyleTransfer) -> None:
    whole = painted(patches, SMALL)
    more = painted(patches, SMALL.changed(14, {"more": 5}))
    assert [each.number for each in more] == list(range(19))
    assert {each.of for each in more} == {19}
    assert all(same(one, other) for one, other in zip(whole, more, strict=False))
    assert {(each.scale, each.scales, each.size) for each in more[14:]} == {
        (whole[-1].scale, whole[-1].scales, (128, 32))
    }
    assert difference(more[-1], whole[-1]) > 1 / 255
    assert [each.scale for each in more] == sorted(each.scale for each in more)


@pytest.mark.parametrize("asked", [3, 13])
def test_more_may_be_asked_for_until_the_last_iteration(patches: StyleTransfer, asked: int) -> None:
    painting = patches.paint(LOW, [artwork()], SMALL)
    found = [next(painting) for _ in range(asked + 1)]
    assert found[-1].of == 14
    found.append(painting.send({"more": 3, "style_weight": 2.0}))
    assert found[-1].of == 17
    found += painting
    assert [each.number for each in found] == list(range(17))
    wanted = (Change(asked + 1, {"style_weight": 2.0}), Change(asked + 1, {"more": 3}))
    assert found[-1].recipe.changes == wanted
    assert all(same(*pair) for pair in zip(found, painted(patches, found[-1].recipe), strict=True))


def test_going_on_with_more_equals_painting_it_at_once(painter: StyleTransfer) -> None:
    recipe = replace(SMALL, iterations=8)
    finished = painted(painter, recipe)[-1].checkpoint()
    assert list(painter.resume(Checkpoint.from_bytes(finished.to_bytes()))) == []

    extended = finished.recipe.extended(7, 3)
    rest = list(painter.resume(replace(finished, recipe=extended)))
    assert [each.number for each in rest] == [8, 9, 10]
    *_, last = rest
    further = replace(last.checkpoint(), recipe=last.recipe.extended(10, 2).changed(12, {"variation_weight": 3.0}))
    end = list(painter.resume(Checkpoint.from_bytes(further.to_bytes())))
    assert [each.number for each in end] == [11, 12]

    at_once = painted(painter, end[-1].recipe)
    assert len(at_once) == 13
    assert all(same(*pair) for pair in zip(at_once[8:], [*rest, *end], strict=True))
    middle = list(painter.resume(at_once[9].checkpoint()))
    assert all(same(*pair) for pair in zip(at_once[10:], middle, strict=True))


def test_what_was_stopped_goes_on_where_its_plan_has_it(patches: StyleTransfer) -> None:
    recipe = replace(SMALL, iterations=8)
    whole = painted(patches, recipe)
    stopped = replace(whole[2].checkpoint(), recipe=whole[2].recipe.changed(3, {"stop": True}))
    assert list(patches.resume(stopped)) == []

    two = list(patches.resume(replace(stopped, recipe=stopped.recipe.extended(2, 2))))
    assert [(each.number, each.of) for each in two] == [(3, 5), (4, 5)]
    ten = list(patches.resume(replace(stopped, recipe=stopped.recipe.extended(2, 10))))
    assert [(each.number, each.of) for each in ten] == [(number, 13) for number in range(3, 13)]
    assert all(same(*pair) for pair in zip(whole[3:], ten, strict=False))
    assert all(same(*pair) for pair in zip(two, ten, strict=False))


def test_elapsed_is_time_of_painting_and_not_of_waiting(patches: StyleTransfer) -> None:
    before = time.perf_counter()
    found = []
    for iteration in patches.paint(photo(), [artwork()], Recipe(size=64, iterations=4)):
        found.append(iteration.elapsed)
        time.sleep(0.3)
    assert 0 < found[-1] <= time.perf_counter() - before - 1.2


RESUME = """
import sys
from pathlib import Path
import numpy as np
from model.checkpoint import Checkpoint
from model.style_transfer import StyleTransfer
for engine in sys.argv[1:]:
    *_, last = StyleTransfer(engine, "random").resume(Checkpoint.load(Path(engine)))
    np.save(engine, last.pixels)
"""


def test_going_on_in_another_process_equals_never_stopping(
    patches: StyleTransfer, vgg19: StyleTransfer, tmp_path: Path
) -> None:
    ends = {}
    for painter in (patches, vgg19):
        whole = painted(painter, SMALL)
        (tmp_path / painter.engine.name).write_bytes(whole[8].checkpoint().to_bytes())
        ends[painter.engine.name] = whole[-1].pixels
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", RESUME, *ends], check=True, cwd=tmp_path, env=environment, timeout=120)
    for engine, pixels in ends.items():
        assert np.abs(np.load(tmp_path / f"{engine}.npy") - pixels).max() < 1 / 255


def test_a_checkpoint_of_another_painter_or_another_painting_is_refused(
    patches: StyleTransfer, vgg19: StyleTransfer
) -> None:
    def edited(**facts: object) -> Checkpoint:
        return Checkpoint(**(vars(checkpoint) | facts))  # type: ignore[arg-type]

    checkpoint = painted(patches, SMALL)[3].checkpoint()
    picture, field = checkpoint.state["picture"], checkpoint.state["field"]
    refused: list[Callable[[], object]] = [
        lambda: vgg19.resume(checkpoint),
        lambda: patches.resume(edited(fingerprint="other")),
        lambda: list(patches.resume(edited(iteration=13))),
        lambda: list(patches.resume(edited(state={"picture": picture * np.nan, "field": field}))),
        lambda: list(patches.resume(edited(state={"picture": picture}))),
        lambda: list(patches.resume(edited(state={"picture": picture[:, 1:], "field": field}))),
        lambda: list(patches.resume(edited(state={"picture": picture, "field": field.astype(np.float64)}))),
    ]
    for attempt in refused:
        with pytest.raises(Refusal) as caught:
            attempt()
        assert caught.value.code == "checkpoint_unfit"
    wild = edited(state={"picture": picture, "field": field * 0 + 2**30})
    assert len(list(patches.resume(wild))) == 10, "places outside the artwork do no harm"
