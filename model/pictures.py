"""Pictures in, pictures out: what a visitor brings becomes sRGB pixels, and pixels become a file that others can open.

What comes in comes from strangers. `read` answers any bytes with a picture or a `Refusal`, in bounded memory and time.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import logging
import os
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401  registers the formats

from model.errors import Refusal

Picture: TypeAlias = NDArray[np.uint8]
"""Height × width × 3, sRGB."""

Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]
"""A picture, or the same as float32 in [0, 1]."""

Format = Literal["png", "jpeg", "webp", "tiff"]

SUFFIXES: dict[str, Format] = {
    ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff",
}  # fmt: skip

MIN_SIDE = 16
MAX_PIXELS = 50_000_000
MAX_ASPECT = 20
MAX_BYTES = 8 * MAX_PIXELS + 2**24  # the largest picture as 16-bit RGBA, uncompressed, and room for its metadata
MAX_RECIPE_BYTES = 2**20
MAX_JPEG_WORK = 3_000_000_000  # scans × pixels; an honest progressive file has some ten scans

_READABLE = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_EXPORT_HINT = "Open it in another program and export it as PNG, JPEG, WebP, GIF, BMP or TIFF."
_WHOLE_FILE_HINT = "Get the file again, whole, and try that."
_SHRINK_HINT = f"Make it smaller, at most {MAX_PIXELS // 1_000_000} megapixels, and try again."

# Pillow's own decoder takes 16-bit colour that is stored plane by plane for something else; libtiff does not.
TiffImagePlugin.READ_LIBTIFF = True

# What Pillow logs about a damaged file is said by a refusal, and need not reach a terminal that asked for no log.
logging.getLogger("PIL").addHandler(logging.NullHandler())

# Warnings are silenced process-wide while a file is decoded, so only one is decoded at a time. That bounds memory, too.
_decoding = threading.Lock()


def read(source: bytes | Path, most_pixels: float = MAX_PIXELS) -> Picture:
    """The picture in a file or its bytes: upright, on white, in sRGB. Refuses with a code what is not one."""
    data = _bytes_of(source)
    if not data:
        raise Refusal("picture_empty", "The picture is empty: it has 0 bytes.", _WHOLE_FILE_HINT)
    try:
        with _decoding, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decoded(data, most_pixels)
    except Refusal:
        raise
    except Image.DecompressionBombError as error:
        most = f"The picture is far larger than {MAX_PIXELS // 1_000_000} megapixels."
        raise Refusal("picture_too_large", most, _SHRINK_HINT) from error
    except MemoryError as error:
        raise Refusal("picture_too_large", "The picture does not fit into memory.", _SHRINK_HINT) from error
    except Exception as error:  # a damaged file makes Pillow's parsers raise anything at all
        raise _explained(data, error) from error


def fit(picture: Picture, size: int) -> Picture:
    """The picture with its long side at `size`, and its short side at no less than `MIN_SIDE`."""
    height, width = picture.shape[:2]
    scale = size / max(height, width)
    target = (max(MIN_SIDE, round(width * scale)), max(MIN_SIDE, round(height * scale)))
    if target == (width, height):
        return picture
    return np.array(Image.fromarray(picture).resize(target, Image.Resampling.LANCZOS))


def digest(picture: Picture) -> str:
    """What tells a picture's pixels from others', however they are stored."""
    return hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()[:32]


def encode(pixels: Pixels, format: Format, recipe: Mapping[str, object] | None = None, quality: int = 90) -> bytes:
    """The file's bytes. PNG and TIFF keep the recipe inside; TIFF keeps 16 bits of float pixels; `quality` is 1–100."""
    note = "" if recipe is None else json.dumps(dict(recipe), allow_nan=False)
    if format == "tiff":
        return _tiff(pixels, note)
    image = Image.fromarray(_rounded(pixels, np.uint8))
    out = io.BytesIO()
    if format == "png":
        info = PngImagePlugin.PngInfo()
        if note:
            info.add_itxt("recipe", note)
        image.save(out, "PNG", pnginfo=info, compress_level=1)  # frames are streamed: speed counts more than bytes
    elif format == "jpeg":
        image.save(out, "JPEG", quality=quality)
    else:
        image.save(out, "WEBP", quality=quality)
    return out.getvalue()


def recipe_in(source: bytes | Path) -> dict[str, object]:
    """The recipe that `encode` left inside a PNG."""
    text = _recipe_text(_bytes_of(source))
    try:
        recipe = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _recipe_unreadable("is not JSON") from error
    if not isinstance(recipe, dict):
        raise _recipe_unreadable("is not a set of named settings")
    return recipe


def format_of(path: Path) -> Format:
    """The format that a path's suffix asks for."""
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise unknown_suffix(path, SUFFIXES) from None


def unknown_suffix(path: Path, known: Mapping[str, str]) -> Refusal:
    """The refusal of a path whose suffix is none of the known ones."""
    ending = f"ends in {path.suffix!r}" if path.suffix else "has no suffix"
    return Refusal("format_unknown", f"The name {path.name!r} {ending}.", f"Use one of {', '.join(known)}.")


def save(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, whatever happens meanwhile."""
    try:
        if path.exists() and not path.is_file():
            raise FileExistsError(errno.EEXIST, "it is not a file")
        part = path.with_name(f".{os.urandom(8).hex()}.part")
        try:
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritten(path, len(data), error) from error


# ---------------------------------------------------------------- reading


class _Metered(io.BytesIO):
    """Bytes that can be read only so much: a hostile file would send its reader round in circles."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._bytes_left = 8 * len(data) + 2**20
        self._reads_left = 500_000

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        self._bytes_left -= len(block)
        self._reads_left -= 1
        if self._bytes_left < 0 or self._reads_left < 0:
            raise OSError("the file is made to be read without end")
        return block


def _bytes_of(source: bytes | Path) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        try:
            with source.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            message = f"{str(source)!r} cannot be read: {reason.lower()}."
            raise Refusal("picture_missing", message, "Check the name, and that you may read the file.") from error
    if len(data) > MAX_BYTES:
        raise Refusal("picture_too_large", f"The file is larger than {MAX_BYTES // 10**6} MB.", _SHRINK_HINT)
    return data


def _decoded(data: bytes, most_pixels: float) -> Picture:
    exif = b""
    if data.startswith(b"\xff\xd8"):
        # Pillow would read every tag of it on opening, and tags may overlap: a small file could fill the memory.
        exif = data[: data.find(b"\xff\xda")].partition(b"Exif\0\0")[2]
        data = data.replace(b"Exif\0\0", b"Exif\0\1")
    with Image.open(_Metered(data), formats=_READABLE) as image:
        _check_size(*image.size, most_pixels)
        _check_work(image, data)
        _load(image, data)
        _check_size(*image.size, most_pixels)
        upright = _upright(image, exif or image.info.get("exif", b""))
        return np.array(_on_white(upright, image.info.get("icc_profile")))


def _check_size(width: int, height: int, most_pixels: float) -> None:
    size = f"{width}×{height} pixels"
    if width * height > most_pixels:
        most = f"The picture has {size}, {width * height / 1e6:.3g} megapixels."
        hint = f"Make it smaller, at most {most_pixels / 1e6:g} megapixels, and try again."
        raise Refusal("picture_too_large", most, hint)
    if min(width, height) < MIN_SIDE:
        message = f"The picture has {size}, less than {MIN_SIDE} on a side."
        raise Refusal("picture_too_small", message, "Choose a larger picture.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        message = f"The picture has {size}, which is narrower than 1:{MAX_ASPECT}."
        raise Refusal("picture_too_narrow", message, "Crop it, and try again.")


def _check_work(image: Image.Image, data: bytes) -> None:
    """Refuse a small picture that takes the work of a huge one."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        work = image.tag_v2.get(TiffImagePlugin.TILEWIDTH, 0) * image.tag_v2.get(TiffImagePlugin.TILELENGTH, 0)
        most = MAX_PIXELS
    else:
        scans = data.count(b"\xff\xda") if image.format in ("JPEG", "MPO") else 0
        work, most = scans * image.width * image.height, MAX_JPEG_WORK
    if work > most:
        raise Refusal("picture_too_large", "The picture takes far more work than its size allows.", _EXPORT_HINT)


def _load(image: Image.Image, data: bytes) -> None:
    try:
        image.load()
    except OSError as error:
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            tags = image.tag_v2
            starts = tags.get(TiffImagePlugin.STRIPOFFSETS) or tags.get(TiffImagePlugin.TILEOFFSETS) or ()
            counts = tags.get(TiffImagePlugin.STRIPBYTECOUNTS) or tags.get(TiffImagePlugin.TILEBYTECOUNTS) or ()
            if any(start + count > len(data) for start, count in zip(starts, counts, strict=False)):
                raise EOFError("the pixels lie beyond the end") from error
        raise


def _upright(image: Image.Image, exif: bytes) -> Image.Image:
    """The picture as it was seen. (Pillow itself has turned a TIFF by now.)"""
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(_orientation(exif))
    return image if turn is None else image.transpose(turn)


def _orientation(exif: bytes) -> int:
    """The orientation in an EXIF block, 1–8; 1 where there is none."""
    block = exif.removeprefix(b"Exif\0\0")
    order = ">" if block.startswith(b"MM") else "<"
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", block, entry)
            if tag == 0x0112:
                return int(value)
    except struct.error:
        pass
    return 1


def _on_white(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB, what is transparent in it over white."""
    alpha: Image.Image | None = None
    if image.mode.startswith("I;16"):
        image, alpha = _eight_bits(image)
    elif image.mode in ("I", "F"):
        message = "The picture stores its colours as signed, 32-bit or floating point numbers."
        raise Refusal("picture_unreadable", message, "Export it with 8 or 16 bits per colour.")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
    if image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    colors = _in_srgb(image, profile)
    if alpha is None:
        return colors
    white = Image.new("RGB", colors.size, "white")
    white.paste(colors, mask=alpha)
    return white


def _eight_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """16-bit grey, which Pillow would clip, as 8-bit grey, with its opacity where one of the greys is transparent."""
    tags = getattr(image, "tag_v2", {})
    top = 2 ** tags.get(TiffImagePlugin.BITSPERSAMPLE, (16,))[0] - 1
    grey = np.asarray(image)
    scaled = np.rint(np.minimum(grey, top) * np.float32(255 / top)).astype(np.uint8)
    if tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0:
        scaled = 255 - scaled
    clear = image.info.get("transparency")
    alpha = None if clear is None else Image.fromarray(np.where(grey == clear, 0, 255).astype(np.uint8))
    return Image.fromarray(scaled), alpha


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture as RGB, through its colour profile where it has one that fits it."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")


def _explained(data: bytes, error: Exception) -> Refusal:
    """Why bytes that could not be decoded could not: not a picture, a drawing, cut off, or damaged."""
    kind = _kind_of(data)
    if kind is None and _is_svg(data):
        message = "The picture is an SVG drawing, which has no pixels."
        return Refusal("picture_vector", message, "Open it in a browser or drawing program and export it as PNG.")
    if kind is None:
        return Refusal("picture_unreadable", "The file is not a picture of a kind that can be read.", _EXPORT_HINT)
    if _is_cut_off(kind, data) or isinstance(error, EOFError) or "truncated" in str(error).lower():
        message = f"The {kind} picture is cut off: it ends after {len(data)} bytes, before the picture does."
        return Refusal("picture_truncated", message, _WHOLE_FILE_HINT)
    return Refusal("picture_unreadable", f"The {kind} picture is damaged or of a rare variety.", _EXPORT_HINT)


def _kind_of(data: bytes) -> str | None:
    if data.startswith(b"RIFF"):
        return "WebP" if data[8:12] == b"WEBP" else None
    beginnings = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"BM": "BMP"}
    beginnings |= dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TIFF")
    return next((kind for beginning, kind in beginnings.items() if data.startswith(beginning)), None)


def _is_cut_off(kind: str, data: bytes) -> bool:
    if kind == "PNG":
        return b"IEND" not in data
    if kind == "JPEG":
        return b"\xff\xd9" not in data
    if kind == "GIF":
        return not data.rstrip(b"\0").endswith(b";")
    if kind == "WebP":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if kind == "BMP":
        return int.from_bytes(data[2:6], "little") > len(data)
    order: Literal["little", "big"] = "little" if data.startswith(b"II") else "big"
    return int.from_bytes(data[4:8], order) + 2 > len(data)


def _is_svg(data: bytes) -> bool:
    head = data[:65536].replace(b"\0", b"").lower()  # without the zeros, UTF-16 reads like ASCII
    begins = re.match(rb"[^\w<]*<(?:\?xml|!--|!doctype\s+svg|(?:\w+:)?svg\b)", head)
    return begins is not None and re.search(rb"<(?:\w+:)?svg\b", head) is not None


# ---------------------------------------------------------------- recipes


def _recipe_text(data: bytes) -> str:
    """The text of the first iTXt chunk named `recipe`. Walked by hand: nothing is decoded, least of all the pixels."""
    missing = Refusal(
        "recipe_missing",
        "The file has no recipe inside.",
        "Only a PNG that was painted here keeps its recipe, and only until another program saves it anew.",
    )
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise missing
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if kind == b"iTXt" and data.startswith(b"recipe\0", position + 8):
            if length > MAX_RECIPE_BYTES:
                raise _recipe_unreadable(f"is larger than {MAX_RECIPE_BYTES} bytes")
            if data[end : end + 4] != zlib.crc32(data[position + 4 : end]).to_bytes(4, "big"):
                raise _recipe_unreadable("is damaged")
            return _itxt(data[position + 8 : end])
        position = end + 4
    raise missing


def _itxt(chunk: bytes) -> str:
    try:
        _, rest = chunk.split(b"\0", 1)
        _language, _translated, text = rest[2:].split(b"\0", 2)
        if rest[0]:
            text = zlib.decompressobj().decompress(text, MAX_RECIPE_BYTES)
        return text.decode("utf-8")
    except (ValueError, IndexError, zlib.error) as error:
        raise _recipe_unreadable("is damaged") from error


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _recipe_unreadable(reason: str) -> Refusal:
    return Refusal("recipe_unreadable", f"The recipe inside the picture {reason}.", "Use another copy of the picture.")


# ---------------------------------------------------------------- writing


def _rounded(pixels: Pixels, kind: type[np.uint8 | np.uint16]) -> NDArray[Any]:
    """Float pixels as whole numbers that fill the kind's range; 8-bit pixels as they are."""
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels, np.uint8)
    unit = np.clip(np.asarray(pixels, np.float32), 0, 1)
    return np.rint(unit * np.iinfo(kind).max).astype(kind)


def _tiff(pixels: Pixels, note: str) -> bytes:
    import tifffile  # slow to import, and seldom needed

    out = io.BytesIO()
    tifffile.imwrite(
        out,
        _rounded(pixels, np.uint16),
        photometric="rgb",
        compression="zlib",
        predictor=True,
        description=note or None,
        metadata=None,
    )
    return out.getvalue()


def _unwritten(path: Path, size: int, error: OSError | ValueError) -> Refusal:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        message = f"{str(path)!r} does not fit: there is no room for its {size} bytes."
        return Refusal("disk_full", message, "Free some space, or write to another disk.")
    message = f"{str(path)!r} cannot be written: {reason.lower()}."
    return Refusal("not_writable", message, "Check that the folder exists and that you may write to it.")
