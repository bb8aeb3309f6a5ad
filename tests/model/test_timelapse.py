"""Timelapses, opened again with the decoders that players use."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import overload

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model import timelapse
from model.errors import Refusal
from model.pictures import Picture

FORMATS = ["mp4", "gif", "webp"]


def frame(number: int, height: int = 48, width: int = 64) -> Picture:
    """A smooth picture whose colours depend on its number."""
    down, along = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)[None, :]
    channels = np.broadcast_arrays(30 + 180 * along, 200 - 150 * down, np.float64(20 + number * 29 % 200))
    return np.stack(channels, axis=2).astype(np.uint8)


def decoded(data: bytes, format: str) -> tuple[list[Picture], list[float]]:
    """The frames of a film and how many seconds each is shown."""
    if format == "mp4":
        with av.open(io.BytesIO(data), "r") as container:
            shown = list(container.decode(video=0))
            rate = float(container.streams.video[0].average_rate or 0)
            return [np.asarray(each.to_ndarray(format="rgb24"), np.uint8) for each in shown], [1 / rate] * len(shown)
    frames, seconds = [], []
    with Image.open(io.BytesIO(data)) as image:
        for number in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(number)
            image.load()
            frames.append(np.array(image.convert("RGB")))
            seconds.append(image.info["duration"] / 1000)
    return frames, seconds


def mean_difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The mean difference between two pictures of one size."""
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("format", FORMATS)
def test_shows_each_frame_and_holds_the_last(format: str) -> None:
    frames = [frame(number) for number in range(26)]
    shown, seconds = decoded(timelapse.encode(frames, format), format)
    held = round(timelapse.HOLD * 4) if format == "mp4" else 0
    assert len(shown) == 26 + held
    assert sum(seconds) == pytest.approx(8.0, abs=0.3)
    for number, each in enumerate(shown):
        assert mean_difference(each, frames[min(number, 25)]) < 6
    if format != "mp4":
        assert seconds[-1] == timelapse.HOLD


@pytest.mark.parametrize("format", FORMATS)
def test_all_frames_are_scaled_to_the_last_one(format: str) -> None:
    frames = [frame(0, 12, 16), frame(1, 24, 32), frame(2, 48, 64)]
    shown, _ = decoded(timelapse.encode(frames, format), format)
    assert {each.shape for each in shown} == {(48, 64, 3)}
    assert mean_difference(shown[0], frame(0)) < 8
    assert mean_difference(shown[-1], frame(2)) < 6


@pytest.mark.parametrize("format", FORMATS)
def test_a_single_frame_is_a_film_too(format: str) -> None:
    shown, seconds = decoded(timelapse.encode([frame(3)], format), format)
    assert mean_difference(shown[-1], frame(3)) < 6
    if format == "mp4":
        assert sum(seconds) == pytest.approx(2.0)


@pytest.mark.parametrize(("format", "most"), [("mp4", 30), ("gif", 20), ("webp", 20)])
def test_too_many_frames_are_thinned_out(format: str, most: int) -> None:
    frames = [frame(number) for number in range(200)]
    shown, seconds = decoded(timelapse.encode(frames, format, seconds=3.5), format)
    assert len(shown) - (round(timelapse.HOLD * most) if format == "mp4" else 0) == 2 * most
    assert sum(seconds) == pytest.approx(3.5, abs=0.1)
    assert mean_difference(shown[-1], frames[-1]) < 6


class FromDisk(Sequence[Picture]):
    """Frames that are decoded when they are asked for."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.asked: list[int] = []
        for number in range(count):
            Image.fromarray(frame(number)).save(folder / f"{number}.png")

    def __len__(self) -> int:
        return len(list(self.folder.iterdir()))

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Picture]: ...
    def __getitem__(self, index: int | slice) -> Picture | Sequence[Picture]:
        assert isinstance(index, int)
        self.asked.append(index)
        return np.array(Image.open(self.folder / f"{index % len(self)}.png"))


@pytest.mark.parametrize("format", FORMATS)
def test_frames_are_asked_for_one_at_a_time(format: str, tmp_path: Path) -> None:
    frames = FromDisk(tmp_path, 100)
    timelapse.encode(frames, format, seconds=2.5)
    assert len(set(frames.asked)) <= 31
    assert frames.asked[1:] == sorted(frames.asked[1:])


@pytest.mark.parametrize(("height", "width"), [(48, 64), (47, 64), (48, 65), (17, 16), (16, 320)])
def test_an_mp4_plays_in_browsers(height: int, width: int) -> None:
    data = timelapse.encode([frame(number, height, width) for number in range(5)], "mp4", seconds=3)
    assert data[4:8] == b"ftyp"
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.height, stream.width) == (height // 2 * 2, width // 2 * 2)
    shown, _ = decoded(data, "mp4")
    assert mean_difference(shown[-1], frame(4, height, width)[: height // 2 * 2, : width // 2 * 2]) < 6


@pytest.mark.parametrize("color", [(200, 60, 50), (40, 180, 60), (50, 70, 210), (255, 255, 255), (0, 0, 0)])
@pytest.mark.parametrize("format", FORMATS)
def test_colors_stay_what_they_are(format: str, color: tuple[int, int, int]) -> None:
    plain = np.full((48, 64, 3), color, np.uint8)
    shown, _ = decoded(timelapse.encode([frame(0), plain], format), format)
    assert mean_difference(shown[-1], plain) < 3


@pytest.mark.parametrize("format", ["gif", "webp"])
def test_an_animation_repeats(format: str) -> None:
    with Image.open(io.BytesIO(timelapse.encode([frame(0), frame(1)], format))) as image:
        assert image.info["loop"] == 0


def test_no_frames_are_refused() -> None:
    with pytest.raises(Refusal) as caught:
        timelapse.encode([], "gif")
    assert caught.value.code == "timelapse_empty"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(Refusal, match="mp4, gif, webp") as caught:
        timelapse.encode([frame(0)], "avi")
    assert caught.value.code == "format_unknown"
    with pytest.raises(Refusal, match=r"\.mp4, \.gif, \.webp") as caught:
        timelapse.format_of(Path("film.avi"))
    assert caught.value.code == "format_unknown"


def test_the_suffix_decides_the_format() -> None:
    assert [timelapse.format_of(Path(name)) for name in ("a.mp4", "a.GIF", "b/a.webp")] == FORMATS
