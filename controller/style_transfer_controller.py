"""The controller: does what the studio decides, with easels, the gallery, the clock and the viewers."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from controller import messages, metrics
from controller.audience import Viewer
from controller.easels import Easels, Onlooker, Setup
from controller.frame import Cut
from controller.keeper import Keeper
from controller.neighbours import Neighbours
from controller.order import Order, Prepared, prepared, recipe_of
from controller.painting import Painting, locked
from controller.studio import Change, Effect, Note, Paint, Rest, Studio, Tell, standing
from controller.viewing import Viewing
from gallery import Gallery
from model.errors import Refusal
from model.forecast import Paces, foretold

logger = logging.getLogger(__name__)

COARSEST = 64
"""Long side of the coarsest scale, as long as no engine has said."""

SWEEP_EVERY = 600.0  # seconds


class Limits(Protocol):
    """What the controller holds visitors to."""

    @property
    def pixels(self) -> float: ...
    @property
    def queue(self) -> int: ...
    @property
    def paintings(self) -> int: ...
    @property
    def disk(self) -> float: ...
    @property
    def age(self) -> float: ...


@dataclass(frozen=True)
class _Arrival:
    """An order that is being accepted or refused."""

    address: str
    settled: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class StyleTransferController:
    """The one that knows all paintings; made within a running event loop."""

    def __init__(self, opening: Callable[[], Gallery], limits: Limits, setup: Setup) -> None:
        """`opening` opens the gallery; it may take a while, and is called in a thread."""
        self._limits = limits
        self._studio = Studio(setup.easels, self._seconds)
        self._easels = Easels(setup, self._heard, self._up, self._down)
        self._keeper = Keeper(opening, self._failing, self._losing)
        self._viewing = Viewing(self._keeper, self._send, self._greet)
        self._neighbours = Neighbours(self._studio, self._keeper, self._viewing, self._do)
        self._paces, self._smallest = Paces(), 0
        self._began = time.time(), time.monotonic()
        self._untold: set[str] = set()  # paintings that have ended, which those who look on are yet to be told
        self._arriving: dict[str, _Arrival] = {}
        self._opened = asyncio.Event()
        self._preparing = asyncio.Semaphore(2)  # pictures that are large take memory: few of them at a time
        self._tasks: list[asyncio.Task[None]] = []

    # ---------------------------------------------------------------- opening and closing

    async def open(self) -> None:
        """Start the easels, and go on with what is unfinished in the gallery."""
        await self._keeper.open()
        await self._neighbours.adopt_all()
        self._easels.open()
        self._opened.set()
        life = self._keeper.life
        neighbours = self._neighbours
        shared = [each(life) for each in (neighbours.mind, neighbours.take_over, neighbours.watch)] if life else []
        self._tasks = [asyncio.create_task(work) for work in (self._easels.mind(), self._sweep(), *shared)]

    async def close(self, within: float) -> None:
        """Put every painting aside with a checkpoint, tell the viewers, and end the easels."""
        until = time.monotonic() + within
        for task in self._tasks:
            task.cancel()
        self._do(self._studio.leave())
        while self._studio.is_painting and time.monotonic() < until:
            await asyncio.sleep(0.02)
        self._easels.close()
        if not await self._keeper.close(max(0.5, until - time.monotonic())):
            logger.error("the gallery is too slow: the last checkpoints count")

    async def _sweep(self) -> None:
        """Let go of what has been kept for long enough."""
        while True:
            try:
                await self._keeper.retain(self._most, self._age, self._studio.paintings)
            except Refusal as refusal:
                logger.error("the gallery cannot be swept", extra={"facts": {"error": str(refusal)}})
            except Exception:  # the next time it may go well
                logger.exception("the gallery could not be swept")
            await asyncio.sleep(SWEEP_EVERY)

    @property
    def _most(self) -> int:
        return int(self._limits.disk * 2**30)

    @property
    def _age(self) -> float:
        """The longest that a painting is kept; a wall clock that jumps ahead makes none older."""
        wall, steady = self._began
        return self._limits.age * 86_400 + max(0.0, time.time() - wall - (time.monotonic() - steady))

    def _turn(self) -> float:
        """A place in the queue behind all others, even where the wall clock has gone back."""
        return max(time.time(), self._studio.behind())

    # ---------------------------------------------------------------- what it says of itself

    def health(self) -> dict[str, Any]:
        """What is told to those who watch whether the studio lives."""
        broken = self._easels.broken
        return {
            "status": "broken" if broken else "leaving" if self._studio.leaving else "ok",
            **({"problem": broken} if broken else {}),
            "easels": self._easels.doing(),
            "queue": len(self._studio.waiting()),
            "viewers": len(self._viewing),
        }

    @property
    def is_loaded(self) -> bool:
        """Whether an easel can paint."""
        return self._easels.loaded is not None

    @property
    def broken(self) -> str:
        """Why no easel can be brought back, if none can."""
        return self._easels.broken

    @property
    def busy(self) -> int:
        """How many paintings are painted here, or wait to be."""
        return sum(each.goes_on for each in self._studio.paintings.values())

    @property
    def here(self) -> frozenset[str]:
        """The ids of the paintings that are painted, wait or are looked at."""
        return frozenset(self._studio.paintings)

    def count(self) -> None:
        """Bring up to date what is counted when somebody asks for it."""
        metrics.QUEUE.set(len(self._studio.waiting()))
        for state, number in self._easels.counted().items():
            metrics.EASELS.labels(state).set(number)

    def listen(self, onlooker: Onlooker) -> None:
        """Tell this one how the model is loading, until it is loaded."""
        self._easels.listen(onlooker)

    def deafen(self, onlooker: Onlooker) -> None:
        """Tell this one no more."""
        self._easels.deafen(onlooker)

    def describe(self, painting: Painting) -> dict[str, Any]:
        """What is told of a painting to those who ask for it."""
        facts = painting.described()
        if painting.state == "finished" and painting.id in self._untold:
            facts["state"] = "painting"  # whoever is told that it is finished finds it so after any accident
        if painting.waits and painting.id in self._studio.paintings:
            facts |= self._studio.queued(painting)
        return facts

    # ---------------------------------------------------------------- orders

    def close_to_all_but(self, expected: Container[str]) -> None:
        """Take no new paintings any more but these."""
        self._studio.expected = expected

    async def request(self, order: Order) -> tuple[Painting, str]:
        """Accept an order; returns the painting, which is in the gallery by then, and its owner's key.

        An order whose id is known already is not painted again: it is the painting of that id, and the key is empty
        unless the order has the right one.
        """
        id = order.painting or secrets.token_urlsafe(12)
        while id in self._arriving:
            await asyncio.wait([self._arriving[id].settled])
        self._arriving[id] = arriving = _Arrival(order.address)
        try:
            painting = await self._known(id)
            if painting is None:
                self._check_room(order)
                async with self._preparing:
                    ready = await asyncio.to_thread(prepared, order, self._limits.pixels * 1e6)
                key = order.key or secrets.token_urlsafe(24)
                painting = await self._accept(id, order, ready, key)
                if painting:
                    return painting, key
                painting = self._there(id, await self._known(id))  # another studio with this gallery was quicker
            if painting.state == "cancelled":
                raise Refusal("painting_cancelled", "The painting was cancelled by its owner.", "Start another one.")
            return painting, order.key if painting.opens(order.key) else ""
        finally:
            del self._arriving[id]
            arriving.settled.set_result(None)

    async def _accept(self, id: str, order: Order, ready: Prepared, key: str) -> Painting | None:
        of, size = ready.recipe.iterations, (ready.width, ready.height)
        painting = Painting(id, ready.recipe, locked(key), *size, of, order=self._turn(), address=order.address)
        await self._keeper.make_room(sum(map(len, ready.files.values())), self._most, self._age, self._studio.paintings)
        if not await self._keeper.add(painting, ready.files):
            return None
        logger.info("painting accepted", extra={"facts": {"painting": id, "iterations": of, "size": ready.recipe.size}})
        metrics.PAINTINGS.labels("accepted").inc()
        self._do(self._studio.accept(painting))
        return painting

    def _check_room(self, order: Order) -> None:
        """Refuse an order that could not be painted, before anything is done for it."""
        recipe = recipe_of(order)
        self._check_open(self._studio.takes(order.painting))
        if broken := self._easels.broken:
            raise Refusal("studio_broken", f"This studio cannot paint: {broken}", "Tell whoever runs it.")
        loaded = self._easels.loaded
        if loaded and recipe.engine not in ("auto", loaded["engine"]):
            problem = f"This studio paints with {loaded['engine']}, not with {recipe.engine}."
            raise Refusal("engine_unavailable", problem, "Set engine to auto, or leave it out.")
        waiting = len(self._studio.waiting()) + len(self._arriving) - 1
        if waiting >= self._limits.queue + self._studio.idle:
            problem = f"{waiting} paintings wait already; more are not taken."
            raise Refusal("queue_full", problem, "Try again in a few minutes.")
        addresses = [each.address for each in self._studio.paintings.values() if not each.done]
        unfinished = [*addresses, *(each.address for each in self._arriving.values())].count(order.address) - 1
        if unfinished >= self._limits.paintings:
            problem = f"{unfinished} paintings of yours are unfinished; {self._limits.paintings} may be."
            raise Refusal("paintings_many", problem, "Wait for one to finish, or cancel one.")

    def _check_open(self, takes: bool = True) -> None:
        """Refuse what this studio will not come to."""
        if self._studio.leaving or not takes:
            problem = "This studio is closing."
            raise Refusal("studio_leaving", problem, "Ask again in a minute; another one may take it.")

    async def find(self, id: str) -> Painting:
        """The painting of this id, or a refusal."""
        while id in self._arriving:
            await asyncio.wait([self._arriving[id].settled])
        painting = self._there(id, await self._known(id))
        if painting.state == "cancelled":
            return self._there(id, None)
        return painting

    @staticmethod
    def _there(id: str, painting: Painting | None) -> Painting:
        if painting is None:
            problem = f"There is no painting {id!r}: it was never here, or its time was over."
            raise Refusal("painting_unknown", problem, "Check its address, or paint it again.")
        return painting

    async def _known(self, id: str) -> Painting | None:
        """The painting of this id, None if there is none; if it waits and is no studio's, it is ours from now on."""
        await self._opened.wait()
        if id not in self._studio.paintings:
            facts = await self._keeper.facts(id)
            if facts is not None and id not in self._studio.paintings:  # nobody else has found it meanwhile
                painting = Painting.from_facts(id, facts)
                if painting.goes_on:
                    self._check_open()
                    return await self._neighbours.adopt(id)
                await self._keeper.find_works(painting)
                return painting
        return self._studio.paintings.get(id)

    async def picture(self, painting: Painting) -> tuple[bytes, str]:
        """The painting, or its newest frame; and its format."""
        return await self._keeper.picture(painting)

    async def timelapse(self, painting: Painting, format: str) -> bytes:
        """A film of the painting."""
        return await self._keeper.timelapse(painting, format)

    # ---------------------------------------------------------------- viewers

    def watch(
        self, viewer: Viewer, painting: Painting, cut: Cut, every: bool = False, since: int | None = None
    ) -> Painting:
        """Let a viewer look on: at what was kept from iteration `since` on, if it is given, and then at what comes."""
        painting = self._admitted(painting)
        self._viewing.join(viewer, painting, cut, every, since)
        return painting

    def leave(self, viewer: Viewer, painting: Painting) -> None:
        """A viewer goes."""
        self._viewing.leave(viewer, painting)
        self._let_go_later(painting)

    def taken(self, viewer: Viewer, painting: Painting, seconds: float) -> None:
        """A viewer has taken a frame, so long after it was sent."""
        self._viewing.taken(viewer, painting, seconds)

    def _greet(self, viewer: Viewer, painting: Painting) -> None:
        """Tell a viewer how it stands with a painting, if it is not just being painted."""
        match painting.state:
            case "queued" | "recovering" if painting.waits:
                viewer.tell("queued", self._studio.queued(painting))
            case "queued" | "painting" | "recovering" if painting.elsewhere is not None:
                viewer.tell(*standing(painting))
            case "paused" | "finished" | "failed" if painting.id not in self._untold:
                viewer.tell(*standing(painting))

    # ---------------------------------------------------------------- owners

    def own(self, painting: Painting, key: str) -> None:
        """Refuse whoever has not the owner's key."""
        if not painting.opens(key):
            problem = "Only its owner may do this with a painting: the key is missing or wrong."
            raise Refusal("key_wrong", problem, "Send the key that came with it.")

    async def pause(self, painting: Painting) -> None:
        """Put it aside until it is resumed."""
        await self._move(painting, self._studio.pause)

    async def resume(self, painting: Painting) -> None:
        """Go on with what was paused, or had failed."""
        await self._move(painting, self._studio.resume)

    async def finish(self, painting: Painting) -> None:
        """Be content with the picture as it is."""
        await self._move(painting, self._studio.finish)

    async def more(self, painting: Painting, iterations: Any) -> None:
        """Paint so many iterations more."""
        await self._move(painting, lambda painting: self._studio.more(painting, iterations))

    async def rewind(self, painting: Painting, iteration: int) -> None:
        """Go back to the newest checkpoint not after this iteration, and on from there with the settings of now."""

        def rewind(painting: Painting) -> list[Effect]:
            effects = self._studio.rewind(painting, iteration)
            self._viewing.rewound(painting)
            return effects

        await self._move(painting, rewind)

    async def steer(self, painting: Painting, changes: Any) -> None:
        """Change settings from the next iteration on."""
        await self._move(painting, lambda painting: self._studio.steer(painting, changes))

    async def cancel(self, painting: Painting) -> None:
        """Forget it, here and in the gallery."""
        painting = await self._move(painting, self._studio.cancel)
        try:
            await self._keeper.delete(painting)
        finally:
            self._studio.dismiss(painting)

    async def _move(self, painting: Painting, move: Callable[[Painting], list[Effect]]) -> Painting:
        """Make a move; with what is at rest, and so is no studio's, once it is ours."""
        painting = self._studio.paintings.get(painting.id, painting)
        if not painting.rests:
            self._do(move(painting))
            return painting
        async with self._keeper.inside(painting.id):
            painting = self._admitted(painting)  # it may have been let go meanwhile
            try:
                if painting.rests:
                    await self._neighbours.take(painting)
                self._do(move(painting))
            finally:
                self._let_go_later(painting)
        return painting

    def _admitted(self, painting: Painting) -> Painting:
        if painting.id not in self._studio.paintings:
            self._studio.admit(painting)
        return self._studio.paintings[painting.id]

    def _let_go_later(self, painting: Painting) -> None:
        """Let go of a painting once all is kept of it, if nothing is done with it by then."""

        async def let_go() -> None:
            await self._let_go(painting)

        self._keeper.then(painting.id, let_go)

    async def _let_go(self, painting: Painting) -> None:
        """Let go of what is at rest; and forget what nobody looks at, too: the gallery has it."""
        id = painting.id
        is_here = self._studio.paintings.get(id, painting) is painting and painting.state != "cancelled"
        if not is_here or self._studio.easels_at(painting) or not self._keeper.is_last(id):
            return  # what is done after this will come here, too
        if painting.rests or self._studio.leaving:
            await self._keeper.release(id)
        if not painting.goes_on and not self._viewing.has(id):
            self._studio.dismiss(painting)

    # ---------------------------------------------------------------- doing what was decided

    def _do(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Paint():
                    self._begin(effect)
                case Rest(number, turn, keep):
                    self._easels.send(number, messages.PutAside(turn, keep))
                case Change(number, turn, changes):
                    self._easels.send(number, messages.Alter(turn, changes))
                case Note(painting):
                    self._keeper.note(painting)
                case Tell(painting, state, data):
                    self._tell(painting, state, data)

    def _begin(self, effect: Paint) -> None:
        """Let an easel have all it needs to go on with a painting, once what is being kept of it is kept."""
        painting, number, turn = effect.painting, effect.easel, effect.turn

        async def give() -> None:
            material = await self._keeper.material(painting)
            if not self._studio.takes_up(painting, turn):
                return
            if material is None:
                problem = "The gallery has lost the photo or an artwork of this painting."
                refusal = Refusal("gallery_unavailable", problem, "Paint it again.")
                self._do([*self._studio.failed(painting, refusal), *self._studio.rested(number, turn)])
                return
            photo, artworks, checkpoint = material.photo, material.artworks, material.checkpoint
            self._viewing.begun(painting)
            recipe, settings, of = painting.recipe, dict(painting.settings), painting.of
            size = painting.width, painting.height
            begin = messages.Begin(turn, photo, artworks, recipe, checkpoint, settings, of, *size, self._paces)
            self._easels.send(number, begin)

        self._keeper.then(painting.id, give)

    def _tell(self, painting: Painting, state: str, data: Mapping[str, Any] | None) -> None:
        """Tell the viewers, once what it is about is kept."""
        is_ours = painting.elsewhere is None
        ends = state == "end" or (state == "error" and painting.state != "finished")
        if ends:
            self._untold.add(painting.id)
        if ends and painting.id in self._keeper.held:
            metrics.PAINTINGS.labels(painting.state).inc()
        if state == "end":
            logger.info("painting finished", extra={"facts": painting.ended()})
        elif data and state in ("recovering", "error"):
            logger.warning(f"painting {painting.state}", extra={"facts": {"painting": painting.id, **data}})

        async def tell() -> None:
            try:
                await self._keeper.find_works(painting)
            finally:
                if ends:
                    self._untold.discard(painting.id)
            if state == "moved" or is_ours == (painting.elsewhere is None):  # else it was lost before this was kept
                self._viewing.tell(painting, state, data)
            await self._let_go(painting)

        self._keeper.then(painting.id, tell)

    def _failing(self, id: str, refusal: Refusal) -> None:
        """The gallery cannot keep what a painting cannot do without: its viewers wait, and should know for what."""
        if painting := self._studio.paintings.get(id):
            data = {"code": refusal.code, "message": refusal.message, "hint": refusal.hint}
            self._viewing.tell(painting, "error", data)

    def _losing(self, id: str) -> None:
        """Another studio has taken a painting."""
        self._neighbours.lost(id)

    # ---------------------------------------------------------------- what the easels say

    def _up(self, number: int, loaded: messages.Loaded) -> None:
        self._smallest, self._paces = loaded.smallest, self._paces.learnt(loaded.seen)
        self._do(self._studio.easel_up(number))

    def _down(self, number: int, reason: str) -> None:
        painting = self._studio.easels[number].painting
        self._do(self._studio.easel_down(number, reason))
        if painting:
            self._let_go_later(painting)

    def _heard(self, number: int, message: Any) -> None:
        painting = self._studio.at(number, message.turn)
        match message:
            case messages.Iterated() if painting:
                metrics.STEPS.inc()
                if (seconds := message.facts["elapsed"] - painting.elapsed) >= 0:  # and not gone back
                    metrics.STEP.observe(seconds)
                painting.iterated(message.facts)
                self._viewing.iterated(painting)
            case messages.Framed():
                metrics.FRAMES.labels(message.cut.format).inc()
                metrics.ENCODE.labels(message.cut.format).observe(message.seconds)
                if painting:
                    self._viewing.framed(painting, message)
            case messages.Saved() if painting:
                self._keeper.save(painting, message)
            case messages.Checkpointed() if painting:
                kept = messages.Kept(message.turn)
                self._keeper.checkpoint(painting, message, lambda: self._easels.send(number, kept))
            case messages.Rested():
                self._rested(number, message, painting)

    def _rested(self, number: int, message: messages.Rested, painting: Painting | None) -> None:
        self._paces = self._paces.learnt(message.seen)
        at, effects = self._studio.easels[number].painting, list[Effect]()
        if painting and message.refusal:
            effects += self._studio.failed(painting, Refusal(*message.refusal))
        elif painting and message.checkpoint is not None:
            painting.iteration = message.iteration
            complete = message.picture is not None

            def kept() -> None:
                self._do(self._studio.painted(painting) if complete else [Note(painting)])
                self._let_go_later(painting)

            self._keeper.rest(painting, message, kept)
        self._do([*effects, *self._studio.rested(number, message.turn)])
        if at:
            self._let_go_later(at)

    def _send(self, painting: Painting, message: object) -> None:
        """Say something to the easel that is at this painting, if any is."""
        for number in self._studio.easels_at(painting):
            self._easels.send(number, message)

    def _seconds(self, painting: Painting) -> float | None:
        """How long a painting will still take once it is begun."""
        height, width, recipe = painting.height, painting.width, painting.recipe
        smallest, done = self._smallest or COARSEST, painting.iteration + 1
        return foretold(height, width, recipe.iterations, recipe.scales, smallest, painting.of, done, self._paces)
