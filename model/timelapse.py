"""A painting's frames as a short film: MP4 (H.264, for every browser and phone), GIF or animated WebP."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from model.errors import Refusal
from model.pictures import Picture, unknown_suffix

SUFFIXES = {".mp4": "mp4", ".gif": "gif", ".webp": "webp"}

HOLD = 1.5
"""Seconds for which the last frame stays."""

_SLOWEST = 2  # frames per second; a film of few frames is short rather than a slide show


class Frames(Protocol):
    """The frames of a film, each of which may be decoded when it is asked for; -1 is the last."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Picture: ...


def encode(frames: Frames, format: str, seconds: float = 8.0) -> bytes:
    """The film's bytes, about `seconds` long with the hold at its end.

    Frames may differ in size, all are scaled to the last one's. They are asked for one at a time, and not all of them
    where there are too many for so short a film: a sequence that decodes its items on demand need never hold them all.
    """
    if format not in _MAKERS:
        known = ", ".join(_MAKERS)
        raise Refusal("format_unknown", f"A timelapse cannot be made as {format!r}.", f"Use one of {known}.")
    if not len(frames):
        raise Refusal("timelapse_empty", "There are 0 frames to make a timelapse of.", "Paint at least one iteration.")
    make, fastest = _MAKERS[format]
    return make(_Film.of(frames, seconds, fastest))


def format_of(path: Path) -> str:
    """The format that a path's suffix asks for."""
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise unknown_suffix(path, SUFFIXES) from None


@dataclass(frozen=True)
class _Film:
    """The frames that are shown, and how fast."""

    frames: Frames
    shown: list[int]
    rate: Fraction
    size: tuple[int, int]

    @classmethod
    def of(cls, frames: Frames, seconds: float, fastest: int) -> _Film:
        moving = max(seconds - HOLD, 0.5)
        count = min(len(frames), max(1, int(moving * fastest)))
        # The last frame is always among the shown: it is the painting.
        shown = [round((number + 1) * len(frames) / count) - 1 for number in range(count)]
        rate = max(Fraction(_SLOWEST), Fraction(count / moving).limit_denominator(100))
        height, width = frames[-1].shape[:2]
        return cls(frames, shown, rate, (width, height))

    def images(self, hold: int = 0) -> Iterator[Image.Image]:
        """The frames in one size; the last one `hold` times more."""
        for index in [*self.shown, *self.shown[-1:] * hold]:
            image = Image.fromarray(self.frames[index])
            yield image if image.size == self.size else image.resize(self.size, Image.Resampling.LANCZOS)


def _mp4(film: _Film) -> bytes:
    import av  # FFmpeg: slow to import, and seldom needed

    width, height = (side // 2 * 2 for side in film.size)  # colours have half the resolution in yuv420p
    # A real file, because FFmpeg opens it a second time to move the index to the front, where browsers want it.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "timelapse.mp4")
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=film.rate, options={"crf": "18", "preset": "fast"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            # Said aloud, or players guess by the size: BT.601 is how FFmpeg converts, 13 is sRGB's curve.
            context = stream.codec_context
            context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 6, 1, 13
            for image in film.images(hold=round(HOLD * film.rate)):
                pixels = np.ascontiguousarray(np.asarray(image)[:height, :width])
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode())
        return path.read_bytes()


def _gif(film: _Film) -> bytes:
    # Each frame has its own palette, from a small copy of it: all its pixels would take four times as long.
    return _animation(
        (image.quantize(palette=image.resize((128, 128)).quantize(256)) for image in film.images()), "GIF", film
    )


def _webp(film: _Film) -> bytes:
    return _animation(film.images(), "WEBP", film)


def _animation(images: Iterator[Image.Image], format: str, film: _Film) -> bytes:
    first = next(images)
    durations = [round(1000 / film.rate)] * (len(film.shown) - 1) + [round(1000 * HOLD)]
    out = io.BytesIO()
    first.save(out, format, save_all=True, append_images=images, duration=durations, loop=0)
    return out.getvalue()


_MAKERS: dict[str, tuple[Callable[[_Film], bytes], int]] = {"mp4": (_mp4, 30), "gif": (_gif, 20), "webp": (_webp, 20)}
"""How each format is made, and how many frames a second it may have."""
