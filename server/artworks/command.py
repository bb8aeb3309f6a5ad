"""``visualneurons artworks``: which artworks the page offers."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from server.artworks.collection import Collection
from server.artworks.errors import Declined
from server.artworks.fetch import fetch
from server.site import SITE

USAGE = """\
%(prog)s list
       %(prog)s add FILE|URL --title TITLE [--manner MANNER] [--year YEAR]
       %(prog)s remove NAME"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``artworks`` takes to `parser`."""
    parser.usage = USAGE
    add = parser.add_argument
    add("doing", choices=("list", "add", "remove"), help="what to do")
    add("artwork", metavar="FILE|URL|NAME", nargs="?", help="the picture to add, or the name of the artwork to remove")
    add("--title", help="what it is called")
    add(
        "--manner",
        default="painting",
        help='by whom or how it was made, such as "oil on canvas" (default: %(default)s)',
    )
    add("--year", type=int, default=date.today().year, help="when it was made (default: this year)")
    add("--site", type=Path, default=SITE, metavar="FOLDER", help="the site's folder, if it is not the installed one")


def run(arguments: argparse.Namespace) -> int:
    """Do it; return the exit code."""
    try:
        _do(arguments)
    except Declined as declined:
        print(f"visualneurons artworks: error: {declined}", file=sys.stderr)
        return 2
    return 0


def _do(arguments: argparse.Namespace) -> None:
    collection = Collection(arguments.site)
    if arguments.doing == "list":
        for each in collection.entries():
            name = each["file"].rpartition(".")[0]
            print(f"{name:<24}{each['title']} ({each['manner']}, {each['year']})")
    elif arguments.doing == "remove":
        if not arguments.artwork:
            raise Declined("It takes an artwork's name to remove it.", "See visualneurons artworks list.")
        print(f"{collection.remove(arguments.artwork)['title']} is no longer in the collection.")
    else:
        if not arguments.artwork:
            raise Declined("It takes a picture to add one.", "Give its file, or its address on the web.")
        title = (arguments.title or "").strip()
        if not title:
            raise Declined("The artwork has no title.", "Give it one with --title.")
        entry = collection.add(fetch(arguments.artwork), title, arguments.manner.strip(), arguments.year)
        size = f"{entry['width']}×{entry['height']}"
        print(f"{entry['title']} is in the collection as {entry['file'].removesuffix('.jpg')} ({size}).")
