"""The artworks and sample photos: what the manifests promise is there, and the program paints it again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

WEBSITE = Path(__file__).resolve().parents[2] / "website"
PROGRAM = WEBSITE / "artworks" / "paint_artworks.py"
LIMITS = {"artworks": 350_000, "samples": 200_000}


def manifest(folder: str, website: Path = WEBSITE) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = json.loads((website / folder / f"{folder}.json").read_text(encoding="utf-8"))
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
    assert [set(entry) for entry in entries] == [{"file", "title", "manner", "year"}] * len(entries)
    assert all(entry["title"] and entry["manner"] and entry["year"] == 2026 for entry in entries)
    files = [str(entry["file"]) for entry in entries]
    assert sorted(files) == sorted(path.name for path in (WEBSITE / folder).glob("*.jpg"))
    assert len({entry["title"] for entry in entries}) == len(entries)


@pytest.mark.parametrize("folder", ["artworks", "samples"])
def test_the_pictures_open_and_keep_to_their_size(folder: str) -> None:
    for entry in manifest(folder):
        path = WEBSITE / folder / str(entry["file"])
        assert path.stat().st_size <= LIMITS[folder], path.name
        with Image.open(path) as picture:
            assert picture.format == "JPEG"
            assert picture.mode == "RGB"
            assert 768 <= max(picture.size) <= 1024, path.name


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
        assert manifest(folder, repainted) == manifest(folder)
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
    again = paint("night_sky", "mosaic", "--size", "320", "--into", str(tmp_path))
    assert again.returncode == 0, again.stderr
    painted = sorted(path.name for path in (tmp_path / "artworks").glob("*.jpg"))
    assert painted == ["mosaic.jpg", "night_sky.jpg"]
    for name in painted:
        assert (tmp_path / "artworks" / name).read_bytes() == (repainted / "artworks" / name).read_bytes()


def test_an_unknown_name_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    refused = paint("sunflowers", "--into", str(tmp_path))
    assert refused.returncode == 2
    assert "sunflowers" in refused.stderr
    assert "night_sky" in refused.stderr
    assert not list(tmp_path.iterdir())
