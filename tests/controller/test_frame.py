"""Frames: the same facts and the same picture, whichever way they go over the wire."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.frame import KEPT, Cut, finite, message, parted, recut

NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
FACTS = st.dictionaries(st.text(max_size=8), NUMBERS | st.none() | st.text(max_size=8), max_size=5)
CUTS = st.builds(Cut, st.sampled_from(["png", "jpeg", "webp"]))


def told(text: bytes) -> tuple[dict[str, Any], bytes]:
    """What a client of the original protocol reads."""
    read = json.loads(text)
    assert read.keys() == {"state", "data"}
    assert read["state"] == "end_iteration"
    return read["data"], base64.b64decode(read["data"].pop("image"), validate=True)


@given(FACTS, st.binary(max_size=200), CUTS)
def test_text_and_binary_say_the_same(facts: dict[str, Any], image: bytes, cut: Cut) -> None:
    text = message(facts, image, Cut(cut.format, text=True))
    binary = message(facts, image, Cut(cut.format, text=False))
    assert told(text) == parted(binary) == ({**facts, "format": cut.format}, image)


@given(FACTS, st.binary(max_size=200))
def test_a_kept_frame_is_recut_with_its_picture_as_it_is(facts: dict[str, Any], image: bytes) -> None:
    kept = message(facts, image, KEPT)
    assert recut(kept, text=False) == kept
    assert recut(kept, text=True) == message(facts, image, Cut("jpeg", text=True))
    assert told(recut(kept, text=True)) == parted(kept)


def test_a_binary_message_is_length_header_and_image() -> None:
    binary = message({"iteration": 7}, b"\x89PNG", Cut("png", text=False))
    length = int.from_bytes(binary[:4], "big")
    assert json.loads(binary[4 : 4 + length]) == {"state": "end_iteration", "data": {"iteration": 7, "format": "png"}}
    assert binary[4 + length :] == b"\x89PNG"


@given(st.dictionaries(st.sampled_from(["total", "style", "content"]), st.floats()))
def test_losses_become_what_json_knows(losses: dict[str, float]) -> None:
    fit = finite(losses)
    assert json.loads(json.dumps(fit, allow_nan=False)) == fit
    for name, value in losses.items():
        shown = fit[name]
        assert (shown is None) == (not math.isfinite(value))
        assert shown is None or shown == pytest.approx(value, rel=1e-5, abs=5e-324)


def test_what_json_does_not_know_is_never_sent() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        message({"eta": math.inf}, b"", KEPT)
