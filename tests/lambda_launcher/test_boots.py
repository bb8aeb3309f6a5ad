from __future__ import annotations

import pytest

from benchmarks.cloud import EmulatedStore
from lambda_launcher.boots import KEPT, learn, name, remaining
from lambda_launcher.store import transact
from tests.lambda_launcher.test_reaper import READY


@pytest.mark.parametrize(
    ("past", "elapsed", "expected"),
    [
        ([], 0, 150),
        ([], 100, 50),
        ([], 300, 60),
        ([90, 100, 110], 0, 100),
        ([90, 100, 110], 95, 10),  # the median of those that took longer than that
        ([90, 100, 110], 110, 22),
        ([4], 4, 5),
    ],
)
def test_how_long_a_boot_still_takes(past: list[float], elapsed: float, expected: float) -> None:
    assert remaining(past, elapsed, unknown=150) == expected


def test_only_the_last_boots_are_kept() -> None:
    store = EmulatedStore()
    for number in range(KEPT + 5):
        boot = type(READY)(**{**vars(READY), "ready": READY.began + number})
        transact(store, lambda draft, boot=boot: learn(draft, boot))
    assert store.items[name("g6.xlarge", 1)]["seconds"] == [*range(5, KEPT + 5)]


def test_first_boots_and_later_ones_are_kept_apart() -> None:
    assert name("g6.xlarge", 1) != name("g6.xlarge", 2) == name("g6.xlarge", 3)
