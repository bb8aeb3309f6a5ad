"""The front door of VisualNeurons: one subcommand for each job, no logic of its own."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "serve": ("server.command", "show the page on this machine"),
    "paint": ("model.command", "paint a photo in the style of an artwork"),
    "artworks": ("server.artworks.command", "list, add or remove the artworks that the page offers"),
    "rehearse": ("rehearsal.command", "show the whole cloud on this machine, without an account"),
    "deploy": ("lambda_launcher.deploy.command", "put the site and its studios into your AWS account"),
    "destroy": ("lambda_launcher.destroy.command", "remove them from it, with all that was painted"),
    "studios": ("lambda_launcher.studios.command", "list the studios that run there, and what they cost"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand named in `argv`; return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="visualneurons", description="Watch a photograph become a painting, live.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, summary) in COMMANDS.items():
        subparsers.add_parser(name, help=summary, add_help=False)
    name = parser.parse_args(words[:1]).command

    module, summary = COMMANDS[name]
    command = importlib.import_module(module)  # only the command that was asked for is worth importing
    parser = argparse.ArgumentParser(prog=f"visualneurons {name}", description=summary)
    command.add_arguments(parser)
    code: int = command.run(parser.parse_intermixed_args(words[1:]))
    return code


if __name__ == "__main__":
    sys.exit(main())
