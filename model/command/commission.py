"""What a command line asks for, settled: which pictures, which recipe, which files. Nothing heavy is loaded for it."""

from __future__ import annotations

import argparse
import errno
import glob
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model import pictures, timelapse
from model.checkpoint import Checkpoint
from model.errors import Refusal
from model.pictures import Picture
from model.recipe import PRESETS, Change, Recipe, Source, settings

# What is painted of a folder; a pattern chooses for itself.
READABLE = {*pictures.SUFFIXES, ".bmp", ".gif"}

USAGE = "visualneurons paint PHOTO ARTWORK -o PAINTING"


@dataclass(frozen=True)
class Subject:
    """One picture to be painted, and the file for the painting."""

    name: str
    photo: Path | None  # None if a checkpoint holds it
    out: Path

    def read(self, recipe: Recipe) -> tuple[Picture, Recipe]:
        """The photo at its working size, and the recipe with its name and digest."""
        assert self.photo
        picture = _read(self.photo)
        return pictures.fit(picture, recipe.size), replace(recipe, photo=_source(self.photo, picture))

    def numbered(self, iterations: int) -> Path:
        """The file for the picture after so many iterations."""
        return self.out.with_name(f"{self.out.stem}-{iterations:04d}{self.out.suffix}")


@dataclass(frozen=True)
class Commission:
    """What is to be painted, and what is to be kept of it."""

    recipe: Recipe
    subjects: tuple[Subject, ...]
    artworks: tuple[Picture, ...]
    since: Checkpoint | None
    many: bool
    weights: str
    save_every: int  # 0: never
    timelapse: Path | None
    checkpoint: Path | None

    @property
    def announcement(self) -> str:
        """What is going to happen, in a line."""
        artworks = ", ".join(source.name for source in self.recipe.artworks)
        steps = f"{self.recipe.end} iterations"
        if self.since:
            return f"Going on with {self.subjects[0].name} after {self.since.iteration + 1} of {steps}."
        what = f"{len(self.subjects)} pictures" if self.many else self.subjects[0].name
        return f"Painting {what} in the style of {artworks}: {steps}, {self.recipe.size} px."

    def to_go_on(self, subject: Subject, checkpoint: Path) -> str:
        """The command that goes on from a checkpoint."""
        words = ["visualneurons", "paint", "--resume", str(checkpoint), "-o", str(subject.out)]
        kept = {"--checkpoint": self.checkpoint, "--save-every": self.save_every}
        for flag, value in kept.items():
            words += [flag, str(value)] if value else []
        if self.weights != "auto":
            words += ["--weights", self.weights]
        return shlex.join(words)


def settle(arguments: argparse.Namespace) -> Commission:
    """The commission in these arguments, or a refusal that says what is wrong with them."""
    if not arguments.out:
        raise Refusal("out_missing", "The painting has no name.", f"Give it one with -o: {USAGE}.")
    given = {name: getattr(arguments, name) for name in settings() if getattr(arguments, name) is not None}
    if arguments.resume:
        commission, inputs = _resumed(arguments, given)
    else:
        commission, inputs = _begun(arguments, given)
    _check_outputs(commission, inputs)
    if commission.recipe.engine != "patches" and arguments.weights not in ("auto", "random"):
        from model import weights  # with what a download needs, so only where they may be missing

        weights.find(arguments.weights)
    return commission


def require_room(path: Path, shape: Sequence[int]) -> None:
    """Refuse a disk that is too full for a painting of this shape."""
    needed = shape[0] * shape[1] * 3 * (2 if pictures.format_of(path) == "tiff" else 1)
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        problem = f"{str(path)!r} may need {needed:,} bytes, where {free:,} are free."
        raise Refusal("disk_full", problem, "Free some space, or write to another disk.")


def _resumed(arguments: argparse.Namespace, given: dict[str, Any]) -> tuple[Commission, list[Path]]:
    """The commission to go on from a checkpoint."""
    superfluous = {"PHOTO": arguments.photo, "--recipe": arguments.recipe, "--preset": arguments.preset}
    superfluous |= {f"the setting {name}": True for name in given}
    for what, value in superfluous.items():
        if value:
            problem = f"With --resume, {what} cannot be given: the checkpoint holds pictures and recipe."
            raise Refusal("resume_superfluous", problem, "Leave it out.")
    path = Path(arguments.resume)
    since = Checkpoint.load(path)
    if since.iteration + 1 >= since.recipe.end:
        problem = f"The painting in {path} is finished: all {since.recipe.end} iterations are painted."
        raise Refusal("checkpoint_finished", problem, "Paint it again with --recipe and its PNG.")
    name = since.recipe.photo.name if since.recipe.photo else str(path)
    subject = Subject(name, None, _out(arguments.out, name))
    commission = _commission(arguments, since.recipe, (subject,), (), since=since)
    goes_on = commission.checkpoint and _real(commission.checkpoint) == _real(path)
    return commission, [] if goes_on else [path]


def _begun(arguments: argparse.Namespace, given: dict[str, Any]) -> tuple[Commission, list[Path]]:
    """The commission to paint anew, and the files that it is painted from."""
    recipe = _recipe(arguments, given)
    from_png = Path(arguments.recipe) if arguments.recipe else None
    if not arguments.photo and not from_png:
        raise Refusal("photo_missing", "There is no photo to paint.", f"Name one: {USAGE}.")
    if not arguments.artworks and not from_png:
        raise Refusal("artwork_missing", "There is no artwork to paint from.", f"Name one: {USAGE}.")
    if arguments.photo or not from_png:
        photos, many = _photos(arguments.photo)
    else:
        photos, many = [_recorded("photo", recipe.photo, from_png)], False
    styles = [Path(name) for name in arguments.artworks]
    if not styles and from_png:
        styles = [_recorded("artwork", source, from_png) for source in recipe.artworks or (None,)]

    recipe.shares(len(styles))
    artworks = [_read(path) for path in styles]
    recipe = replace(recipe, artworks=tuple(map(_source, styles, artworks)))
    outs = _outs(photos, Path(arguments.out)) if many else [_out(arguments.out, str(photos[0]))]
    subjects = tuple(Subject(str(photo), photo, out) for photo, out in zip(photos, outs, strict=True))
    fitted = tuple(pictures.fit(artwork, recipe.size) for artwork in artworks)
    commission = _commission(arguments, recipe, subjects, fitted, many=many)
    return commission, [*photos, *styles, *([from_png] if from_png else [])]


def _commission(
    arguments: argparse.Namespace,
    recipe: Recipe,
    subjects: tuple[Subject, ...],
    artworks: tuple[Picture, ...],
    since: Checkpoint | None = None,
    many: bool = False,
) -> Commission:
    film, checkpoint = (Path(name) if name else None for name in (arguments.timelapse, arguments.checkpoint))
    for option, path in (("--timelapse", film), ("--checkpoint", checkpoint)):
        if many and path:
            problem = f"{option} names one file, but {len(subjects)} pictures are to be painted."
            raise Refusal("option_for_one", problem, "Leave it out, or paint one picture at a time.")
    every = _every(arguments.save_every)
    return Commission(recipe, subjects, artworks, since, many, arguments.weights, every, film, checkpoint)


def _every(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isdecimal() and int(text)):
        problem = f"--save-every is {text!r}, but it has to be a whole number from 1."
        raise Refusal("setting_invalid", problem, "Change --save-every.")
    return int(text)


# ---------------------------------------------------------------- the recipe


def _recipe(arguments: argparse.Namespace, given: dict[str, Any]) -> Recipe:
    """What is said by an option, else by --preset, else by --recipe, else by default."""
    recipe = Recipe()
    if arguments.recipe:
        path = Path(arguments.recipe)
        try:
            recipe = Recipe.from_dict(pictures.recipe_in(path))
        except Refusal as refusal:
            raise _about(path, refusal) from refusal
    if arguments.preset and arguments.preset not in PRESETS:
        problem = f"There is no preset {arguments.preset!r}."
        raise Refusal("preset_unknown", problem, f"Choose one of {', '.join(PRESETS)}.")
    said = {**PRESETS.get(arguments.preset, {}), **given}
    fingerprint = recipe.fingerprint if arguments.weights == "auto" and "engine" not in said else ""
    return replace(recipe, **said, fingerprint=fingerprint, changes=tuple(_unchanged(recipe.changes, said)))


def _unchanged(changes: Sequence[Change], said: dict[str, Any]) -> Iterator[Change]:
    """The changes without those to what is said now, which is to hold from beginning to end."""
    over = {*said, "stop", "more"} if "iterations" in said else {*said}
    for change in changes:
        kept = {name: value for name, value in change.settings.items() if name not in over}
        if kept:
            yield Change(change.iteration, kept)


def _source(path: Path, picture: Picture) -> Source:
    """What the recipe keeps of a picture. Of folders elsewhere it keeps nothing: a painting may be given to others."""
    inside = not path.is_absolute() and ".." not in path.parts
    return Source(path.as_posix() if inside else path.name, pictures.digest(picture))


def _recorded(what: str, source: Source | None, recipe: Path) -> Path:
    """The picture that a recipe names, found in the current folder or beside the recipe, and no other of that name."""
    naming = f"Name the pictures: {USAGE} --recipe {recipe.name}."
    if source is None:
        raise Refusal("recipe_sourceless", f"The recipe in {recipe} does not say which {what} it is for.", naming)
    name = Path(source.name)
    inside = not name.is_absolute() and ".." not in name.parts  # the recipe may come from a stranger
    names = [name, Path(name.name)] if inside else [Path(name.name)]
    places = [folder / each for folder in (Path(), recipe.parent) for each in names]
    found = [place for place in dict.fromkeys(places) if os.path.isfile(place)]
    for place in found:
        if pictures.digest(_read(place)) == source.digest:
            return place
    if found:
        problem = f"{found[0]} is not the {what} that {recipe} was painted from: its pixels are others."
        raise Refusal("recipe_picture_other", problem, f"To paint this one, name it: {USAGE} --recipe {recipe.name}.")
    problem = f"The {what} {source.name!r} of {recipe} is neither in the current folder nor beside it."
    raise Refusal("recipe_picture_missing", problem, naming)


# ---------------------------------------------------------------- pictures in


def _photos(name: str) -> tuple[list[Path], bool]:
    """The photos that PHOTO names, and whether it names several."""
    path = Path(name)
    if path.is_dir():
        inside = (each for each in path.iterdir() if each.suffix.lower() in READABLE and not each.name.startswith("."))
        photos = sorted(each for each in inside if each.is_file())
        nothing = f"The folder {path} has no picture in it."
    elif glob.has_magic(name) and not path.exists():
        photos = sorted(Path(each) for each in glob.glob(name, recursive=True) if os.path.isfile(each))
        nothing = f"Nothing fits the pattern {name}."
    else:
        if not path.is_file():
            _read(path)  # which says why it cannot
        return [path], False
    if not photos:
        raise Refusal("photo_missing", nothing, f"What is looked for: {', '.join(sorted(READABLE))}.")
    return photos, True


def _read(path: Path) -> Picture:
    try:
        return pictures.read(path)
    except Refusal as refusal:
        raise _about(path, refusal) from refusal


def _about(path: Path, refusal: Refusal) -> Refusal:
    """The refusal, with the file's name in it."""
    named = str(path) in refusal.message
    return Refusal(refusal.code, refusal.message if named else f"{path}: {refusal.message}", refusal.hint)


# ---------------------------------------------------------------- files out


def _out(name: str, photo: str) -> Path:
    """The file of the only painting; in a folder it is named after the photo."""
    path = Path(name)
    if path.is_dir():
        return path / f"{Path(photo).stem}.png"
    pictures.format_of(path)
    return path


def _outs(photos: Sequence[Path], folder: Path) -> list[Path]:
    """A PNG in `folder` for each photo, no two of them alike."""
    if folder.suffix.lower() in pictures.SUFFIXES and not folder.is_dir():
        problem = f"{len(photos)} pictures are to be painted, but {folder} names a single file."
        raise Refusal("out_not_folder", problem, "Give -o the name of a folder.")
    outs: list[Path] = []
    taken: set[str] = set()
    for photo in photos:
        name, number = photo.stem, 1
        while name.lower() in taken:
            number += 1
            name = f"{photo.stem}-{number}"
        taken.add(name.lower())
        outs.append(folder / f"{name}.png")
    return outs


def _check_outputs(commission: Commission, inputs: Sequence[Path]) -> None:
    """Refuse what cannot be written, and what would be written over something else that counts."""
    outs = [subject.out for subject in commission.subjects]
    if commission.timelapse:
        timelapse.format_of(commission.timelapse)
    files = outs + [path for path in (commission.timelapse, commission.checkpoint) if path]
    read = {_real(path): path for path in inputs}
    written: dict[str, Path] = {}
    for path in files:
        real = _real(path)
        if real in read:
            raise _overwritten(path)
        if real in written:
            raise Refusal("out_twice", f"{path} would be written twice, as two things.", "Choose another name for one.")
        written[real] = path
    for real, path in read.items():
        count = re.fullmatch(r"(.+)-(\d{4,})(\.\w+)", real)
        if commission.save_every and count and count[1] + count[3] in written:
            raise _overwritten(path)
    for path in files:
        _prepare(path)


def _overwritten(path: Path) -> Refusal:
    problem = f"{path} is one of the files that are painted from, and would be overwritten."
    return Refusal("out_is_input", problem, "Choose another name.")


def _real(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def _prepare(path: Path) -> None:
    """Have the folder for a file, and know that the file can be written."""
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EEXIST, "it is not a file")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problem = f"{str(path)!r} cannot be written: {reason.lower()}."
        raise Refusal("not_writable", problem, "Choose another place, where you may write.") from error
