"""What ``visualneurons deploy``, ``destroy`` and ``studios`` share at the terminal."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable

from lambda_launcher.deploy.trouble import Trouble

STACK = "visualneurons"
INTERRUPTED = 130


class Stage:
    """How far a command has come: what is to be said if Ctrl-C ends it now."""

    if_interrupted = "Nothing was changed."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which stack is meant."""
    parser.add_argument("--region", default="", help="region of AWS (default: the one that is set on this machine)")
    parser.add_argument("--stack", type=_stack, default=STACK, help="name of the stack (default: %(default)s)")


def attempt(name: str, work: Callable[[Stage], int]) -> int:
    """Do `work`, or say in a sentence why it cannot be done; return the exit code."""
    stage = Stage()
    try:
        return work(stage)
    except Trouble as trouble:
        print(f"visualneurons {name}: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nvisualneurons {name}: Interrupted. {stage.if_interrupted}", file=sys.stderr)
        return INTERRUPTED


def say(line: str) -> None:
    """Tell it at once."""
    print(line, flush=True)


def agreed(question: str) -> bool:
    """Whether the person at the terminal says yes."""
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        print()
        raise Trouble("There is nobody to ask.", "Add --yes if it is to be done unasked.") from None
    return answer.strip().lower() in ("y", "yes")


def _stack(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,22}[a-z0-9]", text):
        reason = "it must have 2 to 24 small letters, digits and -, from a letter on and not to a -"
        raise argparse.ArgumentTypeError(f"{text!r} is no name for a stack: {reason}")
    return text
