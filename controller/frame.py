"""A frame: one iteration's facts and picture, as they go over the wire and into the gallery."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Format = Literal["png", "jpeg", "webp"]


@dataclass(frozen=True)
class Cut:
    """What a viewer wants its frames to be like. All viewers of one cut share each frame."""

    format: Format = "png"
    quality: int = 80
    text: bool = True  # base64 within JSON, as the original; else one binary message


KEPT = Cut("jpeg", 90, text=False)
"""What the gallery keeps."""


def message(facts: Mapping[str, Any], image: bytes, cut: Cut) -> bytes:
    """The whole message: JSON with the image in base64, or the header's length, the header, the image."""
    header = json.dumps(
        {"state": "end_iteration", "data": {**facts, "format": cut.format}}, separators=(",", ":"), allow_nan=False
    ).encode()
    if cut.text:
        return b"".join((header[:-2], b',"image":"', base64.b64encode(image), b'"}}'))
    return b"".join((len(header).to_bytes(4, "big"), header, image))


def parted(kept: bytes) -> tuple[dict[str, Any], bytes]:
    """Facts and image of a binary message."""
    end = 4 + int.from_bytes(kept[:4], "big")
    return json.loads(kept[4:end])["data"], kept[end:]


def recut(kept: bytes, text: bool) -> bytes:
    """A kept frame as text or binary; its image stays as it is."""
    if not text:
        return kept
    facts, image = parted(kept)
    return message(facts, image, Cut(facts["format"], text=True))


def finite(losses: Mapping[str, float]) -> dict[str, float | None]:
    """Losses fit for JSON, which knows no infinity."""
    return {name: float(f"{value:.6g}") if math.isfinite(value) else None for name, value in losses.items()}
