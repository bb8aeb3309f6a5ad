"""``visualneurons artworks``: what is added is whole, small and on the page at once; what cannot be is refused."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from controller import Refusal
from server.artworks import Artworks
from tests.model.test_pictures import SWAPPED
from tests.server.process import ROOT
from visualneurons import main

OWN = ROOT / "website" / "artworks" / "ink_wash.jpg"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with a collection of its own."""
    folder = tmp_path / "site"
    (folder / "artworks" / "small").mkdir(parents=True)
    shutil.copy(OWN, folder / "artworks")
    entry = {"file": OWN.name, "title": "Pines", "manner": "ink", "year": 2026, "width": 960, "height": 691}
    (folder / "artworks" / "artworks.json").write_text(json.dumps([entry]))
    return folder


def painted(width: int = 1600, height: int = 900, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """A picture that nobody has seen before."""
    small = np.random.default_rng(seed).integers(0, 256, (9, 16, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def saved(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach this machine directly, whatever it is set up with."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.chdir(ROOT)


@dataclass(frozen=True)
class Done:
    """What became of a command."""

    returncode: int
    stdout: str
    stderr: str


def artworks(*words: object, site: Path) -> Done:
    """Run the command."""
    with redirect_stdout(io.StringIO()) as stdout, redirect_stderr(io.StringIO()) as stderr:
        code = main(["artworks", *map(str, words), "--site", str(site)])
    return Done(code, stdout.getvalue(), stderr.getvalue())


def entries(site: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((site / "artworks" / "artworks.json").read_text(encoding="utf-8"))
    return listed


def files(site: Path) -> dict[str, bytes]:
    """All that the collection's folder holds."""
    folder = site / "artworks"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def served(body: bytes, kind: str = "image/png", status: int = 200, length: int | None = None) -> Iterator[str]:
    """The address of a picture on a web server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert "VisualNeurons" in self.headers["User-Agent"]
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/picture")
                self.end_headers()
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def refused(*words: object, site: Path) -> str:
    """What is said of something that cannot be done; nothing has changed."""
    before = files(site)
    done = artworks(*words, site=site)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert files(site) == before
    said = done.stderr
    assert said.startswith("visualneurons artworks: error: ")
    assert said.count("\n") == 1
    assert said.endswith(".\n")
    return said


def test_a_file_is_added_small_enough_with_a_small_copy(site: Path, tmp_path: Path) -> None:
    picture = tmp_path / "sea.png"
    picture.write_bytes(saved(painted(3000, 1500)))
    done = artworks("add", picture, "--title", "Über the Sea, at 5", "--manner", "oil", "--year", 1871, site=site)
    assert (done.returncode, done.stderr) == (0, "")
    assert "uber_the_sea_at_5" in done.stdout
    first, added = entries(site)
    assert first["title"] == "Pines"
    assert added == {
        "file": "uber_the_sea_at_5.jpg",
        "title": "Über the Sea, at 5",
        "manner": "oil",
        "year": 1871,
        "width": 1280,
        "height": 640,
    }
    with Image.open(site / "artworks" / added["file"]) as kept, Image.open(picture) as original:
        assert (kept.format, kept.mode, kept.size) == ("JPEG", "RGB", (1280, 640))
        difference = np.abs(np.asarray(kept, float) - np.asarray(original.resize(kept.size), float))
        assert difference.mean() < 3
    small = site / "artworks" / "small" / added["file"]
    assert small.stat().st_size <= 12_000
    with Image.open(small) as image:
        assert image.size == (240, 120)
    assert not [name for name in files(site) if name.endswith(".part")]


def test_it_is_a_command_of_its_own(site: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "visualneurons", "artworks", "list", "--site", str(site)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["ink_wash", "Pines", "(ink,", "2026)"]


@pytest.mark.parametrize("path", ["/picture", "/moved"])
def test_a_picture_is_fetched_from_the_web(site: Path, path: str) -> None:
    with served(saved(painted(800, 600), "JPEG"), "image/jpeg") as address:
        done = artworks("add", address + path, "--title", "From Afar", site=site)
    assert done.returncode == 0, done.stderr
    assert entries(site)[1]["file"] == "from_afar.jpg"
    assert (entries(site)[1]["width"], entries(site)[1]["height"]) == (800, 600)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "turned", "other colours", "of no use"])
def test_whatever_it_was_it_becomes_an_upright_srgb_jpeg(site: Path, tmp_path: Path, mode: str) -> None:
    picture, image = tmp_path / "picture", painted(400, 300)
    if mode == "turned":
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.write_bytes(saved(image, "JPEG", exif=exif))
    elif mode == "other colours":
        picture.write_bytes(saved(image, "PNG", icc_profile=SWAPPED))
    elif mode == "of no use":
        picture.write_bytes(saved(image, "PNG", icc_profile=b"not a profile"))
    else:
        picture.write_bytes(saved(image.convert(mode), "TIFF"))
    done = artworks("add", picture, "--title", "Any", site=site)
    assert done.returncode == 0, done.stderr
    with Image.open(site / "artworks" / "any.jpg") as kept:
        assert (kept.format, kept.mode) == ("JPEG", "RGB")
        assert kept.size == ((300, 400) if mode == "turned" else (400, 300))
        assert not kept.getexif()
        assert "icc_profile" not in kept.info
        red = np.asarray(kept.getchannel("R"), float)
        was_red, was_green = (np.asarray(image.getchannel(band), float) for band in "RG")
        if mode in ("RGBA", "of no use"):
            assert np.abs(red - was_red).mean() < 3
        elif mode == "other colours":
            assert np.abs(red - was_green).mean() < 6


def test_a_server_that_runs_offers_it_at_once(site: Path, tmp_path: Path) -> None:
    collection = Artworks(site)
    assert [each["name"] for each in collection.listed()] == ["ink_wash"]
    picture = tmp_path / "new.png"
    picture.write_bytes(saved(painted()))
    assert artworks("add", picture, "--title", "New", site=site).returncode == 0
    assert [each["name"] for each in collection.listed()] == ["ink_wash", "new"]
    assert collection.read("new") == (site / "artworks" / "new.jpg").read_bytes()
    assert artworks("remove", "new", site=site).returncode == 0
    with pytest.raises(Refusal, match="no artwork 'new'"):
        collection.read("new")


def test_what_was_added_is_listed_and_can_be_removed(site: Path, tmp_path: Path) -> None:
    before, picture = files(site), tmp_path / "new.png"
    picture.write_bytes(saved(painted()))
    assert artworks("add", picture, "--title", "New", "--manner", "tempera", "--year", 1510, site=site).returncode == 0
    listed = artworks("list", site=site).stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["ink_wash", "new"]
    assert listed[1].endswith("New (tempera, 1510)")
    done = artworks("remove", "new", site=site)
    assert (done.returncode, done.stdout) == (0, "New is no longer in the collection.\n")
    after = files(site)
    assert json.loads(after.pop("artworks.json")) == json.loads(before.pop("artworks.json"))
    assert after == before
    assert "Choose one of ink_wash." in refused("remove", "new", site=site)


def test_nothing_is_added_twice(site: Path, tmp_path: Path) -> None:
    picture, other = tmp_path / "one.png", tmp_path / "other.png"
    picture.write_bytes(saved(painted()))
    other.write_bytes(saved(painted(seed=1)))
    assert artworks("add", picture, "--title", "Only One", site=site).returncode == 0
    said = refused("add", other, "--title", "Only... one!", site=site)
    assert "There is an artwork 'only_one' already: Only One." in said
    assert "remove only_one" in said
    assert "in the collection already: Only One." in refused("add", picture, "--title", "Another", site=site)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add"], "It takes a picture to add one."),
        (["remove"], "It takes an artwork's name to remove it."),
        (["add", OWN], "The artwork has no title."),
        (["add", OWN, "--title", " "], "The artwork has no title."),
        (["add", OWN, "--title", "北斎"], "no letter or digit"),
        (["add", "no/such/file.png", "--title", "x"], "no/such/file.png cannot be read: No such file or directory."),
        (["add", ".", "--title", "x"], ". cannot be read: Is a directory."),
        (["add", "setup.py", "--title", "x"], "This is not a picture, or it is damaged."),
        (["add", "ftp://127.0.0.1/x.png", "--title", "x"], "ftp://127.0.0.1/x.png is not on the web."),
        (["add", "http://127.0.0.1:1/x.png", "--title", "x"], "cannot be had: Connection refused."),
        (["add", "http://[/x.png", "--title", "x"], "http://[/x.png cannot be had: "),
    ],
)
def test_what_cannot_be_is_said_in_two_sentences(site: Path, words: list[object], said: str) -> None:
    assert said in refused(*words, site=site)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"status": 404}, "was answered with 404 Not Found."),
        ({"status": 503}, "was answered with 503 Service Unavailable."),
        ({"kind": "text/html; charset=utf-8"}, "is a web page, not a picture."),
        ({"length": 100_000_001}, "has 100.0 MB; 100 MB are the most."),
        ({"length": 5_000}, "broke off after 10 of 5,000 bytes."),
        ({}, "This is not a picture, or it is damaged."),
    ],
)
def test_what_a_web_server_does_wrong_is_said(site: Path, how: dict[str, Any], said: str) -> None:
    with served(b"0123456789", **how) as address:
        assert said in refused("add", f"{address}/picture", "--title", "x", site=site)


def test_a_picture_may_be_neither_damaged_nor_tiny_nor_huge(site: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(saved(painted())[:-3000])
    assert "damaged" in refused("add", picture, "--title", "x", site=site)
    picture.write_bytes(saved(painted(200, 63)))
    assert "The picture has 200×63 pixels; the short side needs 64." in refused(
        "add", picture, "--title", "x", site=site
    )
    picture.write_bytes(saved(Image.new("1", (13_000, 12_000))))
    assert "more than 150 megapixels" in refused("add", picture, "--title", "x", site=site)
    with picture.open("wb") as file:
        file.truncate(100_000_001)
    assert "100 MB are the most" in refused("add", picture, "--title", "x", site=site)


def test_a_collection_that_cannot_be_changed_is_left_as_it_is(site: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(saved(painted()))
    (site / "artworks" / "small").rmdir()
    (site / "artworks" / "small").write_text("in the way")
    assert "cannot be changed: " in refused("add", picture, "--title", "x", site=site)


@pytest.mark.parametrize("words", [["list"], ["add", OWN, "--title", "x"], ["remove", "x"]])
def test_where_there_is_no_collection_it_says_so(tmp_path: Path, words: list[object]) -> None:
    said = refused(*words, site=tmp_path)
    assert said.endswith(f"There is no collection that can be read at {tmp_path / 'artworks'}. "
                         "Give the folder of a site with --site.\n")  # fmt: skip
