"""TensorFlow and JAX paint the same: each in a process of its own, on the same pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ("patches", "vgg19")
OTHER = {"tensorflow": "jax", "jax": "tensorflow"}
PAINT = """
import importlib, json, os, sys
import numpy as np
from model.backend import NAME
from model.recipe import Recipe
from model.style_transfer import StyleTransfer
from tests.model.studies import artwork, photo

folder, *needless = sys.argv[1:]
facts = {"backend": NAME}
recipe = Recipe(size=128, iterations=10, precision="float32", learning_rate=0.003)
for engine in ("patches", "vgg19"):
    painter = StyleTransfer(engine, "random")
    found = list(painter.paint(photo(96, 48), [artwork(seed=1), artwork(seed=2)], recipe))
    half = found[4].checkpoint()
    np.savez(f"{folder}/{engine}.npz", picture=found[-1].pixels, early=found[1].pixels)
    resumed = list(StyleTransfer(engine, "random").resume(half))[-1]
    apart = float(abs(resumed.pixels - found[-1].pixels).max())
    facts[engine] = {"losses": [each.losses for each in found], "apart": apart}
facts["loaded"] = [name for name in needless if name in sys.modules]
print(json.dumps(facts), flush=True)
os.dup2(1, 2)  # what they say when they are loaded is not the painting's
for name in needless:
    importlib.import_module(name)
"""


def paint(backend: str, folder: Path) -> dict[str, Any]:
    """What one backend paints with each engine; then, that it has not loaded what it does not need, but can."""
    folder.mkdir()
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", PAINT, str(folder), "sklearn", OTHER[backend]]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "", "nothing but the painting is heard"
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
    assert (facts["backend"], facts["loaded"]) == (backend, [])
    return facts


@pytest.mark.slow
def test_both_backends_paint_the_same_and_load_only_what_they_need(tmp_path: Path) -> None:
    facts = {backend: paint(backend, tmp_path / backend) for backend in OTHER}
    for engine in ENGINES:
        told = [facts[backend][engine] for backend in OTHER]
        assert all(each["apart"] < 1 / 255 for each in told), f"{engine}: resuming equals never stopping"
        for one, other in zip(*(each["losses"] for each in told), strict=True):
            assert one == pytest.approx(other, rel=0.02), engine
        one, other = (np.load(tmp_path / backend / f"{engine}.npz") for backend in OTHER)
        assert np.quantile(np.abs(one["early"] - other["early"]), 0.99) < 2 / 255, engine
        # Later, one patch or one sign chosen otherwise by rounding grows; the paintings stay the same to the eye.
        assert np.abs(one["picture"] - other["picture"]).mean() < 4 / 255, engine
        assert np.corrcoef(one["picture"].ravel(), other["picture"].ravel())[0, 1] > 0.98, engine


@pytest.mark.parametrize(
    ("backend", "code"), [("torch", "backend_unknown"), ("numpy", "backend_unknown"), ("", "backend_unknown")]
)
def test_another_backend_is_refused_in_a_sentence(backend: str, code: str) -> None:
    program = (
        "from model.errors import Refusal\ntry:\n import model.backend\nexcept Refusal as r: print(r.code, r.hint)"
    )
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == f"{code} Set it to tensorflow or jax."
