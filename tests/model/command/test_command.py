"""``visualneurons paint``, as a person, a script or a service manager runs it."""

from __future__ import annotations

import argparse
import dataclasses
import fcntl
import itertools
import json
import os
import pty
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

import visualneurons
from model import pictures
from model.checkpoint import Checkpoint
from model.command import add_arguments
from model.command.commission import require_room, settle
from model.command.interruption import Interruption
from model.command.progress import Report
from model.command.sitting import Sitting
from model.errors import Refusal
from model.forecast import Forecast
from model.pictures import Picture
from model.recipe import Change, Recipe, settings
from model.style_transfer import Iteration, StyleTransfer

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = [sys.executable, str(ROOT / "visualneurons.py")]
PATCHES = ["--engine", "patches", "--size", "64"]
# What a person waits at most for the first word; more than half a second only because the machine that tests is busy.
AT_ONCE = 1.5
LONG = 200  # seconds that a process may take on such a machine, be it to load TensorFlow


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a photo, two artworks."""
    monkeypatch.chdir(tmp_path)
    rows, columns = np.mgrid[0:60, 0:90]
    disc = (rows - 30) ** 2 + (columns - 40) ** 2 < 400
    photo = np.stack([60 + columns, 200 - 2 * rows, np.where(disc, 220, 60)], axis=-1)
    stripes = np.stack([120 + 100 * np.sin((rows + columns) / 3), columns + 80, 250 - 3 * rows], axis=-1)
    checks = np.stack([rows // 8 % 2 * 200 + 20, columns // 8 % 2 * 180 + 30, rows + columns], axis=-1)
    for name, pixels in {"photo.png": photo, "stripes.png": stripes, "checks.png": checks}.items():
        Image.fromarray(pixels.astype(np.uint8)).save(name)
    return tmp_path


def paint(*words: str) -> int:
    """Run the command in this process, where TensorFlow is loaded once for all."""
    try:
        return visualneurons.main(["paint", *words])
    except SystemExit as end:  # argparse's way
        return int(end.code or 0)


def started(*words: str, **more: Any) -> subprocess.Popen[str]:
    """Run the command as a process of its own, which does not get far ahead of who reads what it tells."""
    process = subprocess.Popen(
        [*PROGRAM, "paint", *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )
    assert process.stdout
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, resource.getpagesize())
    return process


def spent() -> float:
    """Seconds of a processor that processes which have ended took: however busy the machine is, about the same."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def until_iteration(number: int, process: subprocess.Popen[str]) -> None:
    """Read what the process tells until it has painted this iteration."""
    assert process.stdout
    for line in process.stdout:
        if json.loads(line).get("iteration") == number:
            return
    raise AssertionError(f"iteration {number} never came")


def recipe_in(path: str | Path) -> Recipe:
    return Recipe.from_dict(pictures.recipe_in(Path(path)))


def apart(one: str | Path, other: str | Path) -> int:
    """The largest difference between two pictures, of 255."""
    first, second = (pictures.read(Path(path)).astype(int) for path in (one, other))
    assert first.shape == second.shape
    return int(np.abs(first - second).max())


# ---------------------------------------------------------------- refused


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make sure that a refusal comes before anything heavy is loaded: whoever imports it now fails."""
    monkeypatch.setitem(sys.modules, "model.style_transfer", None)


GOOD = "photo.png stripes.png -o out.png "

REFUSED = {
    # settings
    GOOD + "--size 8": "size is 8, but it has to be from 32 to 4,096 px. Change size.",
    GOOD + "--size big": "size is 'big', but it has to be a number from 32 to 4,096 px. Change size.",
    GOOD + "--iterations 1.5": "iterations is 1.5, but it has to be a whole number from 1 to 10,000 steps.",
    GOOD + "--style-weight -1": "style_weight is -1, but it has to be from 0 to 1,000,000.",
    GOOD + "--variation nan": "variation_weight is nan, but it has to be a number from 0 to 1,000,000.",
    GOOD + "--engine oil": "engine is 'oil', but it has to be one of auto, vgg19, patches.",
    GOOD + "--blend 1,x": "blend is 'x', but it has to be a number from 0 to 1,000,000.",
    GOOD + "--blend 1,2": "blend has 2 shares for 1 artworks.",
    GOOD + "--preset none": "There is no preset 'none'. Choose one of default, original.",
    GOOD + "--save-every 0": "--save-every is '0', but it has to be a whole number from 1.",
    GOOD + "--weights none.h5": "There is no file none.h5.",
    # pictures
    "": "The painting has no name. Give it one with -o",
    "-o out.png": "There is no photo to paint.",
    "photo.png -o out.png": "There is no artwork to paint from.",
    "none.png stripes.png -o out.png": "'none.png' cannot be read: no such file or directory.",
    "photo.png none.png -o out.png": "'none.png' cannot be read: no such file or directory.",
    "broken.jpg stripes.png -o out.png": "broken.jpg: The JPEG picture is cut off",
    "photo.png broken.jpg -o out.png": "broken.jpg: The JPEG picture is cut off",
    "empty stripes.png -o out": "The folder empty has no picture in it.",
    "*.bmp stripes.png -o out": "Nothing fits the pattern *.bmp.",
    # files
    "photo.png stripes.png -o out.xyz": "The name 'out.xyz' ends in '.xyz'. Use one of .png",
    "photo.png stripes.png -o out": "The name 'out' has no suffix.",
    "photo.png stripes.png -o photo.png/out.png": "'photo.png/out.png' cannot be written: not a directory.",
    "photo.png stripes.png -o photo.png": "photo.png is one of the files that are painted from",
    "photo.png stripes.png -o empty/../stripes.png": "empty/../stripes.png is one of the files that are painted from",
    "photo-0010.png stripes.png -o photo.png --save-every 5": "photo-0010.png is one of the files",
    GOOD + "--timelapse film.avi": "The name 'film.avi' ends in '.avi'. Use one of .mp4, .gif, .webp.",
    GOOD + "--timelapse photo.png/film.gif": "'photo.png/film.gif' cannot be written: not a directory.",
    GOOD + "--checkpoint out.png": "out.png would be written twice",
    GOOD + "--checkpoint photo.png": "photo.png is one of the files that are painted from",
    "photo.png stripes.png -o out.webp --timelapse out.webp": "out.webp would be written twice",
    ". stripes.png -o all.png": "4 pictures are to be painted, but all.png names a single file.",
    ". stripes.png -o .": "checks.png is one of the files that are painted from",
    ". stripes.png -o all --timelapse film.gif": "--timelapse names one file, but 4 pictures are to be painted.",
    ". stripes.png -o all --checkpoint x": "--checkpoint names one file, but 4 pictures are to be painted.",
    # painting again, going on
    "--recipe photo.png -o out.png": "photo.png: The file has no recipe inside.",
    "--recipe none.png -o out.png": "'none.png' cannot be read: no such file or directory.",
    "--resume none -o out.png": "The checkpoint none cannot be read: No such file or directory.",
    "--resume photo.png -o out.png": "This is not a checkpoint",
    "photo.png --resume photo.png -o out.png": "With --resume, PHOTO cannot be given",
    "--size 64 --resume photo.png -o out.png": "With --resume, the setting size cannot be given",
}


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize(("words", "sentence"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    words: str, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    Path("photo-0010.png").write_bytes(Path("photo.png").read_bytes())
    picture = pictures.read(Path("photo.png"))
    Path("broken.jpg").write_bytes(pictures.encode(picture, "jpeg")[:-200])
    if words.startswith("."):
        Path("broken.jpg").unlink()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    assert paint(*shlex.split(words)) == 2

    said = capsys.readouterr()
    assert said.out == ""
    *before_it, error = said.err.splitlines()
    assert error.startswith(f"visualneurons paint: error: {sentence}")
    assert len(before_it) == words.startswith("broken")  # that it is being painted was said before it was decoded
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("photo.png stripes.png -o out.png --size 8", "size is 8, but"),
        ("photo.png none.png -o out.png", "'none.png' cannot be read"),
        ("photo.png stripes.png -o out.xyz", "ends in '.xyz'"),
        ("photo.png stripes.png -o out.png --colour", "unrecognized arguments: --colour"),
    ],
)
def test_a_refusal_comes_at_once(words: str, sentence: str) -> None:
    def refused() -> float:
        before = spent()
        with started(*shlex.split(words)) as process:
            _, said = process.communicate(timeout=LONG)
        assert process.returncode == 2
        assert sentence in said
        return spent() - before

    assert any(refused() < AT_ONCE for _ in range(3)), "not even once in three times"


@pytest.mark.usefixtures("unloaded")
def test_a_program_is_refused_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert paint(*shlex.split(GOOD), "--size", "8", "--json", "--quiet") == 2
    said = capsys.readouterr()
    assert events(said.out) == [
        {
            "event": "error",
            "code": "setting_invalid",
            "message": "size is 8, but it has to be from 32 to 4,096 px.",
            "hint": "Change size.",
        }
    ]
    assert "size is 8" in said.err


def test_a_disk_that_is_too_full_is_refused() -> None:
    with pytest.raises(Refusal, match=r"'out\.png' may need 3,000,000,000,000,000 bytes, where ") as refused:
        require_room(Path("out.png"), (10**9, 10**6, 3))
    assert refused.value.code == "disk_full"
    require_room(Path("out.tif"), (100, 100, 3))


@pytest.mark.parametrize("words", ["", "dance", "--paint"])
def test_the_front_door_names_its_commands(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        visualneurons.main(words.split())
    assert ended.value.code == 2
    assert "usage: visualneurons" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        visualneurons.main(["--help"])
    said = capsys.readouterr().out
    assert all(f"{name} " in said and summary in said for name, (_, summary) in visualneurons.COMMANDS.items())


def test_the_help_tells_every_setting_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    before = time.thread_time()
    assert paint("--help") == 0
    assert time.thread_time() - before < AT_ONCE
    said = " ".join(capsys.readouterr().out.split())
    for name, setting in settings().items():
        flag = "--variation" if name == "variation_weight" else f"--{name.replace('_', '-')}"
        assert f"{flag} " in said or f"{flag}, " in said
        assert setting.description in said
        default = getattr(Recipe(), name)
        if isinstance(default, (int, float, str)) and not isinstance(default, bool):
            assert f"default: {default})" in said
    assert "long side of the painting (32 to 4,096 px, default: 512)" in said
    for code in ("0 painted", "1 something could not", "2 refused", "130 interrupted", "143 by SIGTERM"):
        assert code in said


# ---------------------------------------------------------------- painted


def first_word(*words: str) -> float:
    """How long a process takes to its first word; it is ended then."""
    before = time.perf_counter()
    with started(*shlex.split(" ".join(words))) as process:
        assert process.stderr
        assert process.stderr.readline()
        waited = time.perf_counter() - before
        process.kill()
    return waited


@pytest.mark.alone
def test_a_process_paints_and_tells_it_to_a_program(folder: Path) -> None:
    words = "photo.png stripes.png checks.png -o new/out.png --engine patches --size 64 --iterations 20 --blend 3,1"
    more = "--save-every 8 --timelapse film.mp4 --checkpoint kept --json"
    before = time.perf_counter()
    with started(*words.split(), *more.split()) as process:
        assert process.stdout
        assert process.stderr
        first = process.stderr.readline()
        waited = time.perf_counter() - before
        out, err = process.communicate(timeout=LONG)
    assert process.returncode == 0
    assert waited < AT_ONCE or any(first_word(words, more) < AT_ONCE for _ in range(2)), "not even once in three times"
    assert first == "Painting photo.png in the style of stripes.png, checks.png: 20 iterations, 64 px.\n"

    told = events(out)
    names = [each["event"] for each in told]
    iterations = [each for each in told if each["event"] == "iteration"]
    assert names[:2] == ["start", "loaded"]
    assert names[-1] == "end"
    assert told[0] == {
        "event": "start",
        "photo": "photo.png",
        "artworks": ["stripes.png", "checks.png"],
        "out": "new/out.png",
        "width": 64,
        "height": 43,
        "iterations": 20,
        "done": 0,
    }
    assert told[1]["engine"] == "patches"
    assert [each["iteration"] for each in iterations] == list(range(20))
    assert set(iterations[0]["losses"]) == {"total", "style", "content", "variation"}
    assert iterations[-1]["eta"] == 0
    assert iterations[-1]["width"] == 64
    assert [each["elapsed"] for each in iterations] == sorted(each["elapsed"] for each in iterations)
    saved = [(each["kind"], each["path"]) for each in told if each["event"] == "saved"]
    while saved.index(("checkpoint", "kept")) < 3:
        saved.remove(("checkpoint", "kept"))  # ten seconds were over already
    assert saved == [
        ("iteration", "new/out-0008.png"),
        ("iteration", "new/out-0016.png"),
        ("picture", "new/out.png"),
        ("checkpoint", "kept"),
        ("timelapse", "film.mp4"),
    ]
    assert told[-1]["iterations"] == 20
    assert told[-1]["interrupted"] is False

    # People are told on stderr, a line for every tenth, and no library adds a word of its own.
    lines = err.splitlines()
    assert lines[0].startswith("Painting with patches, as asked, on ")
    assert [line[:5] for line in lines[1:11]] == [f"{10 * tenth:3d} %" for tenth in range(1, 11)]
    assert "style 0." in lines[1]
    assert lines[11].startswith("The painting is in new/out.png: 64×43 px, 20 of 20 iterations in ")
    assert len(lines) == 12

    for path in ("new/out.png", "new/out-0008.png", "new/out-0016.png"):
        assert pictures.read(Path(path)).shape == (43, 64, 3)
    assert Path("film.mp4").read_bytes()[4:8] == b"ftyp"
    recipe = recipe_in("new/out.png")
    assert (recipe.engine, recipe.iterations, recipe.blend) == ("patches", 20, (3.0, 1.0))
    assert recipe.photo
    assert [recipe.photo.name, *(artwork.name for artwork in recipe.artworks)] == [
        "photo.png",
        "stripes.png",
        "checks.png",
    ]
    assert Checkpoint.load(Path("kept")).iteration == 19
    assert not list(folder.rglob("*.part"))


@pytest.mark.slow
class TestPainting:
    def test_each_format_by_its_suffix(self, capfd: pytest.CaptureFixture[str]) -> None:
        recipe = ["photo.png", "-o", "out.tif", *PATCHES, "stripes.png", "--iterations", "6", "--quiet"]
        assert paint(*recipe, "--timelapse", "film.gif") == 0
        assert paint(*recipe, "-o", "out.webp", "--timelapse", "film.webp") == 0
        Path("there").mkdir()
        assert paint(*recipe, "-o", "there") == 0  # and in a folder it is named after the photo
        assert capfd.readouterr() == ("", "")
        for name in ("out.tif", "out.webp", "there/photo.png"):
            assert pictures.read(Path(name)).shape == (43, 64, 3)
        for name in ("film.gif", "film.webp"):
            with Image.open(name) as film:
                assert film.size == (64, 43)
                assert getattr(film, "n_frames", 1) >= 4
        assert apart("there/photo.png", "out.tif") <= 1
        with tifffile.TiffFile("out.tif") as file:
            page = file.pages[0].asarray()
        assert page.dtype == np.uint16
        assert (page % 257 != 0).any()  # more than 8 bits made longer

    def test_a_painting_is_painted_again_from_its_recipe(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        words = "--iterations 12 --blend 2,1 --keep-colors --seed 7 --style-weight 2 --variation 0.5 --init noise"
        assert paint("photo.png", "stripes.png", "checks.png", "-o", "out.png", *PATCHES, *words.split()) == 0
        assert paint("--recipe", "out.png", "-o", "again.png") == 0
        assert apart("out.png", "again.png") <= 1
        assert recipe_in("out.png") == recipe_in("again.png")

        # From elsewhere, the pictures are found beside it.
        (folder / "elsewhere").mkdir()
        monkeypatch.chdir(folder / "elsewhere")
        assert paint("--recipe", "../out.png", "-o", "again.png") == 0
        assert apart("../out.png", "again.png") <= 1

        # What is said counts more.
        assert paint("../checks.png", "--recipe", "../out.png", "--no-keep-colors", "-o", "other.png") == 0
        recipe = recipe_in("other.png")
        assert apart("../out.png", "other.png") > 30
        assert (recipe.keep_colors, recipe.seed, recipe.init) == (False, 7, "noise")

    def test_a_recipe_does_not_take_other_pictures_for_its_own(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "deep").mkdir()
        (folder / "photo.png").rename(folder / "deep" / "photo.png")
        assert paint("deep/photo.png", "stripes.png", "-o", "out.png", *PATCHES, "--iterations", "2") == 0
        photo = recipe_in("out.png").photo
        assert photo
        assert photo.name == "deep/photo.png"
        (folder / "deep" / "photo.png").rename(folder / "photo.png")
        assert paint("--recipe", "out.png", "-o", "again.png") == 0

        Path("photo.png").write_bytes(Path("checks.png").read_bytes())
        capsys.readouterr()
        assert paint("--recipe", "out.png", "-o", "again.png") == 2
        assert "photo.png is not the photo that out.png was painted from" in capsys.readouterr().err
        assert paint("photo.png", "stripes.png", "--recipe", "out.png", "-o", "again.png") == 0
        Path("stripes.png").unlink()
        capsys.readouterr()
        assert paint("photo.png", "--recipe", "out.png", "-o", "again.png") == 2
        sentence = "The artwork 'stripes.png' of out.png is neither in the current folder nor beside it."
        assert sentence in capsys.readouterr().err

    def test_changes_in_a_recipe_are_made_again_unless_said_otherwise(self) -> None:
        photo, artwork = (pictures.read(Path(name)) for name in ("photo.png", "stripes.png"))
        recipe = Recipe(engine="patches", size=64, iterations=12).changed(4, {"style_weight": 5.0})
        noted = recipe.changed(6, {"content_weight": 0.0})
        Path("noted.png").write_bytes(pictures.encode(photo, "png", noted.to_dict()))
        assert paint("photo.png", "stripes.png", "--recipe", "noted.png", "-o", "out.png") == 0
        assert recipe_in("out.png").changes == noted.changes
        assert apart("out.png", _painted(photo, artwork, noted)) <= 1
        words = ("photo.png", "stripes.png", "--recipe", "noted.png", "--content-weight", "1")
        assert paint(*words, "-o", "other.png") == 0
        assert recipe_in("other.png").changes == recipe.changes

    def test_a_painting_with_more_iterations_is_painted_again_and_gone_on_with(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ("photo.png", "stripes.png", "-o", "out.png", *PATCHES, "--iterations", "6", "--checkpoint", "kept")
        assert paint(*words) == 0
        finished = Checkpoint.load(Path("kept"))
        extended = dataclasses.replace(finished, recipe=finished.recipe.extended(5, 4))
        Path("extended").write_bytes(extended.to_bytes())
        capsys.readouterr()
        assert paint("--resume", "extended", "-o", "more.png", "--json", "--checkpoint", "end") == 0
        said = capsys.readouterr()
        told = events(said.out)
        assert "Going on with photo.png after 6 of 10 iterations." in said.err
        assert (told[0]["iterations"], told[0]["done"]) == (10, 6)
        assert [(each["iteration"], each["of"]) for each in told if each["event"] == "iteration"] == [
            (number, 10) for number in range(6, 10)
        ]
        assert paint("--resume", "end", "-o", "more.png") == 2
        assert "The painting in end is finished: all 10 iterations are painted." in capsys.readouterr().err

        assert recipe_in("more.png").changes == (Change(6, {"more": 4}),)
        assert paint("--recipe", "more.png", "-o", "again.png") == 0
        assert "stripes.png: 10 iterations, 64 px." in capsys.readouterr().err
        assert apart("more.png", "again.png") == 0 < apart("more.png", "out.png")
        assert recipe_in("again.png") == recipe_in("more.png")

        # As many as are said now are painted.
        assert paint("--recipe", "more.png", "-o", "other.png", "--iterations", "6") == 0
        assert apart("other.png", "out.png") == 0
        assert recipe_in("other.png") == recipe_in("out.png")

    def test_a_preset_counts_more_than_a_recipe_and_less_than_an_option(self) -> None:
        photo = pictures.read(Path("photo.png"))
        recipe = Recipe(size=48, iterations=2, seed=3, momentum=0.5, balanced=True)
        Path("noted.png").write_bytes(pictures.encode(photo, "png", recipe.to_dict()))
        words = "photo.png stripes.png --recipe noted.png --preset original --weights random --fade 0.5 -o out.png"
        assert paint(*words.split()) == 0
        found = recipe_in("out.png")
        assert (found.engine, found.size, found.seed) == ("vgg19", 48, 3)
        assert (found.momentum, found.balanced, found.fade) == (0.99, False, 0.5)

    @pytest.mark.parametrize("photos", ["photos", "photos/*"])
    def test_a_folder_or_a_pattern_is_painted_into_a_folder(
        self, photos: str, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "photos").mkdir()
        data = Path("photo.png").read_bytes()
        for name in ("b.png", "c.png", "a.png"):
            Path("photos", name).write_bytes(data)
        Image.open("checks.png").save("photos/a.jpg")
        Path("photos/broken.png").write_bytes(data[:100])
        if photos == "photos":
            Path("photos/notes.txt").write_text("not a picture, and never said to be one")
        words = [photos, "stripes.png", "-o", "new/all", *PATCHES, "--iterations", "4", "--save-every", "4", "--json"]
        assert paint(*words) == 1
        said = capsys.readouterr()
        told = events(said.out)
        assert [each["photo"] for each in told if each["event"] == "end"] == [
            f"photos/{name}" for name in ("a.jpg", "a.png", "b.png", "c.png")
        ]
        (error,) = (each for each in told if each["event"] == "error")
        assert (error["code"], error["photo"]) == ("picture_truncated", "photos/broken.png")
        assert "photos/broken.png: The PNG picture is cut off" in said.err
        assert "4 of 5 painted into new/all." in said.err
        assert [each["event"] for each in told].count("loaded") == 1
        assert sorted(path.name for path in Path("new/all").iterdir()) == [
            "a-0004.png", "a-2-0004.png", "a-2.png", "a.png", "b-0004.png", "b.png", "c-0004.png", "c.png",
        ]  # fmt: skip
        assert apart("new/all/b.png", "new/all/a-2.png") <= 1

    def test_a_checkpoint_is_kept_up_to_date(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("model.command.sitting.CHECKPOINT_EVERY", 0.0)
        words = ["photo.png", "stripes.png", "-o", "out.png", *PATCHES, "--iterations", "2", "--checkpoint", "kept"]
        assert paint(*words, "--json") == 0
        saved = [each["kind"] for each in events(capsys.readouterr().out) if each["event"] == "saved"]
        assert saved == ["checkpoint", "checkpoint", "picture", "checkpoint"]
        assert Checkpoint.load(Path("kept")).iteration == 1

    def test_a_failure_midway_costs_no_iteration(self, capsys: pytest.CaptureFixture[str]) -> None:
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        commission = settle(parser.parse_args(["photo.png", "stripes.png", "-o", "out.png", *PATCHES]))
        photo, recipe = commission.subjects[0].read(commission.recipe)
        forecast = Forecast(43, 64, recipe, smallest=32)
        report, interruption = Report(json=False, quiet=False), Interruption(quiet=False)
        sitting = Sitting(commission, commission.subjects[0], (43, 64), forecast, report, interruption)

        def failing() -> Iterator[Iteration]:
            yield from itertools.islice(StyleTransfer("patches").paint(photo, commission.artworks, recipe), 3)
            raise MemoryError

        with pytest.raises(MemoryError):
            sitting.paint(failing())
        assert "To go on: visualneurons paint --resume out.png.checkpoint -o out.png" in capsys.readouterr().err
        assert pictures.read(Path("out.png")).shape == (43, 64, 3)
        assert Checkpoint.load(Path("out.png.checkpoint")).iteration == 2

    def test_vgg19_with_random_weights(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = "photo.png stripes.png -o out.png --size 48 --iterations 2 --weights random"
        assert paint(*words.split()) == 0
        assert "Painting with vgg19" in capsys.readouterr().err
        assert recipe_in("out.png").engine == "vgg19"

    def test_without_weights_it_says_what_it_paints_with_and_why(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("KERAS_HOME", str(folder / "keras"))
        monkeypatch.setenv("VISUALNEURONS_WEIGHTS_URL", "http://127.0.0.1:9/vgg19.h5")
        words = ["photo.png", "stripes.png", "-o", "out.png", "--size", "48", "--iterations", "1"]
        assert paint(*words, "--json") == 0
        said = capsys.readouterr()
        sentence = "Painting with patches, which needs no weights: http://127.0.0.1:9/vgg19.h5 cannot be reached"
        assert sentence in said.err
        (loaded,) = (each for each in events(said.out) if each["event"] == "loaded")
        assert loaded["engine"] == "patches"
        assert sentence in loaded["reason"]
        assert paint(*words, "--engine", "vgg19") == 2
        assert "cannot be reached" in capsys.readouterr().err


def _painted(photo: Picture, artwork: Picture, recipe: Recipe) -> Path:
    """The same as painted by the model itself."""
    *_, last = StyleTransfer("patches").paint(photo, [artwork], recipe)
    Path("expected.png").write_bytes(pictures.encode(last.picture, "png"))
    return Path("expected.png")


# ---------------------------------------------------------------- interrupted


@pytest.mark.slow
def test_interrupted_it_keeps_the_picture_and_goes_on_as_if_it_had_not_been(
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = ["photo.png", "stripes.png", *PATCHES, "--iterations", "150"]
    with started(*recipe, "-o", "my out.png", "--json", "--timelapse", "film.gif") as process:
        until_iteration(10, process)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert "Traceback" not in said
    end = events(out)[-1]
    assert end["event"] == "end"
    assert end["interrupted"] is True
    assert 10 < end["iterations"] < 150
    with Image.open("film.gif") as film:
        assert film.size == (64, 43)

    # The picture is in its full size, however coarse the scale was, and its recipe paints just this.
    assert pictures.read(Path("my out.png")).shape == (43, 64, 3)
    Path("my out.png").rename("interrupted.png")
    assert paint("--recipe", "interrupted.png", "-o", "same.png") == 0
    assert apart("interrupted.png", "same.png") <= 1

    (command,) = (line.removeprefix("To go on: ") for line in said.splitlines() if line.startswith("To go on: "))
    assert command == "visualneurons paint --resume 'my out.png.checkpoint' -o 'my out.png'"
    assert visualneurons.main(shlex.split(command)[1:]) == 0
    assert f"Going on with photo.png after {end['iterations']} of 150 iterations." in capsys.readouterr().err
    assert paint(*recipe, "-o", "never.png") == 0
    assert apart("my out.png", "never.png") <= 1
    assert recipe_in("my out.png") == recipe_in("never.png")


@pytest.mark.slow
def test_ended_by_a_service_manager_it_keeps_the_checkpoint_where_it_was_told_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["photo.png", "stripes.png", "-o", "out.jpg", *PATCHES, "--iterations", "150"]
    with started(*words, "--checkpoint", "kept", "--json", "--quiet") as process:
        until_iteration(5, process)
        process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=LONG)
    assert (process.returncode, said) == (143, "")
    saved = [each["path"] for each in events(out) if each["event"] == "saved"]
    assert saved[-2:] == ["kept", "out.jpg"]
    assert set(saved[:-2]) <= {"kept"}, "ten seconds were over already"
    assert pictures.read(Path("out.jpg")).shape == (43, 64, 3)
    assert not Path("out.jpg.checkpoint").exists()

    # What is finished is not gone on with.
    assert paint("--resume", "kept", "-o", "out.jpg", "--checkpoint", "kept", "--quiet") == 0
    capsys.readouterr()
    assert paint("--resume", "kept", "-o", "out.jpg") == 2
    assert "The painting in kept is finished: all 150 iterations are painted." in capsys.readouterr().err


# It takes Keras' place, and as long as it has to.
SLOW_TO_LOAD = """
import sys, time
from pathlib import Path
Path(__file__).with_name("loading").touch()
try:
    time.sleep(100)
except BaseException as interruption:
    raise %s
"""


@pytest.mark.parametrize("failing", ["", "ImportError('half of it is missing') from interruption"])
def test_interrupted_before_the_first_iteration_it_says_that_there_is_nothing(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, failing: str
) -> None:
    slow = tmp_path_factory.mktemp("slow")
    (slow / "keras.py").write_text(SLOW_TO_LOAD % failing)
    before = set(folder.iterdir())
    environment = os.environ | {"PYTHONPATH": str(slow)}
    with started("photo.png", "stripes.png", "-o", "out.png", *PATCHES, "--json", env=environment) as process:
        assert process.stdout
        assert "start" in process.stdout.readline()
        until = time.monotonic() + 60
        while not (slow / "loading").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "Interrupted before the first iteration: there is nothing to keep."
    assert events(out)[-1] == {"event": "end", "iterations": 0, "interrupted": True}
    assert set(folder.iterdir()) == before


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.0, 0.3, 0.7, 1.5])
def test_interrupted_while_tensorflow_loads_it_ends_in_a_sentence(folder: Path, after: float) -> None:
    with started("photo.png", "stripes.png", "-o", "out.png", *PATCHES, "--json") as process:
        assert process.stdout
        assert "start" in process.stdout.readline()
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=LONG)
    assert (process.returncode, events(out)[-1]["interrupted"]) == (130, True)
    assert "Traceback" not in said
    nothing = said.endswith("Interrupted before the first iteration: there is nothing to keep.\n")
    assert nothing != (folder / "out.png").exists(), "a quick machine may have painted something"


def test_the_second_signal_ends_at_once() -> None:
    script = """
import sys, time
from model.command.interruption import Interruption
with Interruption(quiet=False) as interruption:
    interruption.patient = True
    print("ready", flush=True)
    while True:
        time.sleep(0.01)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "\n"
        assert process.stderr.readline() == "Stopping after this iteration (Ctrl-C again ends at once).\n"
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == -signal.SIGINT


# ---------------------------------------------------------------- what goes wrong at the end


@pytest.mark.slow
def test_a_painting_whose_place_is_gone_is_kept_elsewhere(folder: Path) -> None:
    words = ["photo.png", "stripes.png", "-o", "gone/out.png", *PATCHES, "--iterations", "150"]
    with started(*words, "--timelapse", "gone/film.gif", "--json") as process:
        until_iteration(5, process)
        (folder / "gone").rename(folder / "moved")
        out, said = process.communicate(timeout=LONG)
    assert process.returncode == 1
    errors = [each["code"] for each in events(out) if each["event"] == "error"]
    assert errors == ["not_writable", "not_writable"]
    assert "'gone/out.png' cannot be written: no such file or directory." in said
    assert f"The painting is in {folder / 'out.png'}: 64×43 px, 150 of 150 iterations" in said
    assert pictures.read(folder / "out.png").shape == (43, 64, 3)


@pytest.mark.slow
def test_a_disk_that_is_full_in_the_end_is_told(folder: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    # PYTHONDONTWRITEBYTECODE: those files are not what is looked at here.
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder)}
    words = ["photo.png", "stripes.png", "-o", "out.png", *PATCHES, "--iterations", "3", "--save-every", "2"]
    with started(*words, preexec_fn=small_files, env=environment) as process:
        _, said = process.communicate(timeout=LONG)
    assert process.returncode == 1
    assert "'out-0002.png' does not fit: there is no room" in said
    assert "'out.png' does not fit: there is no room" in said
    assert "Traceback" not in said
    assert not Path("out.png").exists()
    assert not list(folder.glob("*.part"))


@pytest.mark.slow
def test_a_terminal_gets_a_bar_and_a_reader_that_leaves_costs_nothing() -> None:
    reader, writer = pty.openpty()  # of 0 columns, which is how a terminal says that it does not know
    words = ["photo.png", "stripes.png", "-o", "out.png", *PATCHES, "--iterations", "200", "--json"]
    process = subprocess.Popen([*PROGRAM, "paint", *words], stdout=subprocess.PIPE, stderr=writer, text=True)
    os.close(writer)
    seen: list[str] = []
    watcher = threading.Thread(target=lambda: seen.extend(_read_all(reader)))
    watcher.start()
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()  # as `head -1` does
    assert process.wait(timeout=LONG) == 0
    watcher.join(timeout=10)
    os.close(reader)
    said = "".join(seen)
    assert "100%|" in said
    assert "200/200" in said
    assert "style 0." in said
    assert "s left" in said
    assert "The painting is in out.png" in said
    assert "Broken" not in said
    assert pictures.read(Path("out.png")).shape == (43, 64, 3)


def _read_all(descriptor: int) -> Iterator[str]:
    while True:
        try:
            data = os.read(descriptor, 4096)
        except OSError:  # how Linux says that the other side of a terminal is closed
            return
        if not data:
            return
        yield data.decode(errors="replace")
