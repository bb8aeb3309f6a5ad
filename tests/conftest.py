"""What all tests share."""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright

from tests import browser

# TensorFlow's native part writes remarks about the processor to stderr, past every logger.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Who runs the tests in the background may have them ignore Ctrl-C, and their children with them.
signal.signal(signal.SIGINT, signal.default_int_handler)

expect.set_options(timeout=60_000)  # on a busy machine

# The same examples each time: what fails has been changed. `--hypothesis-profile=chance` draws others.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("chance", patient)
settings.register_profile("same", patient, derandomize=True)
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the quick tests first: a mistake should be seen soon. Files are mixed: what computes meets what waits."""
    for item in items:
        if item.get_closest_marker("alone"):
            item.add_marker("slow")

    def place(item: pytest.Item) -> tuple[int, int]:
        slowness = bool(item.get_closest_marker("slow")) + bool(item.get_closest_marker("alone"))
        return slowness, zlib.crc32(item.location[0].encode())

    items.sort(key=place)


@pytest.fixture(scope="session")
def executable() -> str:
    """Where the browser is. It is not to be looked for while one runs: that may need an event loop, too."""
    found = browser.find()
    assert found, f"no browser: {browser.HINT}"
    return found


@pytest.fixture(scope="module")
def chromium(executable: str) -> Iterator[Browser]:
    """A real browser, for one module's tests: as long as it runs, the main thread can have no other event loop."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=browser.FLAGS)
        yield running
        running.close()
