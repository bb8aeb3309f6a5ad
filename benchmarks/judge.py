"""How beautiful the paintings of patches are at its defaults, as far as figures can tell."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import skimage.data
import sklearn.datasets

from benchmarks.figure import Figure, at_least, at_most
from benchmarks.studies import ROOT
from model.pictures import Picture, read
from model.recipe import Recipe
from model.style_transfer import StyleTransfer
from tests.judge import Judgement, judge

# Every artwork, and every photo, at least once.
PAIRS = (
    ("astronaut", "night_sky"),
    ("china", "thick_oil"),
    ("chelsea", "woodblock_wave"),
    ("coffee", "pointillist_garden"),
    ("flower", "water_lilies"),
    ("astronaut", "ink_wash"),
    ("chelsea", "mosaic"),
    ("coffee", "stained_glass"),
    ("rocket", "thick_oil"),
    ("coffee", "cubist_still_life"),
    ("flower", "red_evening"),
    ("chelsea", "turning_discs"),
    ("coffee", "poured_threads"),
)


def figures(quick: bool) -> Iterator[Figure]:
    """Style, content and speckle of each painting, their means and the worst of them."""
    painter = StyleTransfer("patches")
    recipe = Recipe(size=64, iterations=8) if quick else Recipe()
    judged: list[Judgement] = []
    for photo, style in PAIRS[:1] if quick else PAIRS:
        content, artwork = photograph(photo), read(ROOT / "website" / "artworks" / f"{style}.jpg")
        *_, last = painter.paint(content, [artwork], recipe)
        judged.append(judge(last.picture, content, artwork))
        for name, value in vars(judged[-1]).items():
            yield Figure(f"{photo} as {style}: {name}", value, "")
    styles, contents, speckles = ([getattr(each, name) for each in judged] for name in ("style", "content", "speckle"))
    yield Figure("mean style", statistics.fmean(styles), "", at_least(0.9))
    yield Figure("mean content", statistics.fmean(contents), "", at_least(0.75))
    yield Figure("mean speckle", statistics.fmean(speckles), "", at_most(1.4))
    yield Figure("least style", min(styles), "", at_least(0.75))
    yield Figure("least content", min(contents), "", at_least(0.55))
    yield Figure("most speckle", max(speckles), "", at_most(1.6))


def photograph(name: str) -> Picture:
    """A photograph that comes with scikit-image or scikit-learn."""
    if name in ("china", "flower"):
        photo: Picture = sklearn.datasets.load_sample_image(f"{name}.jpg")
    else:
        photo = getattr(skimage.data, name)()
    return photo
