"""Viewing: the viewers of all paintings, and the frames that are made for them."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from controller import metrics
from controller.audience import Audience, Seat, Viewer
from controller.frame import Cut, recut
from controller.keeper import Keeper
from controller.messages import Framed
from controller.painting import Painting
from model.errors import Refusal

logger = logging.getLogger(__name__)

SHARE = min(0.5, 0.01 * (os.cpu_count() or 1))
"""Of one processor's time that painting may need: where showing frames would take more, there are fewer of them."""

LOOK_AGAIN = 0.02  # seconds


class Viewing:
    """Who looks at what."""

    def __init__(
        self, keeper: Keeper, send: Callable[[Painting, object], None], greet: Callable[[Viewer, Painting], None]
    ) -> None:
        """`send` says something to the easel that is at a painting; `greet` tells a viewer how it stands with one."""
        self._keeper, self._send, self._greet = keeper, send, greet
        self._audiences: dict[str, Audience] = {}
        self._rest_until: dict[str, float] = {}  # when the next frames may be asked for
        self._resting: set[str] = set()  # paintings whose viewers wait for that
        self._loop = asyncio.get_running_loop()
        self._looking_back: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(len(audience.seats) for audience in self._audiences.values())

    def has(self, id: str) -> bool:
        """Whether anybody looks at this painting."""
        return id in self._audiences

    # ---------------------------------------------------------------- viewers

    def join(self, viewer: Viewer, painting: Painting, cut: Cut, every: bool, since: int | None) -> None:
        """A viewer comes; it sees what was kept from iteration `since` on, if it is given, and then what comes."""
        audience = self._audiences.setdefault(painting.id, Audience())
        untouched = painting.iteration < 0  # nothing to look back on, and not even the first frame to be missed
        seat = audience.seats[viewer] = Seat(cut, every, live=untouched)
        metrics.VIEWERS.inc()
        self._send(painting, audience.look())
        if untouched:
            self._greet(viewer, painting)
            self._want(painting)
        else:
            self._begin_to_look_back(viewer, seat, audience, painting, since)

    def leave(self, viewer: Viewer, painting: Painting) -> None:
        """A viewer goes."""
        audience = self._audiences.get(painting.id)
        if audience and viewer in audience.seats:
            audience.leave(viewer)
            metrics.VIEWERS.dec()
            self._send(painting, audience.look())
            if not audience.seats:
                del self._audiences[painting.id]
                self._rest_until.pop(painting.id, None)

    def taken(self, viewer: Viewer, painting: Painting, seconds: float) -> None:
        """A viewer has taken a frame, so long after it was sent."""
        audience = self._audiences.get(painting.id)
        if audience is None or viewer not in audience.seats:
            return
        if audience.taken(viewer, seconds):
            self._send(painting, audience.look())
        if frame := audience.due_to(viewer):
            self._show(painting, [(viewer, *frame)])
        self._want(painting)

    def advanced(self, painting: Painting) -> None:
        """Another studio has kept more of a painting: show it."""
        audience = self._audiences.get(painting.id, Audience())
        for viewer, seat in audience.seats.items():
            if seat.live:
                seat.live = False
                self._begin_to_look_back(viewer, seat, audience, painting, seat.shown + 1, again=True)

    def tell(self, painting: Painting, state: str, data: Mapping[str, Any] | None) -> None:
        """Tell all viewers; before the end, whoever lacks the last frame is shown it."""
        audience = self._audiences.get(painting.id, Audience())
        if state == "end":
            for viewer, iteration, message in list(audience.last()):
                viewer.show(iteration, message)
            for viewer, seat in audience.seats.items():
                if seat.live and seat.shown < painting.iteration:  # it came when no easel was at the painting any more
                    seat.live = False
                    self._begin_to_look_back(viewer, seat, audience, painting, None)
        for viewer, seat in list(audience.seats.items()):
            if seat.live or state != "end":  # whoever still looks back is told then
                viewer.tell(state, data)
        if state == "error" and painting.state in ("failed", "cancelled"):
            self._forget(painting)

    def _forget(self, painting: Painting) -> None:
        """All is over for those who looked on: what goes on later, or has the same id, is not shown to them."""
        if audience := self._audiences.pop(painting.id, None):
            metrics.VIEWERS.dec(len(audience.seats))
            audience.seats.clear()
            self._rest_until.pop(painting.id, None)

    def _begin_to_look_back(
        self,
        viewer: Viewer,
        seat: Seat,
        audience: Audience,
        painting: Painting,
        since: int | None,
        again: bool = False,
    ) -> None:
        task = self._loop.create_task(self._look_back(viewer, seat, audience, painting, since, again))
        self._looking_back.add(task)
        task.add_done_callback(self._looking_back.discard)

    async def _look_back(
        self, viewer: Viewer, seat: Seat, audience: Audience, painting: Painting, since: int | None, again: bool
    ) -> None:
        """Show a viewer what was kept: from `since` on, or the newest if no easel will show a newer one soon.

        One that does so `again` knows how it stands with another studio's painting.
        """
        try:
            if since is not None:
                await self._show_kept(viewer, seat, audience, painting, since)
            elif painting.state != "painting":
                await self._show_kept(viewer, seat, audience, painting, painting.iteration, or_before=True)
            if painting.state == "finished":  # meanwhile, perhaps
                await self._show_kept(viewer, seat, audience, painting, seat.shown + 1)
        except Refusal as refusal:
            viewer.tell("error", {"code": refusal.code, "message": refusal.message, "hint": refusal.hint})
        except Exception:  # what was kept cannot be shown, but what comes can
            logger.exception("a viewer cannot look back", extra={"facts": {"painting": painting.id}})
            problem = "What was kept of this painting cannot be shown."
            viewer.tell("error", {"code": "server_error", "message": problem, "hint": "Look on: what comes is shown."})
        finally:
            seat.live = True
        if viewer in audience.seats:
            if frame := audience.due_to(viewer):  # nothing is shown after the end
                self._show(painting, [(viewer, *frame)])
            if not again or painting.rests or painting.elsewhere is None:
                self._greet(viewer, painting)
            self._want(painting)

    async def _show_kept(
        self, viewer: Viewer, seat: Seat, audience: Audience, painting: Painting, since: int, or_before: bool = False
    ) -> None:
        """Show the frames that were kept from `since` on; the newest, if there is none and it may be one before."""
        frames = await self._keeper.frames(painting)
        for iteration in [each for each in frames if each >= since] or (frames[-1:] if or_before else []):
            while not seat.ready and viewer in audience.seats:
                await asyncio.sleep(LOOK_AGAIN)
            kept = await self._keeper.frame(painting, iteration)
            if kept is None or iteration > painting.iteration:  # thinned out or rewound meanwhile
                continue
            message = await asyncio.to_thread(recut, kept, seat.cut.text)
            if viewer not in audience.seats:
                return
            seat.shown = iteration
            seat.flying.append(len(message))
            viewer.show(iteration, message)

    # ---------------------------------------------------------------- frames

    def begun(self, painting: Painting) -> None:
        """An easel is about to begin with a painting."""
        audience = self._audiences.get(painting.id, Audience())
        audience.begun()
        self._send(painting, audience.look())

    def rewound(self, painting: Painting) -> None:
        """A painting will be painted again, from somewhere further back."""
        if audience := self._audiences.get(painting.id):
            audience.rewound()

    def iterated(self, painting: Painting) -> None:
        """An iteration is finished."""
        if audience := self._audiences.get(painting.id):
            audience.iterated(painting.iteration)
            self._want(painting)

    def framed(self, painting: Painting, frame: Framed) -> None:
        """A frame is made."""
        if audience := self._audiences.get(painting.id):
            audience.framed(frame.cut, frame.iteration, frame.message)
            self._show(painting, audience.due(frame.cut))
            self._want(painting)

    def _show(self, painting: Painting, frames: Iterable[tuple[Viewer, int, bytes]]) -> None:
        """Show viewers their frames, and let the painting have the processor for a while."""
        begun = time.thread_time()
        for viewer, iteration, message in frames:
            viewer.show(iteration, message)
        cost = time.thread_time() - begun
        until = max(self._rest_until.get(painting.id, 0.0), self._loop.time())
        self._rest_until[painting.id] = until + cost / SHARE

    def _want(self, painting: Painting) -> None:
        """Ask for the frames that are wanted, as soon as it may be."""
        audience = self._audiences.get(painting.id)
        if audience is None or painting.id in self._resting:
            return
        until = self._rest_until.get(painting.id, 0.0)
        if until > self._loop.time():
            self._resting.add(painting.id)
            self._loop.call_at(until, self._rested, painting)
            return
        for want in audience.wants():
            self._send(painting, want)

    def _rested(self, painting: Painting) -> None:
        self._resting.discard(painting.id)
        self._want(painting)
