"""A machine that boots slowly and dies without a word: in a file of its own, since its claim takes time to run out."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.rehearsal.lost import another_goes_on
from tests.rehearsal.under_way import under_way

pytestmark = pytest.mark.slow


def test_another_goes_on_from_the_last_checkpoint(chromium: Browser) -> None:
    with under_way(faults=("slow-boot", "kill")) as rehearsal:
        another_goes_on(chromium, rehearsal)
        rehearsal.over()
