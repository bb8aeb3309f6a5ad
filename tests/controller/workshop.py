"""A workshop: the studio's mind, and a little model of what easels and the gallery do with what it decides.

Nothing happens by itself: a test says who goes on, so that it can try every order of events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from controller.painting import Painting
from controller.studio import Change, Effect, Paint, Rest, Studio, Tell
from model.errors import Refusal
from model.recipe import Recipe, Source

CHECKPOINT_EVERY = 3
RECIPE = Recipe(engine="patches", size=64, artworks=(Source("artwork", "1"),))


def painting(name: str = "a", of: int = 4, order: float = 0.0) -> Painting:
    return Painting(name, RECIPE, "lock", 64, 48, of, order)


@dataclass
class Work:
    """What an easel is at."""

    turn: int
    iteration: int
    end: int
    settings: dict[str, Any]


@dataclass(frozen=True)
class Iterated:
    turn: int
    iteration: int
    of: int


@dataclass(frozen=True)
class Checkpointed:
    turn: int
    iteration: int


@dataclass(frozen=True)
class Rested:
    turn: int
    iteration: int = -1
    kept: bool = False  # with a checkpoint
    complete: bool = False  # with the picture
    refusal: Refusal | None = None


@dataclass
class Desk:
    """An easel's process, and its pipe."""

    begun: deque[Work] = field(default_factory=deque)
    told: deque[Rest | Change] = field(default_factory=deque)
    says: deque[Iterated | Checkpointed | Rested] = field(default_factory=deque)
    work: Work | None = None


class Workshop:
    """The studio, and all around it."""

    def __init__(self, easels: int = 1) -> None:
        self.studio = Studio(easels, lambda painting: float(painting.of - painting.iteration - 1))
        self.desks: list[Desk | None] = [None] * easels
        self.lanes: dict[str, deque[Callable[[], None]]] = {}
        self.checkpoints: dict[str, set[int]] = {}
        self.begins: list[str] = []
        self.told: dict[str, list[tuple[str, Mapping[str, Any] | None]]] = {}

    # ---------------------------------------------------------------- what the studio decides

    def do(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Paint(number, of, turn):
                    assert self.desks[number], "an easel that is down is given nothing"
                    self.begins.append(of.id)
                    self.lanes[of.id].append(partial(self._read, of, number, turn))
                case Rest(number) | Change(number):
                    desk = self.desks[number]
                    assert desk
                    desk.told.append(effect)
                case Tell(of, state, data):
                    self.told[of.id].append((state, data))

    def accept(self, new: Painting) -> Painting:
        self._know(new)
        self.do(self.studio.accept(new))
        return new

    def admit(self, known: Painting, *checkpoints: int) -> None:
        """Let the studio have a painting that is in the gallery, with these checkpoints."""
        self._know(known)
        self.checkpoints[known.id] |= set(checkpoints)
        self.studio.admit(known)

    def _know(self, of: Painting) -> None:
        self.lanes[of.id], self.checkpoints[of.id], self.told[of.id] = deque(), set(), []

    # ---------------------------------------------------------------- the gallery

    def keep(self, id: str) -> None:
        """Do what is next in a painting's lane."""
        self.lanes[id].popleft()()

    def _read(self, of: Painting, number: int, turn: int) -> None:
        since = of.since
        chosen = max((each for each in self.checkpoints[of.id] if since is None or each <= since), default=-1)
        if since is not None:
            self.checkpoints[of.id] &= set(range(chosen + 1))
            of.since, of.iteration = None, chosen
        self.lanes[of.id].appendleft(partial(self._give, of, number, turn, chosen))

    def _give(self, of: Painting, number: int, turn: int, checkpoint: int) -> None:
        if self.studio.takes_up(of, turn):
            desk = self.desks[number]
            assert desk, "an easel that is down is at nothing"
            desk.begun.append(Work(turn, checkpoint, of.of, dict(of.settings)))

    # ---------------------------------------------------------------- the easels

    def up(self, number: int) -> None:
        self.desks[number] = Desk()
        self.do(self.studio.easel_up(number))

    def down(self, number: int) -> None:
        self.desks[number] = None
        self.do(self.studio.easel_down(number, "The easel was ended by SIGKILL."))

    def step(self, number: int) -> None:
        """Let an easel begin with what it was given, or finish an iteration."""
        desk = self.desks[number]
        assert desk
        if desk.work is None:
            work = desk.work = desk.begun.popleft()
        else:
            work = desk.work
            work.iteration += 1
            desk.says.append(Iterated(work.turn, work.iteration, work.end))
            if work.iteration % CHECKPOINT_EVERY == 0:
                desk.says.append(Checkpointed(work.turn, work.iteration))
            aside = self._obey(desk, work)
            if aside:
                desk.says.append(Rested(work.turn, work.iteration, aside.keep))
                desk.work = None
                return
        if work.iteration + 1 >= work.end:
            desk.says.append(Rested(work.turn, work.iteration, kept=True, complete=True))
            desk.work = None

    def refuse(self, number: int) -> None:
        """Let an easel find that it cannot paint what it was given."""
        desk = self.desks[number]
        assert desk
        refusal = Refusal("checkpoint_unfit", "It cannot be painted.", "Paint something else.")
        desk.says.append(Rested(desk.begun.popleft().turn, refusal=refusal))

    @staticmethod
    def _obey(desk: Desk, work: Work) -> Rest | None:
        stopped = False
        while desk.told:
            told = desk.told.popleft()
            if told.turn != work.turn:
                continue
            if isinstance(told, Rest):
                return told
            assert not stopped, "what was told to stop is not told of changes any more"
            changes = dict(told.changes)
            stopped = changes.pop("stop", False)
            work.end = work.iteration + 1 if stopped else work.end + changes.pop("more", 0)
            work.settings |= changes
        return None

    def hear(self, number: int) -> None:
        """Let the studio hear what an easel has said."""
        desk = self.desks[number]
        assert desk
        said = desk.says.popleft()
        of = self.studio.at(number, said.turn)
        match said:
            case Iterated(iteration=iteration) if of:
                seconds = {"elapsed": 0.5 * (iteration + 1), "eta": 0.5 * (said.of - iteration - 1)}
                progress = (iteration + 1) / said.of
                of.iterated({"iteration": iteration, "of": said.of, "losses": {}, "progress": progress, **seconds})
            case Checkpointed(iteration=iteration) if of:
                self.lanes[of.id].append(partial(self.checkpoints[of.id].add, iteration))
            case Rested():
                effects: list[Effect] = []
                if of and said.refusal:
                    effects = self.studio.failed(of, said.refusal)
                elif of and said.kept:
                    of.iteration = said.iteration
                    self.lanes[of.id].append(partial(self._kept, of, said))
                self.do([*effects, *self.studio.rested(number, said.turn)])

    def _kept(self, of: Painting, said: Rested) -> None:
        self.checkpoints[of.id].add(said.iteration)
        if said.complete:
            self.do(self.studio.painted(of))

    # ---------------------------------------------------------------- as it goes

    def events(self) -> list[Callable[[], None]]:
        """All that could happen of itself now; what others wait for comes last."""
        busy = {number: desk.work for number, desk in enumerate(self.desks) if desk and (desk.work or desk.begun)}
        ahead = sorted(busy, key=lambda number: -(work.iteration if (work := busy[number]) else -1))
        events: list[Callable[[], None]] = [partial(self.step, number) for number in ahead]
        for number, desk in enumerate(self.desks):
            if desk is None:
                events.append(partial(self.up, number))
            elif desk.says:
                events.append(partial(self.hear, number))
        return [*events, *(partial(self.keep, id) for id, lane in self.lanes.items() if lane)]

    def go_on(self, until: Callable[[], bool] = lambda: False) -> None:
        """Let all happen that happens of itself, or until something has."""
        for _ in range(10_000):
            events = self.events()
            if until() or not events:
                return
            events[-1]()
        raise AssertionError("it never comes to rest")

    def states(self, of: Painting) -> list[str]:
        """What the viewers of a painting were told."""
        return [state for state, _ in self.told[of.id]]
