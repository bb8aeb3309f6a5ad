"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import browser

# TensorFlow's native part writes remarks about the processor to stderr, past every logger.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the quick tests first: a mistake should be seen soon."""
    for item in items:
        if item.get_closest_marker("alone"):
            item.add_marker("slow")
    items.sort(key=lambda item: bool(item.get_closest_marker("slow")) + bool(item.get_closest_marker("alone")))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser, for one module's tests: as long as it runs, the main thread can have no other event loop."""
    executable = browser.find()
    assert executable, f"no browser: {browser.HINT}"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=browser.FLAGS)
        yield running
        running.close()
