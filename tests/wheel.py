"""The wheel of this checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def built(folder: Path) -> Path:
    """Build it in `folder`, from a copy, since building leaves its traces in the folder it builds from."""
    untracked = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "build", "*.egg-info")
    shutil.copytree(ROOT, folder / "source", ignore=untracked)
    subprocess.run([*PIP, "wheel", "--no-deps", "--wheel-dir", folder, folder / "source"], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel
