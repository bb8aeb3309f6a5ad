"""The viewers of one painting: who is ready for a frame, and which frames are worth making.

The newest frame counts and no other: a viewer that is still busy with its last one misses those in between. Only a
viewer that speaks the original protocol is promised each iteration.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from controller.frame import Cut
from controller.messages import Look, Want

WINDOW = 2
"""So many frames may be on their way to a viewer: one that it is reading, one that follows at once."""

QUALITIES = (60, 80, 92)
"""What JPEG and WebP frames may have: less on a slow link, more on a quick one."""

SLOW, QUICK, STEADY = 0.5, 0.1, 8  # seconds for a frame to arrive, and so many quick ones in a row

MOST_UNTAKEN = 32 << 20
"""Bytes on their way to a viewer that is promised each iteration; beyond these it misses some, too."""


class Viewer(Protocol):
    """Somebody who looks on."""

    def tell(self, state: str, data: Mapping[str, Any] | None) -> None:
        """Something other than a frame."""
        ...

    def show(self, iteration: int, message: bytes) -> None:
        """A frame; the viewer says when it has taken it."""
        ...


@dataclass
class Seat:
    """A viewer's place: how it wants its frames, which it has, and which are on their way to it."""

    cut: Cut
    every: bool = False
    shown: int = -1  # the last iteration it was given
    live: bool = True  # not looking back just now
    quick: int = 0  # how many frames in a row have arrived quickly
    flying: deque[int] = field(default_factory=deque)  # bytes of each frame that it has not taken yet

    @property
    def ready(self) -> bool:
        """Whether it may be given another frame."""
        if self.every:
            return sum(self.flying) < MOST_UNTAKEN
        return len(self.flying) < WINDOW


class Audience:
    """All viewers of one painting."""

    def __init__(self) -> None:
        self.seats: dict[Viewer, Seat] = {}
        self._newest = -1  # iteration
        self._made: dict[Cut, tuple[int, bytes]] = {}  # the newest frame made, by cut
        self._asked: set[Cut] = set()

    def taken(self, viewer: Viewer, seconds: float) -> bool:
        """A viewer has taken a frame, so long after it was sent; whether it gets another quality from now on."""
        seat = self.seats.get(viewer)
        if seat is None or not seat.flying:
            return False
        seat.flying.popleft()
        if seat.cut.format == "png":
            return False
        seat.quick = seat.quick + 1 if seconds < QUICK else 0
        grade = QUALITIES.index(seat.cut.quality)
        if seconds > SLOW and grade > 0:
            grade -= 1
        elif seat.quick >= STEADY and grade + 1 < len(QUALITIES):
            grade += 1
        else:
            return False
        seat.quick = 0
        before, seat.cut = seat.cut, replace(seat.cut, quality=QUALITIES[grade])
        if not self._wanted(before):
            self._asked.discard(before)  # an easel makes no frame that nobody wants any longer
        return True

    def look(self) -> Look:
        """What an easel has to know of them."""
        return Look(
            frozenset(seat.cut for seat in self.seats.values()),
            frozenset(seat.cut for seat in self.seats.values() if seat.every),
        )

    def leave(self, viewer: Viewer) -> None:
        """A viewer goes."""
        gone = self.seats.pop(viewer, None)
        if gone and not self._wanted(gone.cut):
            self._made.pop(gone.cut, None)
            self._asked.discard(gone.cut)

    def iterated(self, iteration: int) -> None:
        """An iteration is finished."""
        self._newest = iteration

    def begun(self) -> None:
        """An easel begins with the painting: what another one was asked for will not come."""
        self._asked.clear()

    def rewound(self) -> None:
        """The painting will be painted again from somewhere further back: all that was shown counts no more."""
        self._newest = -1
        self._made.clear()
        self._asked.clear()
        for seat in self.seats.values():
            seat.shown = -1

    def framed(self, cut: Cut, iteration: int, message: bytes) -> None:
        """A frame is made."""
        self._made[cut] = iteration, message
        self._asked.discard(cut)

    def due(self, cut: Cut) -> list[tuple[Viewer, int, bytes]]:
        """Who is to be shown the newest frame of this cut now; it is taken as shown."""
        shown = [(viewer, self._shown(seat)) for viewer, seat in self.seats.items() if seat.cut == cut]
        return [(viewer, *frame) for viewer, frame in shown if frame]

    def due_to(self, viewer: Viewer) -> tuple[int, bytes] | None:
        """The frame that this viewer is to be shown now, if any; it is taken as shown."""
        return self._shown(self.seats[viewer])

    def _shown(self, seat: Seat) -> tuple[int, bytes] | None:
        iteration, message = self._made.get(seat.cut, (-1, b""))
        if not seat.live or not seat.ready or iteration <= seat.shown:
            return None
        if iteration < self._newest and seat.cut in self._asked and not seat.every:
            return None  # a newer one is being made
        seat.shown = iteration
        seat.flying.append(len(message))
        return iteration, message

    def last(self) -> Iterator[tuple[Viewer, int, bytes]]:
        """Who lacks the last frame: there will be no newer one, so it is shown to whoever is ready or not.

        It may have been made before a viewer was given another quality; any is better than none.
        """
        for viewer, seat in self.seats.items():
            alike = (made for cut, made in self._made.items() if replace(cut, quality=seat.cut.quality) == seat.cut)
            iteration, message = max(alike, default=(-1, b""))
            if seat.live and iteration > seat.shown:
                seat.shown = iteration
                seat.flying.append(len(message))
                yield viewer, iteration, message

    def wants(self) -> list[Want]:
        """The frames worth making now; they are taken as asked for."""
        wants, coming = [], self.look().every  # without being asked for
        for seat in self.seats.values():
            made = self._made.get(seat.cut, (-1, b""))[0]
            hungry = seat.live and seat.ready and seat.shown < self._newest and seat.cut not in coming
            if hungry and made < self._newest and seat.cut not in self._asked:
                self._asked.add(seat.cut)
                wants.append(Want(seat.cut, made))
        return wants

    def _wanted(self, cut: Cut) -> bool:
        return any(seat.cut == cut for seat in self.seats.values())
