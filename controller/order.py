"""An order: what somebody asks to have painted, and what becomes of it before it is accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from model import pictures
from model.errors import Refusal
from model.recipe import MOST_ARTWORKS, Recipe, Source, settings


@dataclass(frozen=True)
class Order:
    """What somebody asks to have painted."""

    photo: bytes
    artworks: Sequence[tuple[str, bytes]]  # name and file
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the recipe, by name
    painting: str = ""  # the id, if the asker made one
    key: str = ""  # the owner's key, likewise
    address: str = ""  # where it comes from


@dataclass(frozen=True)
class Prepared:
    """An order that can be painted: decoded, upright, at working size, without what cameras write into files."""

    recipe: Recipe
    photo: bytes
    artworks: tuple[bytes, ...]
    width: int
    height: int

    @property
    def files(self) -> dict[str, bytes]:
        """What the gallery keeps of it."""
        return {"photo": self.photo, **{f"artwork{number}": each for number, each in enumerate(self.artworks)}}


def recipe_of(order: Order) -> Recipe:
    """The recipe that was asked for, or a refusal."""
    unknown = sorted(order.settings.keys() - settings().keys())
    if unknown:
        problem = f"There is no setting {unknown[0]!r}."
        raise Refusal("field_invalid", problem, f"Settings are {', '.join(settings())}.")
    recipe = Recipe(**order.settings)
    if not order.artworks:
        problem = "There is no artwork to paint from."
        raise Refusal("artwork_missing", problem, "Give a style_image, or the name of an artwork.")
    if len(order.artworks) > MOST_ARTWORKS:
        problem = f"There are {len(order.artworks)} artworks; {MOST_ARTWORKS} can be blended."
        raise Refusal("artworks_many", problem, f"Give at most {MOST_ARTWORKS}.")
    recipe.shares(len(order.artworks))
    return recipe


def prepared(order: Order, most_pixels: float) -> Prepared:
    """The order, ready to be painted, or a refusal. It takes a while: call it in a thread."""
    recipe = recipe_of(order)
    source, photo, (height, width) = _kept("photo", order.photo, recipe.size, most_pixels)
    artworks = [_kept(name, file, recipe.size, most_pixels) for name, file in order.artworks]
    recipe = replace(recipe, photo=source, artworks=tuple(each for each, _, _ in artworks))
    return Prepared(recipe, photo, tuple(file for _, file, _ in artworks), width, height)


def _kept(name: str, file: bytes, size: int, most_pixels: float) -> tuple[Source, bytes, tuple[int, int]]:
    """What is kept of a picture: which it was, a file at working size, and its height and width.

    Only one picture of an order is in the memory as large as it came.
    """
    try:
        picture = pictures.read(file, most_pixels)
    except Refusal as refusal:
        raise Refusal(refusal.code, f"{name}: {refusal.message}", refusal.hint) from refusal
    source = Source(name, pictures.digest(picture))
    picture = pictures.fit(picture, size)
    height, width = picture.shape[:2]
    return source, pictures.encode(picture, "png"), (height, width)
