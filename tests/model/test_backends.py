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
PAINT = """
import json, sys
import numpy as np
from model.backend import NAME
from model.recipe import Recipe
from model.style_transfer import StyleTransfer
from tests.model.studies import artwork, photo

engine, path = sys.argv[1:]
recipe = Recipe(size=128, iterations=10, precision="float32", learning_rate=0.003)
found = list(StyleTransfer(engine, "random").paint(photo(), [artwork(seed=1), artwork(seed=2)], recipe))
half = found[4].checkpoint()
np.savez(path, picture=found[-1].pixels, early=found[1].pixels)
resumed = list(StyleTransfer(engine, "random").resume(half))[-1]
apart = float(abs(resumed.pixels - found[-1].pixels).max())
print(json.dumps({
    "backend": NAME, "losses": [each.losses for each in found], "apart": apart
}))
"""


def paint(backend: str, engine: str, path: Path) -> tuple[dict[str, Any], Any]:
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", PAINT, engine, str(path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "nothing but the painting is heard"
    return json.loads(done.stdout), np.load(path)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["patches", "vgg19"])
def test_both_backends_paint_the_same(engine: str, tmp_path: Path) -> None:
    facts, pictures = {}, {}
    for backend in ("tensorflow", "jax"):
        facts[backend], pictures[backend] = paint(backend, engine, tmp_path / f"{backend}.npz")
        assert facts[backend]["backend"] == backend
        assert facts[backend]["apart"] < 1 / 255, "resuming equals never stopping"
    for one, other in zip(facts["tensorflow"]["losses"], facts["jax"]["losses"], strict=True):
        assert one == pytest.approx(other, rel=0.02)
    one, other = pictures["tensorflow"], pictures["jax"]
    assert np.quantile(np.abs(one["early"] - other["early"]), 0.99) < 2 / 255
    # Later, one patch or one sign chosen otherwise by rounding grows; the paintings stay the same to the eye.
    assert np.abs(one["picture"] - other["picture"]).mean() < 4 / 255
    assert np.corrcoef(one["picture"].ravel(), other["picture"].ravel())[0, 1] > 0.98


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
