"""Running ``visualneurons paint`` as a person would, and what it took."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.studies import ARTWORK, PHOTO, ROOT


@dataclass(frozen=True)
class Cost:
    """What one painting took."""

    seconds: float  # from command to file
    painting: float  # of these, without the start
    peak: float  # MiB of resident memory


def paint(*options: str) -> Cost:
    """Paint the sample photo in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "painting.png"
        words = ["paint", str(PHOTO), str(ARTWORK), "-o", str(out), "--quiet", "--json", *options]
        command = [sys.executable, "-m", "benchmarks.launch", sys.executable, "-m", "visualneurons", *words]
        told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        if not out.exists():
            raise FileNotFoundError(f"visualneurons {' '.join(words)} made no file.")
        *_, end, cost = map(json.loads, told.splitlines())
        return Cost(**cost, painting=end["elapsed"])
