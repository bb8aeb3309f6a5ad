"""The patches engine paints beautifully: judged on real photographs and our artworks, at its defaults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.judge import PAIRS, photograph
from model import brush, chance, flow
from model.backend import array, compiled, tensor
from model.pictures import read
from model.recipe import Recipe
from model.style_transfer import StyleTransfer
from model.windows import mixture, samples
from tests.judge import judge
from tests.model.studies import artwork, photo

ARTWORKS = Path(__file__).resolve().parents[2] / "website" / "artworks"


@pytest.mark.slow
@pytest.mark.timeout(900)  # on a busy machine
def test_paintings_have_the_artworks_patches_the_photos_shapes_and_no_noise() -> None:
    painter = StyleTransfer("patches")
    judged = []
    for name, style in PAIRS[:9:8]:  # `make bench` judges all
        content, wanted = photograph(name), read(ARTWORKS / f"{style}.jpg")
        *_, last = painter.paint(content, [wanted], Recipe())
        judged.append(judge(last.picture, content, wanted))
        print(name, style, judged[-1])
    assert np.mean([each.style for each in judged]) >= 0.9
    assert np.mean([each.content for each in judged]) >= 0.75
    assert np.mean([each.speckle for each in judged]) <= 1.4
    assert min(each.style for each in judged) >= 0.75
    assert min(each.content for each in judged) >= 0.55
    assert max(each.speckle for each in judged) <= 1.6


def test_the_judge_knows_a_photo_from_an_artwork_and_a_painting_from_noise() -> None:
    content, wanted = photograph("chelsea"), read(ARTWORKS / "thick_oil.jpg")
    untouched = judge(content, content, wanted)
    assert untouched.style == pytest.approx(0, abs=1e-9)
    assert untouched.content == pytest.approx(1)
    reached = judge(wanted, content, wanted)
    assert reached.style > 0.9
    assert reached.content < 0.3
    noise = np.random.default_rng(0).integers(-60, 60, content.shape)
    assert judge(np.clip(content + noise, 0, 255).astype(np.uint8), content, wanted).speckle > 1.6


def test_the_flow_finds_the_sorted_match_in_linear_time() -> None:
    # Against sorting: the displacement that takes one distribution to the other, in the order of the ranks.
    random = np.random.default_rng(0)
    here = random.normal(0.3, 0.2, (30_000, flow.PROJECTIONS)).astype(np.float32)
    there = random.gamma(2, 0.2, (30_000, flow.PROJECTIONS)).astype(np.float32)
    goals = np.quantile(there, np.linspace(0, 1, flow.QUANTILES), axis=0).T.astype(np.float32)
    moved = here + array(flow._displacement(tensor(here), tensor(goals)))
    wanted = np.empty_like(here)
    np.put_along_axis(wanted, here.argsort(axis=0), np.sort(there, axis=0), axis=0)
    assert np.abs(moved - wanted).mean() < 0.005
    assert np.quantile(np.abs(moved - wanted), 0.99) < 0.03


def test_the_patches_of_a_blend_are_those_of_the_mixture() -> None:
    random = np.random.default_rng(0)
    low, high = random.uniform(0, 1, (2000, 147)), random.uniform(2, 3, (500, 147))
    mixed = mixture([low.astype(np.float32), high.astype(np.float32)], [0.25, 0.75], 4000)
    goals = flow.quantiles(mixed, np.eye(147, 5, dtype=np.float32))
    at = np.linspace(0, 1, flow.QUANTILES)
    assert np.abs(goals[0][at < 0.24] - 4 * at[at < 0.24]).max() < 0.06
    assert np.abs(goals[0][at > 0.26] - (2 + (at[at > 0.26] - 0.25) / 0.75)).max() < 0.06


@pytest.mark.parametrize("step", range(5))
def test_a_step_prints_no_grid_into_flat_areas(step: int) -> None:
    # It moves every other patch both ways, but the pixels of a flat picture all alike.
    picture = np.broadcast_to(np.array([0.5, 0.4, 0.6], np.float32), (1, 40, 46, 3))
    goals = chance.uniform((flow.POOL, 1), 3) * 2 - 1 + np.linspace(-0.1, 0.1, flow.QUANTILES)
    kernels, wanted = flow.chosen(tensor(flow.projections(1).reshape(7, 7, 3, -1)), tensor(goals), step)
    held = tensor(np.zeros((1, 40, 46, 1))), tensor(np.zeros((3, 1))), tensor(np.eye(40)), tensor(np.eye(46))
    pull = compiled(flow.flow, flow.SHAPES)
    moved = array(pull(tensor(picture), held, (kernels, wanted), tensor([0.1, 1.0, 0.0, 0.0]))[0])[0]
    inner = moved[8:-8, 8:-8]
    assert np.abs(inner - picture[0, 0, 0]).max() > 0.01, "it was moved"
    assert np.ptp(inner, axis=(0, 1)).max() < 1e-4


def test_the_brush_finds_where_a_patch_comes_from_and_lays_it_again() -> None:
    whole = np.asarray(artwork(64, 56) / np.float32(255) * 0.7 + 0.3 * chance.uniform((56, 64, 3), 5))
    part = np.ascontiguousarray(whole[10:46, 8:52])  # a picture that is a piece of the artwork
    guide = np.zeros_like(part[..., :1])
    sheet = brush.Sheet.laid_out([whole], [1.0], samples(whole, 9999), np.zeros((3, 1), np.float32))
    field = sheet.nearest(part, guide)
    home = np.stack(np.meshgrid(np.arange(10, 46), np.arange(8, 52), indexing="ij"), axis=-1)
    inner = np.s_[3:-3, 3:-3]
    assert (field[inner] == home[inner]).all(-1).mean() > 0.95
    astray = np.clip(home + np.random.default_rng(0).integers(-6, 7, home.shape), 3, np.array([52, 60])).astype(
        np.int32
    )
    lay = compiled(brush.brush, brush.SHAPES)
    picture, field = tensor(part[None]), tensor(astray, "int32")
    hints = tensor(guide), tensor(np.random.default_rng(1).uniform(-1, 1, (*part.shape[:2], 2)))
    for turn in range(6):
        turns = tensor(np.random.default_rng(turn).integers(0, 4096, (2, 2, 2)), "int32")
        laid, field = lay(picture, field, hints, sheet.tensors, turns, tensor([8.0, 0.0]))
    assert (array(field)[inner] == home[inner]).all(-1).mean() > 0.9
    assert np.abs(array(laid)[0] - part)[inner].mean() < 0.01


def test_no_patch_is_taken_from_beyond_an_artworks_edge_or_from_one_without_a_share() -> None:
    artworks = [
        np.asarray(artwork(*size, seed=seed) / np.float32(255)) for seed, size in enumerate(((40, 30), (24, 60)))
    ]
    patches = np.concatenate([samples(each, 9999) for each in artworks])
    content = np.asarray(photo(64, 48) / np.float32(255))
    for shares, rows in (([1.0, 0.0], (0, 30)), ([0.0, 1.0], (30, 90))):
        sheet = brush.Sheet.laid_out(artworks, shares, patches, np.eye(3, dtype=np.float32))
        field = sheet.nearest(content, content)
        assert (field[..., 0] >= rows[0] + 3).all()
        assert (field[..., 0] < rows[1] - 3).all()


def test_a_field_grows_with_its_pictures() -> None:
    def sheet(scale: int) -> brush.Sheet:
        artworks = [np.asarray(artwork(20 * scale, 15 * scale, seed) / np.float32(255)) for seed in (0, 1)]
        patches = np.concatenate([samples(each, 9999) for each in artworks])
        return brush.Sheet.laid_out(artworks, [0.5, 0.5], patches, np.eye(3, dtype=np.float32))

    small, large = sheet(1), sheet(2)
    field = np.full((8, 10, 2), (7, 9), np.int32)
    field[4:] = (15 + 6, 8)  # the second artwork
    grown = large.enlarged(field, small, (16, 20))
    assert grown[0, 0].tolist() == [14, 18]
    assert grown[1, 1].tolist() == [15, 19], "inside a place the patch goes on"
    assert grown[8, 0].tolist() == [30 + 12, 16]


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 5, 17, 30])
def test_an_artwork_that_loses_its_share_is_painted_over(at: int) -> None:
    styles = [artwork(96, 80, seed=1), artwork(60, 96, seed=3)]
    painting = StyleTransfer("patches").paint(photo(), styles, Recipe(size=128, iterations=36, blend=(1, 0)))
    iteration = next(painting)
    while iteration.number < at:
        iteration = next(painting)
    iteration = painting.send({"blend": (0, 1)})
    for iteration in painting:
        field, sheet = iteration.checkpoint().state["field"], iteration._canvas.scene.sheet
        assert (field[..., 0] >= sheet.tops[1]).all()


@pytest.mark.slow
@pytest.mark.parametrize("size", [128, 320])
def test_no_place_is_painted_from_beyond_the_artworks(size: int) -> None:
    styles = [artwork(96, 20, seed=1), artwork(20, 96, seed=3), artwork(64, 64, seed=4)]
    for scales in (0, 1):
        painting = StyleTransfer("patches").paint(photo(), styles, Recipe(size=size, iterations=6, scales=scales))
        for iteration in painting:
            field, sheet = iteration.checkpoint().state["field"], iteration._canvas.scene.sheet
            assert (array(sheet.bias)[field[..., 0], field[..., 1]] < brush.FORBIDDEN).all()
