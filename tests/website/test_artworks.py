"""The artworks and sample photos: what the manifests promise is there, and the program paints it again."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

WEBSITE = Path(__file__).resolve().parents[2] / "website"
PROGRAM = WEBSITE / "artworks" / "paint_artworks.py"
LIMITS = {"artworks": 350_000, "samples": 200_000}
AT_LEAST = {"artworks": 12, "samples": 3}
SMALL, SMALL_LIMIT = 240, 12_000


def manifest(folder: str, website: Path = WEBSITE) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((website / folder / f"{folder}.json").read_text(encoding="utf-8"))
    return entries


def paint(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(PROGRAM), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def repainted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything painted anew, small."""
    into = tmp_path_factory.mktemp("website")
    done = paint("--size", "320", "--into", str(into))
    assert done.returncode == 0, done.stderr
    return into


@pytest.mark.parametrize("folder", ["artworks", "samples"])
def test_a_manifest_names_every_picture_and_nothing_else(folder: str) -> None:
    entries = manifest(folder)
    assert len(entries) >= AT_LEAST[folder]
    fields = {"file", "title", "manner", "year", "width", "height"}
    assert [set(entry) for entry in entries] == [fields] * len(entries)
    assert all(entry["title"] and entry["manner"] and entry["year"] == 2026 for entry in entries)
    files = [str(entry["file"]) for entry in entries]
    assert sorted(files) == sorted(path.name for path in (WEBSITE / folder).glob("*.jpg"))
    assert sorted(files) == sorted(path.name for path in (WEBSITE / folder / "small").iterdir())
    assert len({entry["title"] for entry in entries}) == len(entries)
    if folder == "artworks":
        assert len({entry["manner"] for entry in entries}) == len(entries)


@pytest.mark.parametrize("folder", ["artworks", "samples"])
def test_the_pictures_open_and_keep_to_their_size(folder: str) -> None:
    for entry in manifest(folder):
        path = WEBSITE / folder / str(entry["file"])
        assert path.stat().st_size <= LIMITS[folder], path.name
        with Image.open(path) as picture:
            assert picture.format == "JPEG"
            assert picture.mode == "RGB"
            assert 768 <= max(picture.size) <= 1024, path.name
            assert picture.size == (entry["width"], entry["height"])


@pytest.mark.parametrize("folder", ["artworks", "samples"])
def test_each_has_a_small_copy_for_lists(folder: str) -> None:
    for entry in manifest(folder):
        path = WEBSITE / folder / "small" / str(entry["file"])
        assert path.stat().st_size <= SMALL_LIMIT, path.name
        with Image.open(path) as small, Image.open(WEBSITE / folder / path.name) as large:
            assert (small.format, small.mode, max(small.size)) == ("JPEG", "RGB", SMALL)
            colours = [np.asarray(image.resize((16, 16), Image.Resampling.BOX), np.float32) for image in (small, large)]
        assert np.abs(colours[0] - colours[1]).mean() < 4, path.name


def test_there_is_a_sample_of_each_format() -> None:
    shapes = {"upright" if entry["height"] > entry["width"] else "lying" for entry in manifest("samples")}
    assert shapes == {"upright", "lying"}


def test_no_two_artworks_share_a_palette() -> None:
    palettes = {}
    for entry in manifest("artworks"):
        with Image.open(WEBSITE / "artworks" / "small" / str(entry["file"])) as picture:
            colours = np.asarray(picture.convert("HSV").resize((48, 48)), np.int64).reshape(-1, 3) // [22, 86, 86]
        counts = np.zeros((12, 3, 3))
        np.add.at(counts, tuple(colours.T), 1 / len(colours))
        palettes[entry["file"]] = counts.ravel()
    # The share of the colours that two have in common.
    common = {
        (one, other): np.minimum(palettes[one], palettes[other]).sum()
        for one, other in itertools.combinations(palettes, 2)
    }
    assert max(common.values()) < 0.70, max(common, key=lambda pair: common[pair])


@pytest.mark.parametrize("folder", ["artworks", "samples"])
def test_an_artwork_has_darks_lights_and_texture_everywhere(folder: str) -> None:
    for entry in manifest(folder):
        with Image.open(WEBSITE / folder / str(entry["file"])) as picture:
            grey = np.asarray(picture.convert("L"), np.float32)
        dark, light = np.percentile(grey, [2, 98])
        assert light - dark > 90, entry["file"]
        rows, columns = grey.shape[0] // 64, grey.shape[1] // 64
        tiles = grey[: rows * 64, : columns * 64].reshape(rows, 64, columns, 64).std(axis=(1, 3))
        assert np.mean(tiles > 3) > (0.95 if folder == "artworks" else 0.5), entry["file"]


@pytest.mark.slow
def test_the_program_paints_what_the_manifest_names(repainted: Path) -> None:
    for folder in ("artworks", "samples"):
        told = ("file", "title", "manner", "year")
        painted, listed = (
            [[each[key] for key in told] for each in manifest(folder, at)] for at in (repainted, WEBSITE)
        )
        assert painted == listed
        for entry in manifest(folder):
            with (
                Image.open(repainted / folder / str(entry["file"])) as small,
                Image.open(WEBSITE / folder / str(entry["file"])) as kept,
            ):
                assert max(small.size) == 320
                # The same composition at any size: colours agree once both are reduced to a thumbnail.
                thumbnails = [np.asarray(image.resize((8, 6)), np.float32) for image in (small, kept)]
            assert np.abs(thumbnails[0] - thumbnails[1]).mean() < 15, entry["file"]


@pytest.mark.slow
def test_the_same_call_paints_the_same_picture(repainted: Path, tmp_path: Path) -> None:
    names = ["cubist_still_life", "mosaic", "night_sky", "poured_threads"]
    again = paint(*names, "pears_by_the_window", "--size", "320", "--into", str(tmp_path))
    assert again.returncode == 0, again.stderr
    assert sorted(path.stem for path in (tmp_path / "artworks").glob("*.jpg")) == names
    assert sorted(Path(entry["file"]).stem for entry in manifest("artworks", tmp_path)) == names
    painted = sorted(tmp_path.rglob("*.jpg"))
    assert len(painted) == 10
    for path in painted:
        assert path.read_bytes() == (repainted / path.relative_to(tmp_path)).read_bytes(), path.name


def test_what_somebody_added_stays_in_the_manifest(tmp_path: Path) -> None:
    theirs = {"file": "theirs.jpg", "title": "Theirs", "manner": "oil", "year": 1889, "width": 9, "height": 9}
    (tmp_path / "artworks").mkdir()
    (tmp_path / "artworks" / "artworks.json").write_text(json.dumps([theirs]))
    done = paint("turning_discs", "--size", "96", "--into", str(tmp_path))
    assert done.returncode == 0, done.stderr
    ours, kept = manifest("artworks", tmp_path)
    assert (ours["file"], ours["width"], ours["height"]) == ("turning_discs.jpg", 96, 96)
    assert kept == theirs


def test_an_unknown_name_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    refused = paint("sunflowers", "--into", str(tmp_path))
    assert refused.returncode == 2
    assert "sunflowers" in refused.stderr
    assert "night_sky" in refused.stderr
    assert not list(tmp_path.iterdir())
