"""Painting and nothing else, in a process of its own: ``python -m benchmarks.bare ENGINE``.

For each line on stdin, a recipe in JSON, it paints the sample photo and says when each iteration was finished.
"""

from __future__ import annotations

import json
import sys
import time

from benchmarks.studies import ARTWORK, PHOTO
from model.pictures import read
from model.recipe import Recipe
from model.style_transfer import StyleTransfer


def main(engine: str) -> None:
    """Paint until stdin ends."""
    painter = StyleTransfer(engine, "random")
    for line in sys.stdin:
        at = [time.time() for _ in painter.paint(read(PHOTO), [read(ARTWORK)], Recipe(**json.loads(line)))]
        print(json.dumps(at), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
