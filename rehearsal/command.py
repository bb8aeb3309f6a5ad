"""``visualneurons rehearse``: the whole journey on this machine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from typing import TYPE_CHECKING

from lambda_launcher.deploy.trouble import Trouble
from lambda_launcher.studio import BOOT
from rehearsal.errors import NoRehearsal
from rehearsal.faults import FAULTS
from rehearsal.plan import Plan

if TYPE_CHECKING:
    from rehearsal.view import View

EVERY = 1.0  # seconds between two looks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``rehearse`` to `parser`."""
    faults = "; ".join(f"{name}: {what}" for name, what in FAULTS.items())
    add = parser.add_argument
    add("--port", type=_port, default=Plan.port, help="port of the page, 0 for any free one (default: %(default)s)")
    add(
        "--boot-seconds",
        type=_seconds,
        default=Plan.boot_seconds,
        metavar="SECONDS",
        help="how long a machine takes to boot, before its server starts (default: %(default)g)",
    )
    add(
        "--engine",
        choices=("patches", "auto"),
        default=Plan.engine,
        help="what paints: patches, or auto, which is VGG19 where its weights can be had (default: %(default)s)",
    )
    add(
        "--fault",
        choices=FAULTS,
        action="append",
        default=[],
        dest="faults",
        metavar="FAULT",
        help=f"what goes wrong (can be given again). {faults}",
    )


def run(arguments: argparse.Namespace) -> int:
    """Rehearse until Ctrl-C or SIGTERM; return the exit code."""
    plan = Plan(arguments.port, arguments.boot_seconds, arguments.engine, arguments.faults)
    try:
        asyncio.run(_rehearse(plan))
    except ModuleNotFoundError as error:
        hint = "Install what a rehearsal needs: pip install 'visualneurons[rehearse]'."
        return _refuse(f"The rehearsal needs {error.name}, which is not installed. {hint}")
    except (NoRehearsal, Trouble) as error:
        return _refuse(str(error))
    return 0


async def _rehearse(plan: Plan) -> None:
    rehearsing = asyncio.create_task(_show(plan))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(rehearsing.cancel))
    with contextlib.suppress(asyncio.CancelledError):
        await rehearsing


async def _show(plan: Plan) -> None:
    """Rehearse, and show what there is: a table that changes, or a line for each change where there is no terminal."""
    # What these need is an extra, which may not be installed.
    from rehearsal.rehearsal import rehearsing
    from rehearsal.table import lines, news

    before: View | None = None
    drawn = 0
    async with rehearsing(plan, lambda said: print(f"… {said}", file=sys.stderr, flush=True)) as rehearsal:
        print(f"The rehearsal is at {rehearsal.url} (Ctrl-C ends it)", flush=True)
        while True:
            view = await rehearsal.look()
            if sys.stdout.isatty():
                table = lines(view)
                print(f"\x1b[{drawn}A\x1b[J" if drawn else "", *table, sep="\n", flush=True)
                drawn = len(table) + 1
            else:
                for line in news(before, view):
                    print(time.strftime("%H:%M:%S"), line, flush=True)
            before = view
            await asyncio.sleep(EVERY)


def _port(text: str) -> int:
    if text.isdecimal() and int(text) < 2**16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: it must be from 0 to 65535")


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (seconds := float(text)) <= BOOT:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no time for a boot: it must be from 0 to {BOOT} seconds")


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1
