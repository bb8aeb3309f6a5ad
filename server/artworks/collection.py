"""Adding an artwork to a site's collection, and taking it away: its picture, a small copy, its place in the manifest.

A file is there whole or not at all, and the manifest is written last: it names no picture that is not there.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import unicodedata
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps

from server.artworks.errors import Declined

Entry = dict[str, Any]

LONG_SIDE, SMALL_SIDE = 1280, 240
SHORT_SIDE = 64
MOST_PIXELS = 150_000_000
QUALITY = 88
SMALL_LIMIT = 12_000
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP")
LONGEST_NAME = 40


class Collection:
    """The artworks in a site's folder, for whoever tends them."""

    def __init__(self, site: Path) -> None:
        self._folder = site / "artworks"
        self._manifest = self._folder / "artworks.json"

    def entries(self) -> list[Entry]:
        """What the manifest says, in its order."""
        try:
            entries: list[Entry] = json.loads(self._manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            problem = f"There is no collection that can be read at {self._folder}."
            raise Declined(problem, "Give the folder of a site with --site.") from error
        return entries

    def add(self, picture: bytes, title: str, manner: str, year: int) -> Entry:
        """Add a picture; return its entry."""
        entries, name = self.entries(), name_of(title)
        for each in entries:
            if _name(each) == name:
                problem = f"There is an artwork {name!r} already: {each['title']}."
                hint = f"Choose another title, or remove that one first: visualneurons artworks remove {name}."
                raise Declined(problem, hint)
        image = _read(picture)
        large = _jpeg(image, LONG_SIDE)
        for each in entries:
            path = self._folder / each["file"]
            if path.exists() and path.read_bytes() == large:
                problem = f"This picture is in the collection already: {each['title']}."
                raise Declined(problem, "Choose it in the list of artworks.")
        with Image.open(io.BytesIO(large)) as fitted:
            width, height = fitted.size
        file = f"{name}.jpg"
        entry = {"file": file, "title": title, "manner": manner, "year": year, "width": width, "height": height}
        try:
            (self._folder / "small").mkdir(exist_ok=True)
            _write(self._folder / file, large)
            _write(self._folder / "small" / file, _small(image))
            self._tell([*entries, entry])
        except OSError as error:
            self._drop(file)
            raise self._unwritable(error) from error
        return entry

    def remove(self, name: str) -> Entry:
        """Take an artwork away; return the entry that it had."""
        entries = self.entries()
        found = next((each for each in entries if _name(each) == name), None)
        if found is None:
            problem = f"There is no artwork {name!r} in the collection."
            raise Declined(problem, f"Choose one of {', '.join(map(_name, entries))}.")
        try:
            self._tell([each for each in entries if each is not found])
            self._drop(found["file"])
        except OSError as error:
            raise self._unwritable(error) from error
        return found

    def _tell(self, entries: Sequence[Entry]) -> None:
        _write(self._manifest, (json.dumps(entries, indent=2, ensure_ascii=False) + "\n").encode())

    def _drop(self, file: str) -> None:
        for path in (self._folder / file, self._folder / "small" / file):
            if path.is_file():
                path.unlink()

    def _unwritable(self, error: OSError) -> Declined:
        problem = f"The collection at {self._folder} cannot be changed: {error.strerror}."
        return Declined(problem, "Do it as who installed VisualNeurons, or make room there.")


def name_of(title: str) -> str:
    """The name that an artwork of this title gets: plain letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:LONGEST_NAME].rstrip("_")
    if not name:
        problem = f"The title {title!r} has no letter or digit that a file's name can be made of."
        raise Declined(problem, "Give a title with a few letters from A to Z.")
    return name


def _name(entry: Entry) -> str:
    return str(entry["file"]).rpartition(".")[0]


def _read(data: bytes) -> Image.Image:
    """The picture, upright, on white, in sRGB, no larger than it is kept."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of is refused below, or does no harm
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise _too_many()
                image.draft("RGB", (2 * LONG_SIDE, 2 * LONG_SIDE))
                upright = _in_srgb(ImageOps.exif_transpose(image))
    except Declined:
        raise
    except (Image.DecompressionBombError, MemoryError):
        raise _too_many() from None
    except Exception as error:  # a damaged file makes Pillow's parsers raise anything at all
        problem = "This is not a picture, or it is damaged."
        raise Declined(problem, f"Give one of {', '.join(FORMATS)}, whole.") from error
    if min(upright.size) < SHORT_SIDE:
        problem = f"The picture has {upright.width}×{upright.height} pixels; the short side needs {SHORT_SIDE}."
        raise Declined(problem, "Choose a larger size of it: 1280 pixels are good.")
    return upright


def _too_many() -> Declined:
    problem = f"The picture has more than {MOST_PIXELS // 1_000_000} megapixels."
    return Declined(problem, "Choose a smaller size of it: 1280 pixels are enough.")


def _in_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        with contextlib.suppress(OSError, ImageCms.PyCMSError):  # a profile that is no use is left out
            theirs, ours = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            if converted := ImageCms.profileToProfile(image, theirs, ours, outputMode="RGB"):
                return converted
    return image.convert("RGB")


def _fitted(image: Image.Image, side: int) -> Image.Image:
    fitted = image.copy()
    fitted.thumbnail((side, side), Image.Resampling.LANCZOS)
    fitted.info.clear()  # cameras and museums write much into files that a page has no use for
    return fitted


def _jpeg(image: Image.Image, side: int, quality: int = QUALITY) -> bytes:
    out = io.BytesIO()
    _fitted(image, side).save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


def _small(image: Image.Image) -> bytes:
    """The copy for lists: as good as it can be in few bytes."""
    for quality in range(85, 25, -10):
        data = _jpeg(image, SMALL_SIDE, quality)
        if len(data) <= SMALL_LIMIT:
            break
    return data


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{os.urandom(8).hex()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
