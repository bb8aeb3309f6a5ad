"""``visualneurons destroy``: everything that ``deploy`` and the studios have left in your account."""

from __future__ import annotations

import argparse

from lambda_launcher.command import Stage, agreed, attempt, say
from lambda_launcher.command import add_arguments as add_common_arguments
from lambda_launcher.deploy.account import connected, session
from lambda_launcher.deploy.stack import Stack
from lambda_launcher.deploy.trouble import telling
from lambda_launcher.destroy.leftovers import Leftovers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``destroy`` to `parser`."""
    add_common_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="remove it unasked")


def run(arguments: argparse.Namespace) -> int:
    """Remove it; return the exit code."""
    return attempt("destroy", lambda stage: _destroy(arguments, stage))


def _destroy(arguments: argparse.Namespace, stage: Stage) -> int:
    opened = session(arguments.region)
    with telling(opened.region_name or "no region"):
        account = connected(opened)
        Stack(account, arguments.stack).look()  # which refuses what is not ours
        leftovers = Leftovers(account, arguments.stack, say)
        say(
            f"All of the stack '{arguments.stack}' in {account.region}, account {account.id}, is removed: the site, "
            "the launcher, the machine's images, and the gallery with EVERYTHING THAT WAS PAINTED. "
            f"{len(leftovers.machines())} machines are there now; they are ended."
        )
        if not (arguments.yes or agreed("Remove it?")):
            say("Nothing was removed.")
            return 1
        stage.if_interrupted = "What was begun goes on by itself; run it again for the rest."
        leftovers.remove()
    if not leftovers.removed and not leftovers.left:
        say("There was nothing of it.")
    elif leftovers.removed:
        say(f"{len(leftovers.removed)} things were removed.")
    for each in leftovers.left:
        say(f"LEFT: {each}")
    if leftovers.left:
        say("Run it again when that is mended.")
    return 1 if leftovers.left else 0
