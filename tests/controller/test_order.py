"""Orders: what is taken, what is refused and how, and what is kept of what somebody brought."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image

from controller.order import Order, prepared, recipe_of
from model import pictures
from model.errors import Refusal
from model.pictures import Picture
from model.recipe import MOST_ARTWORKS, Recipe, Source
from tests.model.studies import artwork, photo

PHOTO, ARTWORK = photo(320, 240), artwork(200, 100)
PIXELS = 1e6


def png(picture: Picture) -> bytes:
    return pictures.encode(picture, "png")


def order(settings: Mapping[str, Any] | None = None, **more: Any) -> Order:
    asked: dict[str, Any] = {"photo": png(PHOTO), "artworks": [("night", png(ARTWORK))], "settings": settings or {}}
    return Order(**(asked | more))


def from_a_phone(turned: int = 6) -> bytes:
    """A JPEG as a phone writes it: lying on its side, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = turned
    exif[0x010F] = "A maker of phones"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    file = io.BytesIO()
    Image.fromarray(PHOTO).save(file, "JPEG", exif=exif, quality=95, comment=b"taken at home")
    return file.getvalue()


def test_an_order_is_prepared_at_working_size() -> None:
    ready = prepared(order({"size": 128, "iterations": 12}), PIXELS)
    assert (ready.width, ready.height) == (128, 96)
    assert list(ready.files) == ["photo", "artwork0"]
    assert pictures.read(ready.photo).shape == (96, 128, 3)
    assert pictures.read(ready.artworks[0]).shape == (64, 128, 3)
    np.testing.assert_array_equal(pictures.read(ready.photo), pictures.fit(PHOTO, 128))


def test_the_recipe_names_what_went_in_by_its_own_pixels() -> None:
    two = [("night", png(ARTWORK)), ("Tag & Nacht.jpg", png(ARTWORK[::-1].copy()))]
    ready = prepared(order({"size": 64, "style_weight": 2, "blend": [1, 3]}, artworks=two), PIXELS)
    assert ready.recipe == Recipe(
        size=64,
        style_weight=2,
        blend=(1, 3),
        photo=Source("photo", pictures.digest(PHOTO)),
        artworks=(
            Source("night", pictures.digest(ARTWORK)),
            Source("Tag & Nacht.jpg", pictures.digest(ARTWORK[::-1].copy())),
        ),
    )
    assert list(ready.files) == ["photo", "artwork0", "artwork1"]


@pytest.mark.parametrize("kind", ["photo", "artwork"])
def test_what_a_camera_writes_into_a_file_is_not_kept(kind: str) -> None:
    file = from_a_phone()
    assert Image.open(io.BytesIO(file)).getexif().get_ifd(0x8825)[1] == "N"
    asked = order({"size": 128}, **({"photo": file} if kind == "photo" else {"artworks": [("mine", file)]}))
    ready = prepared(asked, PIXELS)
    kept = ready.photo if kind == "photo" else ready.artworks[0]
    with Image.open(io.BytesIO(kept)) as image:
        assert image.format == "PNG"
        assert image.size == (96, 128), "upright"
        assert not image.getexif()
        assert not image.info
    assert not any(word in kept for word in (b"Exif", b"GPS", b"maker", b"home"))


def test_a_photo_from_a_phone_is_upright() -> None:
    ready = prepared(order({"size": 128}, photo=from_a_phone(turned=3)), PIXELS)
    upside_down = pictures.fit(PHOTO[::-1, ::-1].copy(), 128)
    assert np.abs(pictures.read(ready.photo).astype(int) - upside_down).mean() < 3


@pytest.mark.parametrize(
    ("settings", "code", "problem"),
    [
        ({"colour": 1}, "field_invalid", "There is no setting 'colour'."),
        ({"changes": []}, "field_invalid", "There is no setting 'changes'."),
        ({"fingerprint": "x"}, "field_invalid", "There is no setting 'fingerprint'."),
        ({"size": 8}, "setting_invalid", "size is 8, but it has to be from 32 to 4,096 px."),
        (
            {"iterations": "many"},
            "setting_invalid",
            "iterations is 'many', but it has to be a number from 1 to 10,000 steps.",
        ),
        ({"engine": "oil"}, "setting_invalid", "engine is 'oil', but it has to be one of auto, vgg19, patches."),
        ({"blend": [1, 2]}, "recipe_invalid", "blend has 2 shares for 1 artworks."),
        ({"blend": [0]}, "recipe_invalid", "blend adds up to 0."),
    ],
)
def test_settings_that_cannot_be_are_refused_before_a_picture_is_read(
    settings: dict[str, Any], code: str, problem: str
) -> None:
    with pytest.raises(Refusal) as refused:
        recipe_of(order(settings, photo=b"", artworks=[("night", b"")]))
    assert refused.value.code == code
    assert refused.value.message.startswith(problem)
    assert refused.value.hint.endswith(".")


@pytest.mark.parametrize(
    ("changed", "code", "problem"),
    [
        ({"artworks": []}, "artwork_missing", "There is no artwork to paint from."),
        ({"artworks": [("a", b"")] * 9}, "artworks_many", f"There are 9 artworks; {MOST_ARTWORKS} can be blended."),
        ({"photo": b""}, "picture_empty", "photo: The picture is empty: it has 0 bytes."),
        (
            {"photo": b"no picture"},
            "picture_unreadable",
            "photo: The file is not a picture of a kind that can be read.",
        ),
        ({"artworks": [("night", b"<svg/>")]}, "picture_vector", "night: The picture is an SVG drawing"),
        ({"photo": png(PHOTO[:10])}, "picture_too_small", "photo: The picture has 320×10 pixels"),
        (
            {"artworks": [("night", png(np.zeros((1000, 1200, 3), np.uint8)))]},
            "picture_too_large",
            "night: The picture has 1200×1000 pixels, 1.2 megapixels.",
        ),
    ],
)
def test_what_cannot_be_painted_is_refused_by_the_name_of_the_picture(
    changed: dict[str, Any], code: str, problem: str
) -> None:
    with pytest.raises(Refusal) as refused:
        prepared(order(**changed), PIXELS)
    assert refused.value.code == code
    assert refused.value.message.startswith(problem)
    assert refused.value.message.endswith(".")
    assert refused.value.hint.endswith(".")
