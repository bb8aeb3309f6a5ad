"""``visualneurons paint``: photos painted in the style of artworks, on the command line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from model import pictures, timelapse
from model.command.commission import Commission, Subject, require_room, settle
from model.command.interruption import Interrupted, Interruption
from model.command.progress import Report
from model.command.sitting import Sitting
from model.errors import Refusal
from model.forecast import Forecast
from model.recipe import PRESETS, Recipe, Setting, settings

if TYPE_CHECKING:
    from model.style_transfer import StyleTransfer

# Where the option's name is not the setting's.
SHORT = {"variation_weight": "--variation"}

EPILOG = f"""\
PHOTO may be a folder or a quoted pattern ("photos/*.jpg"): each picture in it is painted into the folder PAINTING.
Folders that PAINTING needs are made; a file of its name is replaced. The suffix of PAINTING says what it is saved as:
{", ".join(pictures.SUFFIXES)}. PNG and TIFF keep the recipe inside, TIFF has 16 bits.

An option counts more than --preset, which counts more than --recipe, which counts more than a default.

Ctrl-C keeps the picture as it is and a checkpoint, and says how to go on. A second Ctrl-C ends at once.

exit codes:
  0    painted
  1    something could not be painted or written; the rest was
  2    refused before anything was painted: an option, a picture or the weights cannot be used
  130  interrupted by Ctrl-C (143 by SIGTERM); the picture so far and a checkpoint are kept
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``paint`` takes to `parser`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.usage = "%(prog)s PHOTO ARTWORK [ARTWORK ...] -o PAINTING [options]"
    add = parser.add_argument
    add("photo", metavar="PHOTO", nargs="?", help="what is painted: a picture, a folder or a quoted pattern")
    add("artworks", metavar="ARTWORK", nargs="*", help="in the style of what: one picture or more")
    add("-o", "--out", metavar="PAINTING", help="the painting's file, or the folder for several")

    recipe = parser.add_argument_group("recipe")
    for name, setting in settings().items():
        _add_setting(recipe, name, setting)
    recipe.add_argument("--preset", metavar="NAME", help=f"settings that go together: {', '.join(PRESETS)}")
    recipe.add_argument(
        "--recipe",
        metavar="FROM.png",
        help="paint this painting again; PHOTO and ARTWORK, if not given, are looked for by their names in the current "
        "folder and beside FROM.png",
    )

    while_painting = parser.add_argument_group("while painting")
    add = while_painting.add_argument
    add(
        "--weights",
        metavar="FILE",
        default="auto",
        help="VGG19's weights: a .h5 file; random, to try things out; or auto, from Keras' cache or a download "
        "(default: auto)",
    )
    add("--save-every", metavar="N", help="save a numbered picture beside PAINTING after each N iterations")
    add("--timelapse", metavar="FILM", help=f"make a film of the painting: {', '.join(timelapse.SUFFIXES)}")
    add("--checkpoint", metavar="FILE", help="save what --resume needs every ten seconds and at the end")
    add("--resume", metavar="FILE", help="go on from a checkpoint, which holds recipe and pictures")
    add("--quiet", action="store_true", help="say nothing but errors")
    add("--json", action="store_true", help="tell what happens on stdout, one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Paint; return the exit code."""
    report = Report(json=arguments.json, quiet=arguments.quiet)
    with Interruption(arguments.quiet) as interruption:
        try:
            return _Painter(settle(arguments), report, interruption).paint()
        except Refusal as refusal:
            report.refuse(refusal)
            return 2
        except (Interrupted, Exception):
            # An import that is interrupted may fail in a way of its own.
            if interruption.number is None:
                raise
            report.say("Interrupted before the first iteration: there is nothing to keep.")
            report.event("end", iterations=0, interrupted=True)
            return interruption.code
        finally:
            report.rest()


def _add_setting(group: argparse._ArgumentGroup, name: str, setting: Setting) -> None:
    default = getattr(Recipe(), name)
    flags = [f"--{name.replace('_', '-')}"]
    if name in SHORT:
        flags.insert(0, SHORT[name])
    if isinstance(default, bool):
        remark = f"{setting.description} (default: {'yes' if default else 'no'})"
        group.add_argument(*flags, dest=name, action=argparse.BooleanOptionalAction, default=None, help=remark)
        return
    metavar = "{" + ",".join(setting.choices) + "}" if setting.choices else "N" if isinstance(default, int) else "X"
    remark = setting.description
    if isinstance(default, tuple):
        group.add_argument(*flags, dest=name, metavar="X,X,...", type=_numbers, help=f"{remark} ({_range(setting)})")
        return
    known = [_range(setting)] if setting.low is not None else []
    remark += f" ({', '.join([*known, f'default: {default}'])})"
    read = str if setting.choices else _number
    group.add_argument(*flags, dest=name, metavar=metavar, type=read, help=remark)


def _range(setting: Setting) -> str:
    return f"{setting.low:,.12g} to {setting.high:,.12g} {setting.unit}".strip()


def _number(text: str) -> Any:
    """A number, or the text as it is: the recipe says what is wrong with it."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _numbers(text: str) -> tuple[Any, ...]:
    return tuple(_number(part) for part in text.split(","))


class _Painter:
    """Paints what was commissioned, one picture after the other, with one engine loaded once."""

    def __init__(self, commission: Commission, report: Report, interruption: Interruption) -> None:
        self._commission = commission
        self._report = report
        self._interruption = interruption
        self._transfer: StyleTransfer | None = None

    def paint(self) -> int:
        """Paint all; return the exit code."""
        commission, report = self._commission, self._report
        report.say(commission.announcement)
        painted, failed = 0, 0
        try:
            for number, subject in enumerate(commission.subjects, 1):
                if commission.many:
                    report.say(f"{number} of {len(commission.subjects)}: {subject.name}")
                try:
                    complete = self._paint(subject)
                except Refusal as refusal:
                    if not commission.many:
                        raise
                    report.refuse(refusal, photo=subject.name)
                    complete = False
                if self._interruption.number is not None and not complete:
                    return self._interruption.code
                painted += complete
                failed += not complete
        finally:
            if commission.many:
                report.say(f"{painted} of {len(commission.subjects)} painted into {commission.subjects[0].out.parent}.")
        return 1 if failed else 0

    def _paint(self, subject: Subject) -> bool:
        commission, since = self._commission, self._commission.since
        if since:
            photo, recipe = since.content, since.recipe
        else:
            photo, recipe = subject.read(commission.recipe)
        require_room(subject.out, photo.shape)
        height, width = photo.shape[:2]
        done = since.iteration + 1 if since else 0
        self._report.event(
            "start",
            photo=subject.name,
            artworks=[artwork.name for artwork in recipe.artworks],
            out=str(subject.out),
            width=width,
            height=height,
            iterations=recipe.end,
            done=done,
        )
        transfer = self._transfer = self._transfer or self._load()
        iterations = transfer.resume(since) if since else transfer.paint(photo, commission.artworks, recipe)
        forecast = Forecast(height, width, recipe, transfer.engine.smallest, done=done)
        sitting = Sitting(commission, subject, (height, width), forecast, self._report, self._interruption)
        return sitting.paint(iterations)

    def _load(self) -> StyleTransfer:
        """The engine, and a line saying which it is and why."""
        from model.style_transfer import StyleTransfer

        asked = self._commission.recipe.engine
        reasons: list[str] = []
        transfer = StyleTransfer(asked, self._commission.weights, reasons.append, self._report.download)
        self._report.rest()
        name, on = transfer.engine.name, f"on {transfer.device}"
        why = "since its weights are here" if asked == "auto" else "as asked"
        self._report.say(f"{reasons[0]} It runs {on}." if reasons else f"Painting with {name}, {why}, {on}.")
        self._report.event("loaded", engine=name, device=transfer.device, reason=reasons[0] if reasons else why)
        return transfer
