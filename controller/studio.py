"""The studio's mind: which painting is in which state, whose turn it is, on which easel.

Plain data and plain rules: it is told what happened and answers with what is to be done (`Effect`s). It touches neither
sockets nor clocks nor files nor processes. `StyleTransferController` does what it decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.painting import Painting
from controller.states import Move, moved
from model.errors import Refusal
from model.recipe import check_changes

DEATHS = 3
"""So many easels may die over one painting; then it is given up."""

CANCELLED = {
    "code": "painting_cancelled",
    "message": "The painting was cancelled by its owner.",
    "hint": "Start another one.",
}


@dataclass(frozen=True)
class Paint:
    """Let this easel go on with this painting."""

    easel: int
    painting: Painting
    turn: int


@dataclass(frozen=True)
class Rest:
    """Let this easel put its painting aside; with a checkpoint, if it is to be gone on with from there."""

    easel: int
    turn: int
    keep: bool


@dataclass(frozen=True)
class Change:
    """Let this easel change the painting it is at."""

    easel: int
    turn: int
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Note:
    """Keep what is known of this painting."""

    painting: Painting


@dataclass(frozen=True)
class Tell:
    """Tell the viewers of this painting."""

    painting: Painting
    state: str
    data: Mapping[str, Any] | None = None


Effect = Paint | Rest | Change | Note | Tell


@dataclass
class Easel:
    """What the studio knows of an easel."""

    up: bool = False
    painting: Painting | None = None
    turn: int = 0
    begun: bool = False  # it was given all that it needs; until then it knows nothing of its painting
    ending: bool = False  # told to be content with the picture as it is: it will do nothing else any more
    resting: bool = False  # told to put the painting aside


class Studio:
    """All paintings that are waiting, painted or looked at, and the easels."""

    def __init__(self, easels: int, seconds: Callable[[Painting], float | None]) -> None:
        """So many easels, none up yet; `seconds` foretells how long a painting still takes once it is begun."""
        self.easels = [Easel() for _ in range(easels)]
        self.paintings: dict[str, Painting] = {}
        self.leaving = False
        self.expected: Container[str] | None = None  # the only new paintings that are taken; None: any
        self._seconds = seconds
        self._turns = 0
        self._told: dict[str, dict[str, Any]] = {}  # what the viewers of each waiting painting were told last

    # ---------------------------------------------------------------- what easels do

    def easel_up(self, number: int) -> list[Effect]:
        """An easel has loaded its model."""
        self.easels[number].up = True
        return self._dispatch()

    def easel_down(self, number: int, reason: str) -> list[Effect]:
        """An easel has died; over its painting, if it was at one."""
        easel, effects = self.easels[number], list[Effect]()
        painting = easel.painting if easel.painting and easel.painting.elsewhere is None else None
        self.easels[number] = Easel()
        if painting and painting.state == "painting" and not easel.begun:
            self._move(painting, "yield")  # not the painting's fault
            effects.append(Note(painting))
        elif painting and painting.state == "painting":
            painting.deaths += 1
            if painting.deaths < DEATHS:
                self._move(painting, "lose")
                effects += [Note(painting), Tell(painting, "recovering", {"reason": reason})]
            else:
                effects += self.failed(
                    painting,
                    Refusal(
                        "painting_deadly",
                        f"The painting was given up: {DEATHS} times its easel died. The last time: {reason}",
                        "Try a smaller size, or resume it to try again from where it was.",
                    ),
                )
        return [*effects, *self._dispatch()]

    def at(self, number: int, turn: int) -> Painting | None:
        """The painting of this turn at an easel, if what comes of it is still wanted."""
        easel = self.easels[number]
        painting = easel.painting if easel.turn == turn else None
        if painting is None or painting.elsewhere is not None:
            return None
        return painting if painting.since is None and painting.state != "cancelled" else None

    def takes_up(self, painting: Painting, turn: int) -> bool:
        """Whether an easel still waits to begin with this painting: from now on it is at it."""
        for number in self.easels_at(painting):
            if self.easels[number].turn == turn:
                self.easels[number].begun = True
                return True
        return False

    def easels_at(self, painting: Painting) -> list[int]:
        """The easel that is at this painting, if any is."""
        return [number for number, easel in enumerate(self.easels) if easel.painting is painting]

    def takes(self, id: str) -> bool:
        """Whether a painting that is not here yet would be taken."""
        return not self.leaving and (self.expected is None or id in self.expected)

    @property
    def idle(self) -> int:
        """How many easels are at no painting, be it that they are still loading."""
        return sum(easel.painting is None for easel in self.easels)

    @property
    def is_painting(self) -> bool:
        """Whether any easel is at a painting."""
        return any(easel.painting for easel in self.easels)

    def rested(self, number: int, turn: int) -> list[Effect]:
        """An easel has put its painting aside and is free."""
        easel = self.easels[number]
        if easel.turn != turn:
            return []
        self.easels[number] = Easel(up=True)
        return self._dispatch()

    def painted(self, painting: Painting) -> list[Effect]:
        """All that was asked for is painted, and kept."""
        if painting.since is not None or painting.done or painting.elsewhere is not None:
            return []  # rewound, cancelled or lost just then
        if painting.iteration + 1 < painting.of:  # more was asked for just then
            if painting.state == "painting" and not self.easels_at(painting):
                self._move(painting, "yield")
            return [Note(painting), *self._dispatch()]
        self._move(painting, "complete")
        painting.of, painting.progress, painting.eta = painting.iteration + 1, 100.0, 0.0
        painting.before = None
        rest = self._rest(painting, keep=False)  # paused and resumed just then, it was to be begun once more
        return [*rest, Note(painting), Tell(painting, *standing(painting)), *self._dispatch()]

    def failed(self, painting: Painting, refusal: Refusal) -> list[Effect]:
        """The painting cannot be painted; or not any further, and stays as it was."""
        if painting.done or painting.elsewhere is not None:
            return []
        error = {"code": refusal.code, "message": refusal.message, "hint": refusal.hint}
        if painting.before is not None and painting.before == painting.iteration + 1:
            self._move(painting, "complete")
            painting.of, painting.before, painting.progress, painting.eta = painting.before, None, 100.0, 0.0
            painting.deaths = 0
            return [Note(painting), Tell(painting, "error", error), Tell(painting, *standing(painting))]
        self._move(painting, "fail")
        painting.error, painting.eta = error, None
        return [Note(painting), Tell(painting, *standing(painting))]

    # ---------------------------------------------------------------- what people do

    def accept(self, painting: Painting) -> list[Effect]:
        """A painting is in the gallery, and waits."""
        self.paintings[painting.id] = painting
        return self._dispatch()

    def admit(self, painting: Painting) -> None:
        """A painting of the gallery is looked at, or was unfinished and nobody's."""
        if painting.elsewhere is None and painting.state in ("painting", "recovering"):
            painting.state = "queued"
        self.paintings[painting.id] = painting

    def opened(self) -> list[Effect]:
        """What was unfinished is admitted: begin."""
        return self._dispatch()

    def lost(self, painting: Painting) -> list[Effect]:
        """Another studio has it: put it aside, and keep nothing more of it."""
        rest = self._rest(painting, keep=False)
        painting.elsewhere = 0.0
        return [*rest, Tell(painting, "moved"), *self._dispatch()]

    def heard(self, painting: Painting, facts: dict[str, Any] | None) -> list[Effect]:
        """What the gallery says of a painting that another studio has, or had: it may be ours now."""
        if facts is None:
            painting.state, painting.elsewhere = "cancelled", None
            return [Tell(painting, "error", CANCELLED)]
        before, was_elsewhere = painting.state, painting.elsewhere is not None
        painting.refresh(facts)
        if painting.goes_on:
            self.admit(painting)
            return self._dispatch()
        if painting.rests:
            return [] if painting.state == before else [Tell(painting, *standing(painting))]
        return [] if was_elsewhere else [Tell(painting, *standing(painting))]

    def dismiss(self, painting: Painting) -> None:
        """Nobody needs to know of this painting any more; the gallery does."""
        if self.paintings.get(painting.id) is painting:
            del self.paintings[painting.id]

    def pause(self, painting: Painting) -> list[Effect]:
        """Put it aside until it is resumed."""
        self._move(painting, "pause")
        tell = Tell(painting, *standing(painting))
        return [*self._rest(painting, keep=True), Note(painting), tell, *self._dispatch()]

    def resume(self, painting: Painting) -> list[Effect]:
        """Go on with what was paused, or had failed."""
        self._move_on(painting, "resume")
        painting.deaths, painting.error = 0, None
        return [Note(painting), *self._again(painting), *self._dispatch()]

    def finish(self, painting: Painting) -> list[Effect]:
        """Be content with the picture as it is."""
        self._move(painting, "finish")
        painting.of = max(1, painting.iteration + 1)
        return [*self._change(painting, {"stop": True}), Note(painting), *self._again(painting), *self._dispatch()]

    def more(self, painting: Painting, iterations: Any) -> list[Effect]:
        """Paint so many iterations more than were asked for until now."""
        iterations = check_changes({"more": iterations}, total=painting.of)["more"]
        before = painting.of if painting.state == "finished" else painting.before
        self._move_on(painting, "more")
        painting.before = before
        painting.of += iterations
        change = self._change(painting, {"more": iterations})
        return [*change, Note(painting), *self._again(painting), *self._dispatch()]

    def rewind(self, painting: Painting, iteration: int) -> list[Effect]:
        """Go back to the newest checkpoint not after this iteration, and on from there with the settings of now."""
        if iteration > painting.iteration:
            problem = f"The painting is at iteration {painting.iteration}; it cannot be rewound to {iteration}."
            if painting.iteration < 0:
                problem = "Nothing of the painting is painted yet; it cannot be rewound."
            raise Refusal("move_illegal", problem, "Name one that is painted.")
        self._move_on(painting, "rewind")
        painting.iteration = painting.since = iteration
        painting.before = None
        painting.deaths, painting.error, painting.eta = 0, None, None
        return [*self._rest(painting, keep=False), Note(painting), *self._again(painting), *self._dispatch()]

    def steer(self, painting: Painting, changes: Any) -> list[Effect]:
        """Change settings from the next iteration on."""
        checked = check_changes(changes, len(painting.recipe.artworks))
        commands = sorted({"stop", "more"} & checked.keys())
        if commands:
            action = {"stop": "finish"}.get(commands[0], commands[0])
            problem = f"{commands[0]} is no setting that can be steered."
            raise Refusal("change_invalid", problem, f"Send the action {action}.")
        self._move(painting, "steer")
        painting.settings.update(checked)
        return [*self._change(painting, checked), Note(painting)]

    def cancel(self, painting: Painting) -> list[Effect]:
        """Forget it. The gallery does so, too."""
        self._move(painting, "cancel")
        return [*self._rest(painting, keep=False), Tell(painting, "error", CANCELLED), *self._dispatch()]

    def leave(self) -> list[Effect]:
        """The studio closes: put everything aside, and begin nothing."""
        self.leaving = True
        effects: list[Effect] = []
        for painting in self.paintings.values():
            effects += self._rest(painting, keep=True)
        return [*effects, *(Tell(painting, "moved") for painting in self.paintings.values() if not painting.done)]

    # ---------------------------------------------------------------- the queue

    def waiting(self) -> list[Painting]:
        """The paintings that wait for an easel, the next one first."""
        waiting = [each for each in self.paintings.values() if each.waits]
        return sorted(waiting, key=lambda each: (each.order, each.id))

    def forecasts(self) -> dict[str, tuple[float | None, float | None]]:
        """Of each waiting painting: in how many seconds it will begin, and end; None where nothing is known."""
        free: list[float | None] = []
        for easel in self.easels:
            painting = easel.painting if not easel.resting else None
            free.append((painting.eta if painting.eta is not None else self._seconds(painting)) if painting else 0.0)
        forecasts = {}
        for painting in self.waiting():
            number = min(range(len(free)), key=lambda each: _or_never(free[each]))
            begins, takes = free[number], self._seconds(painting)
            ends = None if begins is None or takes is None else begins + takes
            forecasts[painting.id] = begins, ends
            free[number] = ends
        return forecasts

    def queued(self, painting: Painting) -> dict[str, Any]:
        """What is told of a waiting painting."""
        return self._queue()[painting.id]

    def _queue(self) -> dict[str, dict[str, Any]]:
        """What is told of each waiting painting, the next one first."""
        return {
            id: {
                "painting": id,
                "position": position,
                "eta": None if ends is None else round(ends, 1),
                "begins": None if begins is None else round(begins, 1),
            }
            for position, (id, (begins, ends)) in enumerate(self.forecasts().items(), 1)
        }

    def behind(self) -> float:
        """A place behind all others in the queue."""
        return math.nextafter(max((each.order for each in self.paintings.values()), default=0.0), math.inf)

    def _move_on(self, painting: Painting, move: Move) -> None:
        """Make a move after which there is more to paint: what was done with queues up anew."""
        done = painting.done
        self._move(painting, move)
        if done:
            painting.order = self.behind()

    def _dispatch(self) -> list[Effect]:
        effects = list(self._begin())
        told, self._told = self._told, self._queue()
        for id, now in self._told.items():
            if id not in told or told[id]["position"] != now["position"]:
                effects.append(Tell(self.paintings[id], "queued", now))
        return effects

    def _again(self, painting: Painting) -> list[Effect]:
        """Tell those who saw it at rest that it waits, even if its turn comes at once: what they see is over."""
        if painting.state != "queued":
            return []
        self._told[painting.id] = self.queued(painting)
        return [Tell(painting, "queued", self._told[painting.id])]

    def _begin(self) -> Iterator[Effect]:
        if self.leaving:
            return
        free = [number for number, easel in enumerate(self.easels) if easel.up and easel.painting is None]
        at_easels = {easel.painting.id for easel in self.easels if easel.painting}
        ready = [painting for painting in self.waiting() if painting.id not in at_easels]
        for number, painting in zip(free, ready, strict=False):
            self._turns += 1
            self.easels[number] = Easel(up=True, painting=painting, turn=self._turns)
            self._move(painting, "begin")
            painting.eta = None
            yield Note(painting)
            yield Paint(number, painting, self._turns)

    def _working(self, painting: Painting) -> list[tuple[int, Easel]]:
        """The easel that is at this painting and has not been told to rest, if any."""
        return [(number, self.easels[number]) for number in self.easels_at(painting) if not self.easels[number].resting]

    def _change(self, painting: Painting, changes: Mapping[str, Any]) -> list[Effect]:
        effects: list[Effect] = []
        for number, easel in self._working(painting):
            if easel.begun and not easel.ending:  # else it will be told when it begins, or begins anew
                easel.ending = "stop" in changes
                effects.append(Change(number, easel.turn, changes))
        return effects

    def _rest(self, painting: Painting, keep: bool) -> list[Effect]:
        effects: list[Effect] = []
        for number, easel in self._working(painting):
            if easel.begun:
                easel.resting = True
                effects.append(Rest(number, easel.turn, keep))
            else:
                self.easels[number] = Easel(up=True)
        return effects

    def _move(self, painting: Painting, move: Move) -> None:
        if painting.elsewhere is not None:
            raise elsewhere(painting.elsewhere)
        painting.state = moved(painting.state, move)


def standing(painting: Painting) -> tuple[str, Mapping[str, Any] | None]:
    """What is told of a painting that is at rest or another studio's."""
    if painting.state == "finished":
        return "end", painting.ended()
    if painting.state == "failed":
        return "error", painting.error
    if painting.state == "paused":
        return "paused", {"painting": painting.id, "iteration": painting.iteration}
    seconds = math.ceil(painting.elsewhere or 0.0)
    reason = f"Another studio has it. Should that one be gone, it goes on here in at most {seconds} s."
    return "recovering", {"reason": reason, "begins": seconds}


def elsewhere(seconds: float) -> Refusal:
    """Why nothing can be done here with another studio's painting."""
    problem = "Another studio has this painting."
    hint = f"Ask for it there; or here again: should that studio be gone, it goes on here in at most {seconds:.0f} s."
    return Refusal("painting_elsewhere", problem, hint)


def _or_never(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds
