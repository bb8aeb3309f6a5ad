"""A program that is killed loses nothing that it was told is kept."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gallery import Gallery, opened
from tests.gallery.worker import STEPS, content

ROOT = Path(__file__).parents[2]


def killed(address: str, number: int, seconds: float) -> list[list[str]]:
    """What a worker said, line by line, that was killed so long after it added its first painting."""
    command = [sys.executable, "-m", "tests.gallery.worker", address, str(number)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        said = [worker.stdout.readline()]
        timer = threading.Timer(seconds, worker.kill)
        timer.start()
        said += worker.stdout
        timer.join()
    return [line.split() for line in said if line.endswith("\n")]


def check(gallery: Gallery, painting: str, promised: dict[str, int]) -> int:
    """Hold a painting to what was said of it; return the bytes of its files."""
    facts = gallery.facts(painting)
    kept = {name: gallery.read(painting, name) or b"" for name in gallery.names(painting)}
    if facts is None:
        assert kept == {}
        assert "added" not in promised or "deleting" in promised
        return 0
    assert "deleted" not in promised
    assert facts["step"] >= promised.get("noted", 0)
    assert {kept.pop("photo"), kept.pop("artworks/0")} == {content(0)}
    size = 2 * len(content(0))
    if picture := kept.pop("picture", b""):
        assert picture in [content(step) for step in range(promised.get("written", 1), STEPS + 1)]
        size += len(picture)
    else:
        assert "written" not in promised
    steps = sorted(int(name.removeprefix("frames/")) for name in kept)
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= max(promised.get("written", 0), facts["step"])
    assert all(kept[f"frames/{step}"] == content(step, 100) for step in steps)
    return size + sum(map(len, kept.values()))


@pytest.mark.slow
def test_nothing_that_was_kept_is_lost_by_kills_at_random_moments(address: str) -> None:
    chance = random.Random(3)
    promised: dict[str, dict[str, int]] = {}
    rounds, longest = (4, 1.0) if address.startswith("s3:") else (12, 0.3)
    number = 0
    while number < rounds or len(promised) <= rounds:  # until workers have come to their second paintings, too
        number += 1
        for word, painting, *step in killed(address, number, chance.uniform(0, longest)):
            promised.setdefault(painting, {})[word] = int(step[0]) if step else 0
        gallery = opened(address)
        sizes = {painting: check(gallery, painting, words) for painting, words in promised.items()}
        assert gallery.size() == sum(sizes.values())
        there = [painting for painting in sorted(promised) if gallery.facts(painting) is not None]
        assert [painting for painting, _ in gallery.unfinished()] == there
        gallery.close()
