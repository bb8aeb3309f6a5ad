"""What is told while a picture is painted: sentences and a bar to people, events to programs."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from model.errors import Refusal

TENTHS = 10


class Report:
    """Tells people on stderr, programs on stdout; a bar only where somebody watches a terminal."""

    def __init__(self, json: bool, quiet: bool) -> None:
        self._json = json
        self._quiet = quiet
        self._bar: Any = None
        self._tenth = 0

    def say(self, sentence: str) -> None:
        """A sentence for people."""
        if not self._quiet:
            self._write(sentence)

    def refuse(self, refusal: Refusal, **facts: object) -> None:
        """What went wrong, which is said in any case."""
        self._write(f"visualneurons paint: error: {refusal}")
        self.event("error", code=refusal.code, message=refusal.message, hint=refusal.hint, **facts)

    def event(self, name: str, **facts: object) -> None:
        """A line of JSON for programs."""
        if not self._json:
            return
        try:
            sys.stdout.write(json.dumps({"event": name, **facts}, allow_nan=False) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # Nobody listens any more, which is no reason to lose the painting.
            self._json = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def iteration(self, done: int, of: int, losses: Mapping[str, float], eta: float | None, **facts: object) -> None:
        """An iteration is finished."""
        finite = {name: value if math.isfinite(value) else None for name, value in losses.items()}
        left = None if eta is None else round(eta, 1)
        self.event("iteration", iteration=done - 1, of=of, losses=finite, eta=left, **facts)
        parts = ", ".join(f"{name} {value:.3g}" for name, value in losses.items() if name != "total")
        soon = "" if eta is None or done == of else f"{_duration(eta)} left, "
        self._advance(done, of, f"{soon}{parts}", "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix}")

    def download(self, done: int, total: int) -> None:
        """Weights are coming in."""
        form = "VGG19's weights {percentage:3.0f}%|{bar}| {n_fmt}B/{total_fmt}B {remaining} left"
        self._advance(done, total, f"of {total / 1e6:.0f} MB of VGG19's weights", form, unit_scale=True)

    def rest(self) -> None:
        """The bar is done with."""
        if self._bar is not None:
            self._bar.close()
        self._bar, self._tenth = None, 0

    def _advance(self, done: int, total: int, remark: str, form: str, **more: Any) -> None:
        if self._quiet:
            return
        if sys.stderr.isatty():
            if self._bar is None:
                form = form if total else "{desc}{n_fmt}B"
                # A terminal that does not know its size says 0.
                known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
                more |= {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 24}
                self._bar = tqdm(total=total or None, bar_format=form, file=sys.stderr, **more)
            self._bar.set_postfix_str(remark, refresh=False)
            self._bar.update(done - self._bar.n)
        elif total and done * TENTHS // total > self._tenth:
            self._tenth = done * TENTHS // total
            self.say(f"{100 * done // total:3d} %: {remark}")

    def _write(self, line: str) -> None:
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
