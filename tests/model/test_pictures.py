"""Pictures in, pictures out: every kind of file that is promised, every refusal, and whatever else bytes can be."""

from __future__ import annotations

import io
import json
import os
import random
import struct
import subprocess
import sys
import textwrap
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from model import pictures
from model.errors import Refusal
from model.pictures import Picture

LOSSLESS_OR_NEARLY: dict[str, dict[str, object]] = {
    "WEBP": {"lossless": True, "exact": True},
    "JPEG": {"quality": 98, "subsampling": 0},
}


def scene(height: int = 40, width: int = 60) -> Picture:
    """A picture with a different colour in every corner, smooth enough for lossy formats."""
    down, along = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)[None, :]
    channels = np.broadcast_arrays(20 + 200 * along, 30 + 180 * down, 220 - 100 * along - 90 * down)
    return np.stack(channels, axis=2).astype(np.uint8)


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    """The bytes of a file that Pillow writes."""
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def tiff(pixels: NDArray[np.generic], **options: object) -> bytes:
    """The bytes of a file that tifffile writes."""
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, **options)  # type: ignore[arg-type]
    return out.getvalue()


def png(header: bytes, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG made by hand, for what Pillow does not write."""
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, *zip(*parts, strict=True)))


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png16(pixels: NDArray[np.uint16], *chunks: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG, of as many channels as the pixels have."""
    height, width = pixels.shape[:2]
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[pixels[0, 0].size]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return png(struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0), rows, *chunks)


def difference(one: NDArray[np.generic], other: NDArray[np.generic]) -> int:
    """The largest difference between two pictures."""
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def code_of(call: Callable[[], object]) -> str:
    """The code of the refusal that a call ends in."""
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value.code


def profile(red: tuple[float, float], green: tuple[float, float], blue: tuple[float, float]) -> bytes:
    """A small matrix colour profile with these primaries, D65 white adapted to D50, and a gamma of 2.2."""
    primaries = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in (red, green, blue)]).T
    white = np.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d50 = np.array([0.9642, 1.0, 0.8249])
    adapt = np.linalg.inv(bradford) @ np.diag((bradford @ d50) / (bradford @ white)) @ bradford
    matrix = adapt @ (primaries * np.linalg.solve(primaries, white))

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    text += bytes(-len(text) % 4)
    tags = {b"desc": text, b"cprt": b"text" + bytes(4) + b"none", b"wtpt": b"XYZ " + bytes(4) + fixed(*d50)}
    tags |= {name: b"XYZ " + bytes(4) + fixed(*matrix[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + fixed(*d50)
    return header.ljust(128, b"\0") + table + body


ADOBE_RGB = profile((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
SWAPPED = profile((0.30, 0.60), (0.64, 0.33), (0.15, 0.06))  # sRGB's, but red and green change places


# ---------------------------------------------------------------- what can be read


@pytest.mark.parametrize(
    ("format", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "tiff_adobe_deflate"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 12),
        ("JPEG", {"quality": 95, "subsampling": 0}, 6),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 6),
    ],
)
def test_reads_each_format(format: str, options: dict[str, object], tolerance: int) -> None:
    picture = pictures.read(saved(Image.fromarray(scene()), format, **options))
    assert picture.dtype == np.uint8
    assert picture.flags.writeable
    assert difference(picture, scene()) <= tolerance


def test_reads_a_path_as_well_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "photo without a suffix"
    path.write_bytes(saved(Image.fromarray(scene()), "PNG"))
    assert difference(pictures.read(path), scene()) == 0


@pytest.mark.parametrize("format", ["GIF", "WEBP", "TIFF"])
def test_reads_the_first_of_several_frames(format: str) -> None:
    frames = [Image.new("RGB", (30, 20), color) for color in ("#ff0000", "#00ff00", "#0000ff")]
    options = LOSSLESS_OR_NEARLY.get(format, {})
    picture = pictures.read(saved(frames[0], format, save_all=True, append_images=frames[1:], **options))
    assert difference(picture, np.full((20, 30, 3), (255, 0, 0))) == 0


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_reads_grey(format: str) -> None:
    grey = scene()[:, :, 0]
    options = LOSSLESS_OR_NEARLY.get(format, {})
    picture = pictures.read(saved(Image.fromarray(grey), format, **options))
    assert difference(picture, np.stack([grey] * 3, axis=2)) <= (3 if format == "JPEG" else 0)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
def test_reads_black_and_white(format: str) -> None:
    spots = np.indices((20, 30)).sum(axis=0) % 3 == 0
    picture = pictures.read(saved(Image.fromarray(spots), format))
    assert difference(picture, np.stack([spots * 255] * 3, axis=2)) == 0


@pytest.mark.parametrize("format", ["PNG", "GIF", "TIFF", "BMP"])
def test_reads_a_palette(format: str) -> None:
    image = Image.fromarray(scene()).quantize(32)
    assert difference(pictures.read(saved(image, format)), np.asarray(image.convert("RGB"))) == 0


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_puts_alpha_on_white(format: str) -> None:
    alpha = np.broadcast_to(np.linspace(0, 255, 60).astype(np.uint8), (40, 60))
    image = Image.fromarray(np.dstack([scene(), alpha]))
    options = LOSSLESS_OR_NEARLY.get(format, {})
    share = alpha[:, :, None] / 255
    expected = np.rint(scene() * share + 255 * (1 - share))
    assert difference(pictures.read(saved(image, format, **options)), expected) <= 1


def test_puts_grey_with_alpha_on_white() -> None:
    image = Image.merge("LA", [Image.new("L", (20, 20), 100), Image.new("L", (20, 20), 51)])
    assert difference(pictures.read(saved(image, "PNG")), np.full((20, 20, 3), 224)) <= 1


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_a_transparent_palette_color_is_white(format: str) -> None:
    image = Image.new("P", (20, 20), 0)
    image.putpalette([0, 0, 200, 200, 0, 0])
    image.paste(1, (0, 0, 10, 20))
    picture = pictures.read(saved(image, format, transparency=0))
    assert picture[5, 5].tolist() == [200, 0, 0]
    assert picture[5, 15].tolist() == [255, 255, 255]


def test_several_degrees_of_transparency_in_a_palette() -> None:
    image = Image.new("P", (20, 20), 0)
    image.putpalette([0, 0, 200, 200, 0, 0])
    picture = pictures.read(saved(image, "PNG", transparency=bytes([51, 255])))
    assert difference(picture, np.full((20, 20, 3), (204, 204, 244))) <= 1


@pytest.mark.parametrize(("mode", "clear", "color"), [("RGB", (1, 2, 3), (1, 2, 3)), ("L", 7, 7)])
def test_a_transparent_color_is_white(mode: str, clear: object, color: object) -> None:
    image = Image.new(mode, (20, 20), color)  # type: ignore[arg-type]
    assert difference(pictures.read(saved(image, "PNG", transparency=clear)), np.full((20, 20, 3), 255)) == 0


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_reads_cmyk(format: str) -> None:
    inks = np.zeros((32, 48, 4), np.uint8)
    inks[:, :16, 0] = 255  # cyan
    inks[:, 16:32, 1] = 255  # magenta
    inks[:, 32:, 3] = 128  # grey
    options = LOSSLESS_OR_NEARLY.get(format, {})
    image = Image.merge("CMYK", [Image.fromarray(inks[:, :, channel]) for channel in range(4)])
    picture = pictures.read(saved(image, format, **options))
    for column, color in ((8, (0, 255, 255)), (24, (255, 0, 255)), (40, (127, 127, 127))):
        assert difference(picture[16, column], np.array(color)) <= 3


# ---------------------------------------------------------------- 16 bits


RAMP = np.broadcast_to(np.linspace(0, 65535, 64).astype(np.uint16), (32, 64))
RAMP_8 = np.stack([np.rint(RAMP / 257)] * 3, axis=2)


def test_16_bit_grey_png_is_scaled() -> None:
    assert difference(pictures.read(png16(RAMP)), RAMP_8) <= 1


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_16_bit_grey_tiff_is_scaled(byteorder: str, compression: str | None) -> None:
    data = tiff(RAMP, byteorder=byteorder, compression=compression, photometric="minisblack")
    assert difference(pictures.read(data), RAMP_8) <= 1


def test_16_bit_grey_tiff_with_white_at_zero_is_not_a_negative() -> None:
    assert difference(pictures.read(tiff(65535 - RAMP, photometric="miniswhite")), RAMP_8) <= 1


def test_12_bit_grey_tiff_is_scaled() -> None:
    values = (RAMP >> 4).astype(int)
    pairs = values.reshape(-1, 2)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=1)
    tags = [(256, 64), (257, 32), (258, 12), (259, 1), (262, 1), (273, 122), (277, 1), (278, 32), (279, packed.size)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    header = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries
    data = header.ljust(122, b"\0")
    assert difference(pictures.read(data + packed.astype(np.uint8).tobytes()), RAMP_8) <= 1


def test_16_bit_color_is_scaled() -> None:
    colors = np.stack([RAMP, RAMP[:, ::-1], 65535 - RAMP // 2], axis=2)
    expected = np.rint(colors / 257)
    for data in (
        png16(colors),
        tiff(colors, photometric="rgb"),
        tiff(colors, photometric="rgb", byteorder=">"),
        tiff(colors, photometric="rgb", compression="zlib", predictor=True),
        tiff(colors.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"),
        tiff(colors.transpose(2, 0, 1), photometric="rgb", planarconfig="separate", compression="zlib", byteorder=">"),
    ):
        assert difference(pictures.read(data), expected) <= 1


def test_16_bit_alpha_is_put_on_white() -> None:
    half = np.full((32, 64), 32768, np.uint16)
    expected = np.rint(RAMP_8 / 2 + 127.5)
    assert difference(pictures.read(png16(np.stack([RAMP, half], axis=2))), expected) <= 2
    assert difference(pictures.read(png16(np.stack([RAMP, RAMP, RAMP, half], axis=2))), expected) <= 2


def test_a_transparent_16_bit_grey_is_white() -> None:
    picture = pictures.read(png16(RAMP, (b"tRNS", struct.pack(">H", int(RAMP[0, 10])))))
    assert picture[0, 10].tolist() == [255, 255, 255]
    assert picture[0, 11].tolist() == [45, 45, 45]


# ---------------------------------------------------------------- upright, in sRGB


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_the_picture_upright(format: str, orientation: int) -> None:
    upright = scene()
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright.transpose(1, 0, 2), 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x010F] = "a camera's name, longer than four bytes"
    exif[0x0112] = orientation
    options = LOSSLESS_OR_NEARLY.get(format, {})
    data = saved(Image.fromarray(np.ascontiguousarray(stored)), format, exif=exif, **options)
    assert difference(pictures.read(data), upright) <= (6 if format == "JPEG" else 0)


@pytest.mark.parametrize("block", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x0f"])
def test_a_broken_exif_block_does_not_matter(block: bytes) -> None:
    for format in ("JPEG", "PNG", "WEBP"):
        assert pictures.read(saved(Image.fromarray(scene()), format, exif=block)).shape == scene().shape


def adobe_to_srgb(color: tuple[int, int, int]) -> NDArray[np.float64]:
    """An Adobe RGB colour in sRGB, by the published matrices."""
    to_xyz = [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    from_xyz = [[3.24045, -1.53714, -0.49853], [-0.96927, 1.87601, 0.04156], [0.05564, -0.20403, 1.05723]]
    linear = np.clip(np.array(from_xyz) @ np.array(to_xyz) @ (np.array(color) / 255) ** 2.2, 0, 1)
    return np.array(255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("color", [(120, 160, 90), (200, 100, 60), (128, 128, 128), (90, 120, 200)])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_converts_a_wide_gamut_profile(format: str, color: tuple[int, int, int]) -> None:
    options = LOSSLESS_OR_NEARLY.get(format, {})
    data = saved(Image.new("RGB", (20, 20), color), format, icc_profile=ADOBE_RGB, **options)
    assert difference(pictures.read(data)[10, 10], np.rint(adobe_to_srgb(color))) <= 3


def test_converts_each_mode_through_its_profile() -> None:
    swapped = [60, 200, 100]
    image = Image.new("RGB", (20, 20), (200, 60, 100))
    clear = image.convert("RGBA")
    clear.putalpha(255)
    clear.paste((0, 0, 0, 0), (0, 0, 10, 20))
    for each in (image, image.quantize(4), clear):
        picture = pictures.read(saved(each, "PNG", icc_profile=SWAPPED))
        assert difference(picture[5, 15], np.array(swapped)) <= 6
    assert picture[5, 5].tolist() == [255, 255, 255]


def test_an_srgb_profile_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert difference(pictures.read(saved(Image.fromarray(scene()), "PNG", icc_profile=srgb)), scene()) <= 1


def test_a_profile_that_is_broken_or_does_not_fit_is_ignored() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for bad in (b"not a profile", ADOBE_RGB[:200], ADOBE_RGB[:132] + b"\xff" * 400, lab):
        assert difference(pictures.read(saved(Image.fromarray(scene()), "PNG", icc_profile=bad)), scene()) == 0
    grey = Image.fromarray(scene()[:, :, 0])
    assert difference(pictures.read(saved(grey, "PNG", icc_profile=ADOBE_RGB)), np.dstack([scene()[:, :, :1]] * 3)) == 0
    assert pictures.read(saved(Image.new("CMYK", (20, 20)), "JPEG", icc_profile=ADOBE_RGB)).min() == 255


# ---------------------------------------------------------------- what is refused


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><rect width="9" height="9"/></svg>'


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("picture_empty", b""),
        ("picture_unreadable", b"Dear studio, please paint my cat."),
        ("picture_unreadable", b"%PDF-1.7\n"),
        ("picture_unreadable", b"<html><body><svg></svg></body></html>"),
        ("picture_unreadable", bytes(1000)),
        ("picture_unreadable", saved(Image.fromarray(scene()), "PPM")),
        ("picture_unreadable", saved(Image.fromarray(scene()), "ICO", sizes=[(40, 40)])),
        ("picture_unreadable", saved(Image.new("F", (20, 20)), "TIFF")),
        ("picture_vector", SVG),
        ("picture_vector", b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<!DOCTYPE svg>\n' + SVG),
        ("picture_vector", ('<?xml version="1.0" encoding="UTF-16"?>' + SVG.decode()).encode("utf-16")),
        ("picture_vector", b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>'),
        ("picture_too_small", saved(Image.new("RGB", (15, 40)), "PNG")),
        ("picture_too_small", saved(Image.new("RGB", (400, 1)), "PNG")),
        ("picture_too_narrow", saved(Image.new("RGB", (16, 321)), "PNG")),
        ("picture_too_large", saved(Image.new("1", (7072, 7072)), "PNG")),
    ],
)
def test_refuses_by_code(code: str, data: bytes) -> None:
    assert code_of(lambda: pictures.read(data)) == code


def test_accepts_what_is_just_within_the_limits() -> None:
    assert pictures.read(saved(Image.new("RGB", (16, 320)), "PNG")).shape == (320, 16, 3)


def test_the_refusals_name_the_numbers() -> None:
    with pytest.raises(Refusal, match=r"15×40 pixels, less than 16 on a side"):
        pictures.read(saved(Image.new("RGB", (15, 40)), "PNG"))
    with pytest.raises(Refusal, match=r"10000×6000 pixels, 60 megapixels.*at most 50"):
        pictures.read(png(struct.pack(">IIBBBBB", 10000, 6000, 8, 2, 0, 0, 0), b""))
    with pytest.raises(Refusal, match="as PNG"):
        pictures.read(SVG)


@pytest.mark.parametrize("side", [8000, 12000, 50000, 2**31 - 1])
def test_a_huge_picture_is_refused_before_decoding(side: int) -> None:
    data = png(struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0), b"")
    bitmap = bytearray(saved(Image.fromarray(scene()), "BMP"))
    bitmap[18:26] = struct.pack("<ii", side, side)
    start = time.thread_time()
    for huge in (data, bytes(bitmap)):
        assert code_of(lambda huge=huge: pictures.read(huge)) == "picture_too_large"  # type: ignore[misc]
    assert time.thread_time() - start < 1


def test_a_gif_frame_that_is_larger_than_its_screen_is_refused() -> None:
    data = bytearray(saved(Image.fromarray(scene()).quantize(4), "GIF"))
    frame = data.index(b",\0\0\0\0")
    for size in (9000, 65535):
        data[frame + 5 : frame + 9] = struct.pack("<HH", size, size)
        assert code_of(lambda: pictures.read(bytes(data))) == "picture_too_large"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_truncated_picture_is_refused(format: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = saved(Image.fromarray(noise), format)
    for share in (0.1, 0.5, 0.9):
        cut = data[: int(len(data) * share)]
        assert code_of(lambda cut=cut: pictures.read(cut)) == "picture_truncated"  # type: ignore[misc]


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"bigtiff": True}, {"tile": (16, 16)}])
def test_a_truncated_tiff_is_refused(options: dict[str, object]) -> None:
    data = tiff(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), photometric="rgb", **options)
    assert code_of(lambda: pictures.read(data[: len(data) // 2])) == "picture_truncated"


def test_a_damaged_picture_is_refused() -> None:
    data = bytearray(saved(Image.fromarray(scene()), "PNG"))
    middle = data.index(b"IDAT") + 20
    data[middle : middle + 40] = bytes(40)
    assert code_of(lambda: pictures.read(bytes(data))) == "picture_unreadable"


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path, tmp_path / ("x" * 300), Path("nul\0byte")):
        assert code_of(lambda path=path: pictures.read(path)) == "picture_missing"  # type: ignore[misc]


def test_a_file_without_end_is_refused() -> None:
    assert code_of(lambda: pictures.read(Path("/dev/zero"))) == "picture_too_large"


# ---------------------------------------------------------------- hostile files, in bounded time and memory


def exif_bomb(entries: int, order: str = "<") -> bytes:
    """A directory of tags that each claim the whole block as their value."""
    size = 10 + 12 * entries
    tags = b"".join(struct.pack(order + "HHII", 1000 + i, 7, size - 8, 8) for i in range(entries))
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, entries) + tags


def jpeg_bomb() -> bytes:
    """Many EXIF segments, which Pillow joins into one block."""
    block = exif_bomb(30000)
    pieces = [block[i : i + 65000] for i in range(0, len(block), 65000)]
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 8) + b"Exif\0\0" + part for part in pieces)
    return b"\xff\xd8" + segments + saved(Image.fromarray(scene()), "JPEG")[2:]


def scan_bomb() -> bytes:
    """A progressive JPEG that goes over its 49 megapixels again and again."""
    data = saved(Image.new("L", (7000, 7000)), "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 2000 + b"\xff\xd9"


HEADER = struct.pack(">IIBBBBB", 20, 20, 8, 2, 0, 0, 0)
ROWS = (b"\0" + bytes(60)) * 20
ZEROS = zlib.compress(bytes(200_000_000), 9)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: exif_bomb(60000), id="tiff tags"),
        pytest.param(lambda: exif_bomb(60000, ">"), id="big-endian tiff tags"),
        pytest.param(jpeg_bomb, id="jpeg exif"),
        pytest.param(lambda: png(HEADER, ROWS, (b"eXIf", exif_bomb(60000))), id="png exif"),
        pytest.param(lambda: saved(Image.new("RGB", (20, 20)), "WEBP", exif=exif_bomb(60000)), id="webp exif"),
        pytest.param(lambda: png(HEADER, ROWS, (b"iCCP", b"x\0\0" + ZEROS)), id="png profile"),
        pytest.param(lambda: png(HEADER, ROWS, (b"zTXt", b"x\0\0" + ZEROS)), id="png text"),
        pytest.param(lambda: png(HEADER, ROWS, *[(b"zTXt", b"x\0\0" + ZEROS[:9000])] * 200), id="png texts"),
        pytest.param(lambda: png(HEADER, ROWS, *[(b"abCd", b"")] * 800_000), id="png chunks"),
        pytest.param(lambda: b"GIF89a\x20\0\x20\0\0\0\0" + b"!\xfe\x01x\0" * 1_000_000, id="gif comments"),
        pytest.param(lambda: b"\xff\xd8" + b"\xff\xe5\0\x02" * 2_000_000, id="jpeg segments"),
        pytest.param(scan_bomb, id="jpeg scans"),
    ],
)
def test_a_hostile_file_takes_little_time_and_memory(make: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(make())
    program = """
        import resource, sys, time
        from pathlib import Path
        from model import pictures
        from model.errors import Refusal

        start = time.process_time()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            print(pictures.read(Path(sys.argv[1])).shape)
        except Refusal as refusal:
            print(refusal.code)
        print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(pictures.__file__).parents[1])
    assert run.stderr == ""
    seconds, kilobytes = map(float, run.stdout.split("\n")[1].split())
    assert seconds < 5
    assert kilobytes < 500_000


# ---------------------------------------------------------------- any bytes at all


def seeds() -> list[bytes]:
    """Small files of every kind, for mutation."""
    image = Image.fromarray(scene(20, 24))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = [saved(image, format) for format in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")]
    files += [saved(image, format, exif=exif, icc_profile=ADOBE_RGB) for format in ("PNG", "JPEG", "WEBP", "TIFF")]
    files += [saved(image.convert("CMYK"), "JPEG", progressive=True), saved(image.convert("CMYK"), "TIFF")]
    files += [saved(image.convert("RGBA"), format) for format in ("PNG", "WEBP", "TIFF", "BMP")]
    files += [saved(image.quantize(8), "PNG", transparency=1), saved(image.quantize(8), "BMP")]
    files += [saved(image, "TIFF", compression=name) for name in ("tiff_lzw", "jpeg", "packbits")]
    files += [saved(image, name, save_all=True, append_images=[image.rotate(90)]) for name in ("GIF", "WEBP", "TIFF")]
    files += [png16(RAMP[:20, :24]), tiff(RAMP[:20, :24]), tiff(RAMP[:20, :24], bigtiff=True, compression="zlib")]
    files += [pictures.encode(scene(20, 24), "png", {"seed": 1}), SVG, b""]
    return files


SEEDS = seeds()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A file with some of its bytes flipped, cut, doubled, or replaced by a piece of another; or no file at all."""
    if draw(st.integers(0, 15)) == 0:
        return draw(st.binary(max_size=300))
    data = bytearray(draw(st.sampled_from(SEEDS)))
    chance = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(1, 6))):
        # Headers are where a parser is led astray, so they are hit more often.
        at = min(chance.randrange(len(data) + 1), chance.choice([16, 64, 200, len(data)]))
        kind = draw(st.sampled_from(["flip", "number", "cut", "drop", "double", "splice", "noise"]))
        if kind == "flip" and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == "number":
            value = chance.choice([0, 1, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1])
            data[at : at + 4] = struct.pack(chance.choice("<>") + "I", value)
        elif kind == "cut":
            del data[max(at, chance.randrange(len(data) + 1)) :]
        elif kind == "drop":
            del data[at : at + chance.randrange(1, 40)]
        elif kind == "double":
            data[at:at] = data[at : at + chance.randrange(1, 400)]
        elif kind == "splice":
            other = chance.choice(SEEDS)
            start = chance.randrange(len(other) + 1)
            data[at:at] = other[start : start + chance.randrange(1, 400)]
        elif kind == "noise":
            data[at : at + 8] = chance.randbytes(8)
    return bytes(data)


def mend(data: bytes) -> bytes:
    """A PNG whose checksums are right again, so that mutations reach what lies behind them."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    out, position = data[:8], 8
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        out += chunk(data[position + 4 : position + 8], data[position + 8 : position + 8 + length])
        position += 12 + length
    return out


def outcome(call: Callable[[], object]) -> object:
    """What a call returns, or the refusal it ends in."""
    try:
        return call()
    except Refusal as refusal:
        return refusal


@settings(max_examples=2500, suppress_health_check=list(HealthCheck))
@given(data=mutated(), mended=st.booleans())
def test_any_bytes_are_a_picture_or_a_refusal(data: bytes, mended: bool) -> None:
    file = mend(data) if mended else data
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        picture, recipe = outcome(lambda: pictures.read(file)), outcome(lambda: pictures.recipe_in(file))
    assert leaked == []
    if isinstance(picture, Refusal):
        assert picture.code.startswith("picture_")
        assert picture.hint.endswith(".")
    else:
        assert isinstance(picture, np.ndarray)
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
        assert picture.shape[2] == 3
        assert min(picture.shape[:2]) >= pictures.MIN_SIDE
    if isinstance(recipe, Refusal):
        assert recipe.code in ("recipe_missing", "recipe_unreadable")
    else:
        assert isinstance(recipe, dict)


# ---------------------------------------------------------------- fit


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [((40, 60), 30, (20, 30)), ((60, 40), 120, (120, 80)), ((400, 20), 256, (256, 16)), ((33, 50), 20, (16, 20))],
)
def test_fit_makes_the_long_side_the_size(shape: tuple[int, int], size: int, expected: tuple[int, int]) -> None:
    assert pictures.fit(scene(*shape), size).shape[:2] == expected


def test_fit_keeps_what_is_in_the_picture() -> None:
    assert difference(pictures.fit(scene(400, 600), 60)[2:-2, 2:-2], scene()[2:-2, 2:-2]) <= 3
    same = scene()
    assert pictures.fit(same, 60) is same


# ---------------------------------------------------------------- out


@pytest.mark.parametrize(("format", "tolerance"), [("png", 0), ("tiff", 0), ("jpeg", 8), ("webp", 14)])
def test_what_is_encoded_can_be_read(format: pictures.Format, tolerance: int) -> None:
    assert difference(pictures.read(pictures.encode(scene(), format, {"seed": 7})), scene()) <= tolerance
    unit = (scene() / 255).astype(np.float32)
    assert difference(pictures.read(pictures.encode(unit, format)), scene()) <= tolerance


def test_the_format_is_the_one_asked_for() -> None:
    formats: list[pictures.Format] = ["png", "tiff", "jpeg", "webp"]
    for format, beginning in zip(formats, (b"\x89PNG", b"II*\0", b"\xff\xd8", b"RIFF"), strict=True):
        assert pictures.encode(scene(), format).startswith(beginning)


def test_float_pixels_become_a_16_bit_tiff() -> None:
    unit = np.random.default_rng(1).random((20, 30, 3), np.float32)
    unit[0, 0], unit[0, 1] = -0.5, 1.5
    stored = tifffile.imread(io.BytesIO(pictures.encode(unit, "tiff")))
    assert stored.dtype == np.uint16
    assert difference(stored, np.clip(unit, 0, 1) * 65535) <= 1
    assert tifffile.imread(io.BytesIO(pictures.encode(scene(), "tiff"))).dtype == np.uint8


def test_a_slice_of_a_larger_picture_can_be_encoded() -> None:
    assert difference(pictures.read(pictures.encode(scene()[::2, ::-1], "png")), scene()[::2, ::-1]) == 0


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_quality_decides_the_size(format: pictures.Format) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert len(pictures.encode(noise, format, quality=95)) > 2 * len(pictures.encode(noise, format, quality=30))


# ---------------------------------------------------------------- the recipe inside


RECIPE = {"engine": "patches", "artworks": ["Über den Dächern 屋根", "\ud800"], "blend": [0.25, 1e-9], "end": None}


def test_a_png_keeps_its_recipe(tmp_path: Path) -> None:
    path = tmp_path / "painting.png"
    pictures.save(path, pictures.encode(scene(), "png", RECIPE))
    assert pictures.recipe_in(path) == RECIPE
    with Image.open(path) as image:
        assert json.loads(image.info["recipe"]) == RECIPE


def test_a_recipe_survives_in_a_chunk_that_another_program_packed() -> None:
    text = zlib.compress('{"name": "Übung"}'.encode())
    data = png(HEADER, ROWS, (b"tEXt", b"recipe\0{}"), (b"iTXt", b"recipe\0\x01\0de\0Rezept\0" + text))
    assert pictures.recipe_in(data) == {"name": "Übung"}


def test_a_tiff_has_the_recipe_as_its_description() -> None:
    with tifffile.TiffFile(io.BytesIO(pictures.encode(scene(), "tiff", RECIPE))) as file:
        assert json.loads(file.pages[0].description) == RECIPE  # type: ignore[union-attr]


def test_a_picture_without_a_recipe_is_refused(tmp_path: Path) -> None:
    for data in (b"", pictures.encode(scene(), "png"), pictures.encode(scene(), "jpeg"), b"\x89PNG\r\n\x1a\n\xff\xff"):
        assert code_of(lambda data=data: pictures.recipe_in(data)) == "recipe_missing"  # type: ignore[misc]
    assert code_of(lambda: pictures.recipe_in(tmp_path / "none.png")) == "picture_missing"


@pytest.mark.parametrize(
    "content",
    [
        b"recipe\0",
        b"recipe\0\0\0\0\0",
        b"recipe\0\0\0\0\0{",
        b"recipe\0\0\0\0\0[1]",
        b'recipe\0\0\0\0\0{"seed": NaN}',
        b'recipe\0\0\0\0\0{"seed": ' + b"9" * 10_000 + b"}",
        b"recipe\0\0\0\0\0" + b"[" * 500_000,
        b"recipe\0\0\0\0\0\xff\xfe",
        b"recipe\0\x01\0\0\0not zlib",
        b"recipe\0\x01\0\0\0" + zlib.compress(b'{"a": "' + b"x" * 50_000_000 + b'"}'),
        b'recipe\0\0\0\0\0{"a": "' + b"x" * 2_000_000 + b'"}',
    ],
)
def test_a_strange_recipe_is_refused(content: bytes) -> None:
    data = png(HEADER, ROWS, (b"iTXt", content))
    assert code_of(lambda: pictures.recipe_in(data)) == "recipe_unreadable"


def test_a_recipe_with_a_flipped_bit_is_refused() -> None:
    data = pictures.encode(scene(), "png", {"seed": 1})
    assert code_of(lambda: pictures.recipe_in(data.replace(b'"seed": 1', b'"seed": 3'))) == "recipe_unreadable"


# ---------------------------------------------------------------- names and files


def test_the_suffix_decides_the_format() -> None:
    names = {"a.png": "png", "a.JPG": "jpeg", "a.jpeg": "jpeg", "a.webp": "webp", "a.tif": "tiff", "b/a.b.TIFF": "tiff"}
    assert {name: pictures.format_of(Path(name)) for name in names} == names


@pytest.mark.parametrize("name", ["painting", "painting.bmp", ".png", ""])
def test_an_unknown_suffix_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match=r"\.png, \.jpg, \.jpeg, \.webp, \.tif, \.tiff") as caught:
        pictures.format_of(Path(name))
    assert caught.value.code == "format_unknown"


def test_save_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 60 + ".png")
    pictures.save(path, b"one")
    pictures.save(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == [path.name]
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


def test_save_refuses_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (
        tmp_path,
        tmp_path / "none" / "a.png",
        tmp_path / "file" / "a.png",
        tmp_path / ("x" * 300),
        tmp_path / "a\0b",
        Path("/dev/null"),
        Path("/proc/a.png"),
        Path(),
    ):
        assert code_of(lambda path=path: pictures.save(path, b"data")) == "not_writable"  # type: ignore[misc]
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "painting.png"
    path.write_bytes(b"old")
    program = """
        import resource, signal, sys
        from pathlib import Path
        from model import pictures
        from model.errors import Refusal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            pictures.save(Path(sys.argv[1]), bytes(50_000))
        except Refusal as refusal:
            print(refusal.code, refusal)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(pictures.__file__).parents[1])
    assert run.stdout.startswith("disk_full ")
    assert "50000 bytes" in run.stdout
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["painting.png"]


def test_importing_loads_no_writer_that_is_seldom_needed() -> None:
    program = "import sys, model.pictures, model.timelapse; print({'tifffile', 'av'} & set(sys.modules))"
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(pictures.__file__).parents[1])
    assert run.stdout == "set()\n"
