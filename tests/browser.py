"""Finds the browser that the page is tested in, or installs it: ``python -m tests.browser``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from playwright.sync_api import sync_playwright

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HINT = "install Chromium or Google Chrome so that it is found on the PATH, then run this again."


def find() -> str | None:
    """Return the path of a browser that starts: one on the PATH, else the one that Playwright downloaded."""
    return next((path for path in candidates() if path and starts(path)), None)


def candidates() -> Iterator[str | None]:
    """Yield where a browser may be, the machine's own first."""
    yield from map(shutil.which, NAMES)
    yield MAC
    yield playwrights_own()


def playwrights_own() -> str:
    """Return where Playwright keeps its own download, whether it is there or not."""
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def starts(path: str) -> bool:
    """Return whether the browser at `path` runs: one that lacks its libraries, or is a mere signpost, does not."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install() -> str | None:
    """Return the path of a browser, after trying to install one if there is none."""
    if path := find():
        return path
    playwright = [sys.executable, "-m", "playwright"]
    subprocess.run([*playwright, "install", "chromium"], check=False)
    if path := find():
        return path
    if shutil.which("apt-get") and os.geteuid() == 0:
        if os.path.exists(playwrights_own()):  # downloaded, but the machine lacks the libraries it needs
            subprocess.run([*playwright, "install-deps", "chromium"], check=False)
        else:
            quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(["apt-get", "update"], check=False)
            subprocess.run(
                ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], env=quietly, check=False
            )
    return find()


def main() -> int:
    """Say which browser the tests will use; return the exit code."""
    path = install()
    if path is None:
        print(f"The tests of the page need a browser: {HINT}", file=sys.stderr)
        return 1
    print(f"The page is tested in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
