"""One picture being painted on the command line: what is told, kept and written meanwhile and in the end."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model import pictures, timelapse
from model.command.commission import Commission, Subject
from model.command.interruption import Interruption
from model.command.progress import Report
from model.errors import Refusal
from model.forecast import Forecast
from model.pictures import Picture
from model.scales import resized

if TYPE_CHECKING:
    from model.style_transfer import Iteration

CHECKPOINT_EVERY = 10.0  # seconds
MOST_FRAMES = 240
LARGEST_FRAME = 1920  # long side; more than a screen's would be a film that phones do not play


class Sitting:
    """Takes the iterations of one painting to its end, or to where it is interrupted."""

    def __init__(
        self,
        commission: Commission,
        subject: Subject,
        size: tuple[int, int],
        forecast: Forecast,
        report: Report,
        interruption: Interruption,
    ) -> None:
        self._commission = commission
        self._subject = subject
        self._size = size
        self._forecast = forecast
        self._report = report
        self._interruption = interruption
        self._frames = Frames()
        self._complete = True  # nothing is missing so far
        self._begun = time.perf_counter()
        self._kept = time.monotonic()  # when there was a checkpoint last

    def paint(self, iterations: Iterable[Iteration]) -> bool:
        """Paint until all is painted or a signal comes; return whether that was all and is written."""
        last = None
        try:
            for last in iterations:
                self._interruption.patient = True
                self._after(last)
                if self._interruption.number is not None:
                    break
        except Exception:
            if last:
                self._interrupted(last)
            raise
        if last is None:
            problem = "The recipe says to stop before the first iteration."
            raise Refusal("nothing_painted", problem, "Use another recipe.")
        if self._interruption.number is not None and last.number + 1 < last.of:
            self._interrupted(last)
        else:
            self._finished(last)
        self._interruption.patient = False
        return self._complete

    def _after(self, iteration: Iteration) -> None:
        """What happens after each iteration."""
        done, commission = iteration.number + 1, self._commission
        # By the clock: what is written meanwhile takes its time, too.
        self._forecast.after(iteration.number, time.perf_counter() - self._begun)
        width, height = iteration.size
        place = {"scale": iteration.scale, "scales": iteration.scales, "width": width, "height": height}
        eta, elapsed = self._forecast.seconds_left, round(iteration.elapsed, 3)
        self._report.iteration(done, iteration.of, iteration.losses, eta, **place, elapsed=elapsed)
        if commission.save_every and done % commission.save_every == 0:
            path = self._subject.numbered(done)
            self._try("iteration", path, lambda: iteration.painting(pictures.format_of(path)))
        every = max(1, -(-iteration.of // MOST_FRAMES))
        if commission.timelapse and (done % every == 0 or done == iteration.of):
            self._frames.append(iteration.picture)
        if commission.checkpoint and time.monotonic() - self._kept > CHECKPOINT_EVERY:
            self._save_checkpoint(commission.checkpoint, iteration)

    def _finished(self, last: Iteration) -> None:
        self._report.rest()
        self._save_painting(last)
        if self._commission.checkpoint:
            self._save_checkpoint(self._commission.checkpoint, last)
        self._save_timelapse(last)
        self._end(last, interrupted=False)

    def _interrupted(self, last: Iteration) -> None:
        self._complete = False
        self._report.rest()
        out = self._subject.out
        checkpoint = self._commission.checkpoint or out.with_name(f"{out.name}.checkpoint")
        kept = self._save_checkpoint(checkpoint, last)
        self._save_painting(last)
        if kept:
            self._report.say(f"To go on: {self._commission.to_go_on(self._subject, checkpoint)}")
        self._save_timelapse(last)
        self._end(last, interrupted=True)

    def _end(self, last: Iteration, interrupted: bool) -> None:
        done, elapsed = last.number + 1, round(last.elapsed, 3)
        facts = {"iterations": done, "of": last.of, "elapsed": elapsed, "interrupted": interrupted}
        self._report.event("end", photo=self._subject.name, **facts)

    # ------------------------------------------------------------ files

    def _save_painting(self, last: Iteration) -> None:
        """Write the painting to its place or, since hours may be in it, to another."""
        out = self._subject.out
        data = last.painting(pictures.format_of(out))
        if not self._try("picture", out, lambda: data):
            elsewhere = self._write_elsewhere(data)
            if not elsewhere:
                return
            out = elsewhere
        height, width = self._size
        painted = f"{last.number + 1} of {last.of} iterations in {last.elapsed:.1f} s"
        self._report.say(f"The painting is in {out}: {width}×{height} px, {painted}.")

    def _write_elsewhere(self, data: bytes) -> Path | None:
        """Write the painting to the current or a temporary folder, under a name that is free."""
        name = self._subject.out.name
        with contextlib.suppress(Refusal):
            if not Path(name).exists():
                return self._write("picture", Path.cwd() / name, data)
        with contextlib.suppress(Refusal, OSError):
            return self._write("picture", Path(tempfile.mkdtemp(prefix="visualneurons-"), name), data)
        return None

    def _save_checkpoint(self, path: Path, iteration: Iteration) -> bool:
        """Write a checkpoint; return whether it is there."""
        self._kept = time.monotonic()
        return self._try("checkpoint", path, lambda: iteration.checkpoint().to_bytes())

    def _save_timelapse(self, last: Iteration) -> None:
        path = self._commission.timelapse
        if path:
            if last.size != self._size[::-1]:  # a film is as large as its last frame
                self._frames.append((resized(last.pixels, *self._size) * 255 + 0.5).astype(np.uint8))
            self._try("timelapse", path, lambda: timelapse.encode(self._frames, timelapse.format_of(path)))

    def _try(self, kind: str, path: Path, make: Callable[[], bytes]) -> bool:
        """Write what the painting can do without; what goes wrong is told."""
        try:
            self._write(kind, path, make())
        except Refusal as refusal:
            self._complete = False
            self._report.refuse(refusal)
            return False
        return True

    def _write(self, kind: str, path: Path, data: bytes) -> Path:
        pictures.save(path, data)
        self._report.event("saved", kind=kind, path=str(path))
        return path


class Frames:
    """The frames of a film, each kept as a JPEG: hundreds of them would not fit into memory as they are."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []

    def append(self, picture: Picture) -> None:
        """Take one more, made smaller if it is very large."""
        small = pictures.fit(picture, LARGEST_FRAME) if max(picture.shape) > LARGEST_FRAME else picture
        self._frames.append(pictures.encode(small, "jpeg", quality=95))

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Picture:
        return pictures.read(self._frames[index])
