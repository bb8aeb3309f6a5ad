"""The scribe: an easel's second thread, which makes frames and checkpoints while the next iteration is painted.

It is handed each finished iteration and never keeps the painter waiting. What nobody wants is not made.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller import timeline
from controller.frame import KEPT, Cut, message
from controller.messages import Checkpointed, Framed, Look, Saved, Want
from model import pictures

if TYPE_CHECKING:
    from model.pictures import Picture
    from model.style_transfer import Iteration

BACKLOG = 64
"""So many iterations may wait to be made into frames for those who want every one, or for the gallery."""

CHECKPOINT_STEPS = 25
CHECKPOINT_SECONDS = 8.0


@dataclass(frozen=True)
class Sheet:
    """A finished iteration, and what is said of it."""

    turn: int
    iteration: Iteration
    facts: Mapping[str, Any]

    @property
    def number(self) -> int:
        return self.iteration.number


class Scribe:
    """Makes what is wanted of the iterations, in a thread of its own."""

    def __init__(self, send: Callable[[object], None]) -> None:
        self._send = send
        self._changed = threading.Condition()
        self._look = Look(frozenset(), frozenset())
        self._wants: dict[Cut, int] = {}
        self._newest: Sheet | None = None
        self._backlog: deque[tuple[Sheet, frozenset[Cut]]] = deque(maxlen=BACKLOG)
        self._album: deque[Sheet] = deque(maxlen=BACKLOG)
        self._checkpoint: Sheet | None = None
        self._turn = 0
        self._awaited = False  # the last checkpoint of this turn is on its way to the gallery
        self._safe = (-1, time.monotonic())  # the iteration of the last checkpoint, and when
        self._busy = False
        self._made: tuple[Sheet | None, dict[tuple[str, int], bytes], Picture | None] = (None, {}, None)
        threading.Thread(target=self._work, name="scribe", daemon=True).start()

    # ---------------------------------------------------------------- from the studio

    def look(self, look: Look) -> None:
        """Who looks on has changed."""
        with self._changed:
            self._look = look
            self._wants = {cut: after for cut, after in self._wants.items() if cut in look.cuts}

    def want(self, want: Want) -> None:
        """A frame is wanted as soon as there is a newer one."""
        with self._changed:
            self._wants[want.cut] = want.after
            self._changed.notify_all()

    def kept(self, turn: int) -> None:
        """The last checkpoint of a turn has arrived."""
        with self._changed:
            if turn == self._turn:
                self._awaited = False
                self._changed.notify_all()

    # ---------------------------------------------------------------- from the painter

    def begin(self, turn: int, iteration: int) -> None:
        """A painting begins after this iteration."""
        with self._changed:
            self._turn, self._awaited = turn, False
            self._safe = iteration, time.monotonic()

    def hand(self, sheet: Sheet) -> None:
        """An iteration is finished."""
        number, of = sheet.number, sheet.iteration.of
        with self._changed:
            self._newest = sheet
            if self._look.every:
                self._backlog.append((sheet, self._look.every))
            if timeline.kept(number, of, timeline.FRAMES):
                self._album.append(sheet)
            due = number - self._safe[0] >= CHECKPOINT_STEPS or time.monotonic() - self._safe[1] >= CHECKPOINT_SECONDS
            # One to go back to waits until the last is kept; one that is merely due gives way to a later one.
            is_one = timeline.kept(number, of, timeline.CHECKPOINTS) or (due and not self._awaited)
            if is_one and number + 1 < of:
                self._checkpoint = sheet
                self._safe = number, time.monotonic()
            self._changed.notify_all()

    def end(self, last: Sheet) -> bytes:
        """Make all that is still to be made, and the last frame for all who look on; return that for the gallery."""
        with self._changed:
            self._awaited = False  # one to go back to is not lost because the one before it is still being kept
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._busy and self._next() is None)
            cuts = self._look.cuts - self._look.every
        self._frames(last, cuts)
        return self._message(last, KEPT)

    def forget(self) -> None:
        """The easel is free: make nothing more of what it was at, least of all for those who wait for what comes."""
        with self._changed:
            self._newest = self._checkpoint = None
            self._wants = {}
            self._backlog.clear()
            self._album.clear()

    # ---------------------------------------------------------------- the thread

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._next() is not None)
                task = self._next()
                assert task
                self._busy = True
                work = task()
            work()

    def _next(self) -> Callable[[], Callable[[], None]] | None:
        """What is to be made next: what must not be lost, then for those who wait; calling it takes it off the list."""
        newest = self._newest
        if self._checkpoint and not self._awaited:  # one in many iterations
            return self._next_checkpoint
        if len(self._album) > BACKLOG // 2:  # those who look on might want more without end
            return self._next_kept
        if self._backlog:
            return self._next_for_every
        for cut, after in self._wants.items():
            if newest and newest.number > after:
                return lambda: self._next_wanted(newest, cut)
        return self._next_kept if self._album else None

    def _next_for_every(self) -> Callable[[], None]:
        sheet, cuts = self._backlog.popleft()
        return lambda: self._frames(sheet, cuts)

    def _next_wanted(self, sheet: Sheet, cut: Cut) -> Callable[[], None]:
        del self._wants[cut]
        return lambda: self._frame(sheet, cut)

    def _next_kept(self) -> Callable[[], None]:
        sheet = self._album.popleft()
        return lambda: self._send(Saved(sheet.turn, sheet.number, self._message(sheet, KEPT)))

    def _next_checkpoint(self) -> Callable[[], None]:
        sheet, self._checkpoint, self._awaited = self._checkpoint, None, True
        assert sheet
        return lambda: self._send(Checkpointed(sheet.turn, sheet.number, sheet.iteration.checkpoint().to_bytes()))

    def _frames(self, sheet: Sheet, cuts: Iterable[Cut]) -> None:
        for cut in cuts:
            self._frame(sheet, cut)

    def _frame(self, sheet: Sheet, cut: Cut) -> None:
        begun = time.perf_counter()
        made = self._message(sheet, cut)
        self._send(Framed(sheet.turn, cut, sheet.number, made, time.perf_counter() - begun))

    def _message(self, sheet: Sheet, cut: Cut) -> bytes:
        return message(sheet.facts, self._image(sheet, cut), cut)

    def _image(self, sheet: Sheet, cut: Cut) -> bytes:
        """The encoded picture, made once for text and binary alike."""
        known, made, picture = self._made
        if known is not sheet or picture is None:
            made, picture = {}, sheet.iteration.picture
            self._made = sheet, made, picture
        kind = cut.format, cut.quality
        if kind not in made:
            made[kind] = pictures.encode(picture, cut.format, quality=cut.quality)
        return made[kind]
