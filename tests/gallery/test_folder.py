from __future__ import annotations

import logging
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gallery import Gallery, Unavailable, opened

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "gallery"


@pytest.fixture
def kept(folder: Path) -> Iterator[Gallery]:
    """A gallery of three paintings."""
    gallery = opened(str(folder))
    for name in ("b", "A", "c"):
        gallery.add(name, {"done": name == "c", "seed": 1.5}, {"photo": b"photo", "frames/1": b"frame"})
    gallery.write("A", "frames/2", b"12345")
    gallery.note("b", {"state": "painting"})
    yield gallery
    gallery.close()


def known(gallery: Gallery) -> dict[str, object]:
    """All that a gallery tells, but for when it was touched, of which a new index knows only what the disk does."""
    told: dict[str, object] = {"size": gallery.size(), "unfinished": [name for name, _ in gallery.unfinished()]}
    for name in ("b", "A", "c"):
        facts = gallery.facts(name) or {}
        assert abs(facts.pop("touched") - time.time()) < 100
        told[name] = facts, {file: gallery.read(name, file) for file in gallery.names(name)}
    return told


def say(folder: Path, script: str) -> str:
    """What a program of its own says of the gallery."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class TestOpening:
    def test_one_program_at_a_time(self, kept: Gallery, folder: Path) -> None:
        with pytest.raises(Unavailable, match=r"used by another VisualNeurons: end it, or choose another folder\."):
            opened(str(folder))
        script = (
            "import sys, gallery\ntry: gallery.opened(sys.argv[1])\nexcept gallery.Unavailable as error: print(error)"
        )
        assert str(folder) in say(folder, script)
        kept.close()
        assert say(folder, "import sys, gallery; print(gallery.opened(sys.argv[1]).size())") == "35"

    def test_closing_again_leaves_the_next_ones_gallery_alone(self, kept: Gallery, folder: Path) -> None:
        kept.close()
        again = opened(str(folder))
        kept.close()
        with pytest.raises(Unavailable, match="used by another"):
            opened(str(folder))
        assert (folder / "gallery.open").exists()
        again.close()
        assert not (folder / "gallery.open").exists()

    def test_a_gallery_that_was_closed_says_so(self, kept: Gallery) -> None:
        kept.close()
        for call in (kept.size, lambda: kept.write("A", "photo", b"x"), lambda: kept.add("n", {}, {})):
            with pytest.raises(Unavailable, match="closed"):
                call()

    @pytest.mark.parametrize(
        "harm",
        [
            lambda index: index.unlink(),
            lambda index: index.write_bytes(b""),
            lambda index: index.write_bytes(b"not a database" * 1000),
            lambda index: index.write_bytes(index.read_bytes()[:5000]),
            lambda index: index.write_bytes(index.read_bytes()[:4096] + b"\xff" * (index.stat().st_size - 4096)),
            lambda index: index.with_suffix(".open").touch(),
        ],
        ids=["missing", "empty", "foreign", "cut", "damaged", "left open"],
    )
    def test_an_index_that_cannot_be_trusted_is_made_anew(
        self, kept: Gallery, folder: Path, harm: Callable[[Path], None]
    ) -> None:
        told = known(kept)
        kept.close()
        harm(folder / "gallery.sqlite")
        again = opened(str(folder))
        assert known(again) == told
        again.add("0", {}, {})
        assert [name for name, _ in again.unfinished()] == ["b", "A", "0"]
        again.close()

    def test_an_index_that_can_be_trusted_is_used_as_it_is(self, kept: Gallery, folder: Path) -> None:
        kept.close()
        shutil.move(folder / "paintings" / "b", folder / "elsewhere")
        again = opened(str(folder))
        assert again.facts("b") is not None
        assert again.delete("b")
        assert again.facts("b") is None
        again.close()

    def test_an_index_that_was_left_open_is_not_believed(self, kept: Gallery, folder: Path) -> None:
        kept.close()
        (folder / "gallery.open").touch()
        shutil.move(folder / "paintings" / "b", folder / "elsewhere")
        (folder / "paintings" / "=a" / "photo").write_bytes(b"longer than it was")
        again = opened(str(folder))
        assert again.facts("b") is None
        assert again.size() == 10 + 15 + 13
        again.close()

    def test_an_index_of_a_newer_program_is_refused(self, kept: Gallery, folder: Path) -> None:
        kept.close()
        database = sqlite3.connect(folder / "gallery.sqlite")
        database.execute("PRAGMA user_version = 7")
        database.close()
        for _ in range(2):  # The lock is free again after the refusal.
            with pytest.raises(Unavailable, match=r"has version 7 and this program reads version 1: .*newer"):
                opened(str(folder))
        assert (folder / "gallery.sqlite").exists()

    def test_what_was_not_whole_is_swept(self, kept: Gallery, folder: Path) -> None:
        told = known(kept)
        kept.close()
        shutil.copytree(folder / "paintings" / "b", folder / "staging" / "half")
        (folder / "staging" / "file").write_bytes(b"half")
        again = opened(str(folder))
        assert list((folder / "staging").iterdir()) == []
        assert known(again) == told
        again.close()

    def test_what_cannot_be_read_stays_where_it_is(
        self, kept: Gallery, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        kept.close()
        (folder / "gallery.sqlite").unlink()
        (folder / "paintings" / "b" / "facts.json").write_bytes(b'{"serial": ')
        (folder / "paintings" / "Notes of mine").mkdir()
        with caplog.at_level(logging.WARNING):
            again = opened(str(folder))
        assert [record.getMessage() for record in caplog.records if "paintings/b cannot be read" in record.getMessage()]
        assert again.facts("b") is None
        assert again.facts("A") is not None
        with pytest.raises(Unavailable):
            again.add("b", {}, {"photo": b"another"})
        assert again.facts("b") is None
        assert (folder / "paintings" / "b" / "photo").read_bytes() == b"photo"
        assert (folder / "paintings" / "Notes of mine").is_dir()
        again.close()

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(Unavailable, match=r"The gallery .*file.* cannot be used: "):
            opened(str(tmp_path / "file" / "gallery"))


def test_nothing_is_left_in_staging(kept: Gallery, folder: Path) -> None:
    kept.delete("b")
    kept.add("A", {}, {"photo": b"another"})
    assert list((folder / "staging").iterdir()) == []
    assert sorted(path.name for path in (folder / "paintings").iterdir()) == ["=a", "c"]


# Run in a program of its own, which sets itself a limit that the kernel holds.
FULL = """
import resource, sys
from gallery import Full, opened

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def is_full(call, *arguments):
    try:
        call(*arguments)
    except Full as full:
        assert str(full).startswith("There is no room left"), full
        return True
    return False

def whole():
    assert gallery.read("p", "photo") == PHOTO and gallery.names("p") == ["photo"], gallery.names("p")
    assert gallery.facts("p")["state"] == "painting" and gallery.size() == len(PHOTO), gallery.facts("p")
    assert [name for name, _ in gallery.unfinished()] == ["p"]

PHOTO = b"x" * 3000
gallery = opened(sys.argv[1])
gallery.add("p", {"state": "painting"}, {"photo": PHOTO})

limit(200_000)  # No room for what is big: told before anything is changed.
assert is_full(gallery.write, "p", "photo", b"y" * 300_000)
assert is_full(gallery.write, "p", "frames/0", b"y" * 300_000)
assert is_full(gallery.add, "q", {}, {"photo": b"y", "artwork0": b"y" * 300_000})
assert is_full(gallery.note, "p", {"big": "y" * 300_000})
whole()

limit(3500)  # No room in the index.
assert is_full(gallery.write, "p", "photo", b"y")
assert is_full(gallery.add, "q", {}, {"photo": b"y"})
assert is_full(gallery.note, "p", {"state": "finished"})
whole()

limit(resource.RLIM_INFINITY)
assert gallery.add("q", {"done": True}, {"photo": b"y" * 300_000})
gallery.write("p", "frames/0", b"y" * 300_000)
gallery.note("p", {"state": "finished"})
assert gallery.size() == 603_000 and gallery.facts("p")["state"] == "finished"

gallery.close()
gallery = opened(sys.argv[1])
assert gallery.size() == 603_000 and gallery.facts("p")["state"] == "finished"
limit(3500)
assert is_full(gallery.delete, "p")
limit(resource.RLIM_INFINITY)
assert gallery.delete("p") and gallery.facts("p") is None and gallery.size() == 300_000
gallery.close()

limit(3500)  # No room for an index at all.
gallery = opened(sys.argv[1])
assert gallery.read("q", "photo") == b"y" * 300_000 and gallery.facts("q")["done"]
assert is_full(gallery.write, "q", "photo", b"y" * 4000)
assert gallery.sweep(3600, 1000, ()) == ["q"] and gallery.size() == 0
gallery.close()
limit(resource.RLIM_INFINITY)
gallery = opened(sys.argv[1])
assert gallery.size() == 0 and gallery.add("q", {}, {"photo": b"y" * 4000})
gallery.close()
print("held")
"""


def test_without_room_nothing_is_lost_and_with_room_all_goes_on(folder: Path) -> None:
    assert say(folder, FULL) == "held"
    assert list((folder / "staging").iterdir()) == []
