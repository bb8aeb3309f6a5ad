"""Checkpoint files: what goes in comes out, and what a stranger sends does no harm."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.checkpoint import Checkpoint
from model.errors import Refusal
from model.recipe import Recipe

PICTURE = np.arange(20 * 24 * 3, dtype=np.uint8).reshape(20, 24, 3)
CHECKPOINT = Checkpoint(
    recipe=Recipe(engine="patches").changed(2, {"style_weight": 2}),
    iteration=5,
    elapsed=1.5,
    fingerprint="",
    content=PICTURE,
    styles=(PICTURE[:, :16], PICTURE[::-1]),
    state={"picture": np.linspace(0, 1, 6, dtype=np.float32), "field": np.array([[1, -2]], np.int32)},
)
DATA = CHECKPOINT.to_bytes()


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "half.checkpoint"
    path.write_bytes(DATA)
    back = Checkpoint.load(path)
    for name in ("recipe", "iteration", "elapsed", "fingerprint"):
        assert getattr(back, name) == getattr(CHECKPOINT, name)
    np.testing.assert_array_equal(back.content, PICTURE)
    for one, other in zip(back.styles, CHECKPOINT.styles, strict=True):
        np.testing.assert_array_equal(one, other)
    assert back.state.keys() == CHECKPOINT.state.keys()
    for name, value in CHECKPOINT.state.items():
        np.testing.assert_array_equal(back.state[name], value)
        assert back.state[name].dtype == value.dtype


def edited(**facts: Any) -> bytes:
    """The checkpoint with other facts."""
    arrays = dict(np.load(io.BytesIO(DATA)))
    known = json.loads(arrays["facts"].tobytes())
    arrays["facts"] = np.frombuffer(json.dumps(known | facts).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_it_may_be_of_a_further_pass() -> None:
    recipe = CHECKPOINT.recipe.extended(79, 20).to_dict()
    assert Checkpoint.from_bytes(edited(recipe=recipe, iteration=99)).iteration == 99
    with pytest.raises(Refusal, match="iteration 100 of 100"):
        Checkpoint.from_bytes(edited(recipe=recipe, iteration=100))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


class Bomb:
    def __reduce__(self) -> Any:
        return pytest.fail, ("a pickle was loaded",)


def pickled() -> bytes:
    member = io.BytesIO()
    np.lib.format.write_array(member, np.array([Bomb()], object), allow_pickle=True)
    return zipped({"facts.npy": member.getvalue()})


def huge() -> bytes:
    """A small file whose array says that it is large."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (1 << 45,)})
    return zipped({"facts.npy": header.getvalue()})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "checkpoint_unreadable"),
        (b"PK\x03\x04 but no zip", "checkpoint_unreadable"),
        (DATA[:-200], "checkpoint_unreadable"),
        (pickle.dumps(Bomb()), "checkpoint_unreadable"),
        (pickled(), "checkpoint_unreadable"),
        (huge(), "checkpoint_unreadable"),
        (zipped({"facts.npy": b"\0" * 10_000_000}, zipfile.ZIP_DEFLATED), "checkpoint_unreadable"),
        (zipped({"../../facts.npy": b"x"}), "checkpoint_unreadable"),
        (edited(visualneurons=2), "checkpoint_version"),
        (edited(iteration=None), "checkpoint_unreadable"),
        (edited(iteration=-1), "checkpoint_unreadable"),
        (edited(iteration=80), "checkpoint_unreadable"),
        (edited(recipe={"size": 32, "iterations": 6} | {"scales": -1}), "setting_invalid"),
        (edited(elapsed=float("nan")), "checkpoint_unreadable"),
        (edited(recipe={"size": 10**9}), "setting_invalid"),
        (edited(recipe=[]), "recipe_invalid"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_a_sentence(data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        Checkpoint.from_bytes(data)
    assert refused.value.code == code
    assert refused.value.message.endswith(".")
    assert refused.value.hint


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="nowhere") as refused:
        Checkpoint.load(tmp_path / "nowhere")
    assert refused.value.code == "checkpoint_missing"


@given(st.integers(0, len(DATA) - 1), st.binary(min_size=1, max_size=8))
def test_damage_is_refused_or_harmless(at: int, put: bytes) -> None:
    with contextlib.suppress(Refusal):
        assert Checkpoint.from_bytes(DATA[:at] + put + DATA[at + len(put) :]).content.dtype == np.uint8
