"""Ctrl-C and SIGTERM: noted while there is a picture to keep, obeyed at once while there is none."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_NOTED = b"\nStopping after this iteration (Ctrl-C again ends at once).\n"


class Interrupted(BaseException):
    """The wish to end. Not an Exception: nothing on the way out should take it for a failure."""


class Interruption:
    """Within this context, the first signal is handled here; the second does what it always does."""

    def __init__(self, quiet: bool) -> None:
        self.number: int | None = None  # of the signal that came
        self.patient = False  # whether somebody looks at `number` from time to time
        self._quiet = quiet

    @property
    def code(self) -> int:
        """The exit code of a program ended by the signal, as shells have it."""
        return 128 + (self.number or 0)

    def __enter__(self) -> Interruption:
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        if not self.patient:
            raise Interrupted
        if not self._quiet:
            os.write(2, _NOTED)  # not print: it may have been interrupted in the middle
