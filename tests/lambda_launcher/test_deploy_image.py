"""What an image is made from, and when it is made anew."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from lambda_launcher.deploy import image

FILES = {"server/socket.py": "1", "website/main.js": "1", "website/index.html": "1", "website/artworks/wave.webp": "1"}


def mark(folder: Path, files: dict[str, str]) -> str:
    wheel = folder / "visualneurons-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    material = image.material(wheel)
    assert material.files[wheel.name] == wheel.read_bytes()
    return material.mark


@pytest.mark.parametrize("name", ["server/socket.py", "website/artworks/wave.webp", "model/new.py"])
def test_what_paints_is_baked_anew(tmp_path: Path, name: str) -> None:
    assert mark(tmp_path, FILES) != mark(tmp_path, FILES | {name: "2"})


@pytest.mark.parametrize("name", ["website/main.js", "website/index.html", "website/new.js"])
def test_for_a_change_of_the_page_no_image_is_baked(tmp_path: Path, name: str) -> None:
    assert mark(tmp_path, FILES) == mark(tmp_path, FILES | {name: "2"})
