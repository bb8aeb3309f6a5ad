"""The keeper: what goes from the studio into the gallery and back, for each painting in the order it was asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from controller import timeline
from controller.films import FORMATS, Films, film_name
from controller.frame import KEPT, parted
from controller.lanes import Lanes
from controller.messages import Checkpointed, Rested, Saved
from controller.painting import Painting
from controller.studio import elsewhere
from gallery import Full, Gallery, Gone, Taken, Unavailable
from model.errors import Refusal

logger = logging.getLogger(__name__)

RETRY_EVERY = 2.0  # seconds
PILED_UP = 1.0  # seconds that a frame has waited to be kept

WORKS = {"picture": "picture", "timelapse": film_name("mp4")}
"""What comes of a painting, and the gallery's names for it."""


@dataclass(frozen=True)
class Material:
    """What an easel needs to go on with a painting."""

    photo: bytes
    artworks: tuple[bytes, ...]
    checkpoint: bytes | None


class Keeper:
    """Waits on the gallery, so that nobody else has to.

    What a painting cannot do without is tried until it succeeds, and what comes after it in the painting's lane waits:
    nobody is told of a thing before it is kept. What it can do without is tried once. Neither is tried for a painting
    that is not, or no more, this studio's: what was to be kept of it is of no use to whoever has it.
    """

    def __init__(
        self,
        opening: Callable[[], Gallery],
        failing: Callable[[str, Refusal], None],
        losing: Callable[[str], None],
    ) -> None:
        """`failing` is called with a painting's id when the gallery has no room for it, or cannot be reached; `losing`
        when it has become another studio's."""
        self._opening = opening
        self._failing = failing
        self._losing = losing
        self._lanes = Lanes(threads=4)
        self._claims = ThreadPoolExecutor(1, thread_name_prefix="claims")  # they do not wait for what takes longer
        self._closing = False
        self._resting: set[str] = set()  # paintings of which the last is to be kept
        self.held: set[str] = set()  # paintings that are this studio's

    async def open(self) -> None:
        """Open the gallery; until then nothing else may be asked for."""
        self._gallery = await self._lanes.thread(self._opening)
        self._films = Films(self._gallery)

    async def close(self, within: float) -> bool:
        """Do what is still to be done, for so many seconds; return whether all was."""
        self._closing = is_kept = True
        try:
            await asyncio.wait_for(self._lanes.idle(), within)
        except asyncio.TimeoutError:
            is_kept = False
        # Where others wait for what is ours, they do not wait for what takes too long: kept late, it is refused.
        if is_kept or self.life is not None:
            await asyncio.to_thread(self._gallery.close)
        if is_kept:
            self._lanes.close()
        self._claims.shutdown(wait=False)
        return is_kept

    def then(self, id: str, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Do this when all is done that was asked for of this painting before."""
        return self._lanes.add(id, work)

    @asynccontextmanager
    async def inside(self, id: str) -> AsyncIterator[None]:
        """Have a painting's lane, when all is done that was asked for of it before; what comes after it waits."""
        begun, ended = asyncio.Event(), asyncio.Event()

        async def turn() -> None:
            begun.set()
            await ended.wait()

        self.then(id, turn)
        try:
            await begun.wait()
            yield
        finally:
            ended.set()

    # ---------------------------------------------------------------- whose a painting is; inside its lane

    @property
    def life(self) -> float | None:
        """Seconds for which a claim counts unless it is renewed; None if there is never another studio."""
        return self._gallery.life

    async def claim(self, id: str) -> dict[str, Any] | None:
        """Take a painting, unless another studio has it; what is known of it by then, None if there is none."""
        facts: dict[str, Any] | None = await self.ask(self._gallery.claim, id)
        if facts is not None and "held" not in facts:
            self.held.add(id)
        return facts

    async def release(self, id: str) -> None:
        """Let go of a painting."""
        if id in self.held:
            self.held.discard(id)
            try:
                await self._lanes.thread(self._gallery.release, id)
            except (Full, Unavailable) as error:  # then its claim runs out
                self._say(id, error)

    async def renew(self) -> None:
        """Renew all claims; those in vain are lost. This needs no lane."""
        with _telling():
            lost = await asyncio.get_running_loop().run_in_executor(self._claims, self._gallery.renew)
        for id in lost:
            self._lose(id)

    def is_last(self, id: str) -> bool:
        """Whether nothing more is to be kept of a painting; inside its lane."""
        return self._lanes.is_last(id)

    # ---------------------------------------------------------------- what is asked of the gallery by people

    async def ask(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Ask the gallery once; what goes wrong is a refusal."""
        with _telling():
            return await self._lanes.thread(work, *arguments)

    async def facts(self, id: str) -> dict[str, Any] | None:
        """What is known of a painting."""
        facts: dict[str, Any] | None = await self.ask(self._gallery.facts, id)
        return facts

    async def add(self, painting: Painting, files: Mapping[str, bytes]) -> bool:
        """Keep a new painting; False if there is one of its id."""
        added: bool = await self.ask(self._gallery.add, painting.id, painting.facts(), files)
        if added:
            self.held.add(painting.id)
        return added

    async def unfinished(self) -> list[Painting]:
        """All that is not done."""
        found = []
        for id, facts in await self.ask(self._gallery.unfinished):
            try:
                found.append(Painting.from_facts(id, facts))
            except (ValueError, KeyError, TypeError) as error:  # it stays where it is, and the others go on
                logger.error("a painting cannot be read", extra={"facts": {"painting": id, "error": repr(error)}})
        return found

    async def delete(self, painting: Painting) -> None:
        """Forget a painting, after all that is being kept of it."""
        async with self.inside(painting.id):
            try:
                await self.ask(self._gallery.delete, painting.id)
            finally:
                await self.release(painting.id)

    async def picture(self, painting: Painting) -> tuple[bytes, str]:
        """The finished picture, or the newest frame; and its format."""
        if painting.state == "finished":
            data = await self.ask(self._gallery.read, painting.id, "picture")
            if data is not None:
                return data, "png"
        frames = await self.frames(painting)
        data = await self.frame(painting, frames[-1]) if frames else None
        if data is None:
            problem = "There is no picture yet: nothing of the painting is painted."
            raise Refusal("picture_none", problem, "Ask again when it has begun.")
        return parted(data)[1], KEPT.format

    async def find_works(self, painting: Painting) -> None:
        """Note where the picture of a finished painting is, and the film, if one is made; where there are addresses."""
        painting.works = {}
        if painting.state == "finished":
            for name, file in WORKS.items():
                with suppress(Refusal):
                    if key := await self.ask(self._gallery.key, painting.id, file):
                        painting.works[name] = key

    async def timelapse(self, painting: Painting, format: str) -> bytes:
        """A film of the painting."""
        try:
            return await self._films.of(painting, format)
        except Unavailable as error:
            raise _refusal(error) from error

    async def frames(self, painting: Painting) -> list[int]:
        """The iterations of which a frame is kept; those beyond where the painting was rewound to count no more."""
        kept = timeline.iterations(await self.ask(self._gallery.names, painting.id), "frames")
        return [each for each in kept if each <= painting.iteration]

    async def frame(self, painting: Painting, iteration: int) -> bytes | None:
        """The frame of an iteration, as it is kept."""
        data: bytes | None = await self.ask(self._gallery.read, painting.id, timeline.frame_name(iteration))
        return data

    # ---------------------------------------------------------------- what comes from the easels

    def note(self, painting: Painting) -> None:
        """Keep what is known of a painting by now."""
        facts = painting.facts()

        async def note() -> None:
            await self._insist(self._gallery.note, painting.id, facts)

        self.then(painting.id, note)

    def save(self, painting: Painting, message: Saved) -> None:
        """Keep a frame; unless frames have piled up: the end and the last checkpoint are not to wait for them."""
        loop = asyncio.get_running_loop()
        asked = loop.time()

        async def save() -> None:
            is_waited_for = self._closing or painting.id in self._resting
            if is_waited_for and loop.time() - asked > PILED_UP:
                return
            await self._try(self._gallery.write, painting.id, timeline.frame_name(message.iteration), message.message)

        self.then(painting.id, save)

    def checkpoint(self, painting: Painting, message: Checkpointed, kept: Callable[[], None]) -> None:
        """Keep a checkpoint, and say when that is done."""
        facts = {**painting.facts(), "iteration": message.iteration}

        async def save() -> None:
            name = timeline.checkpoint_name(message.iteration)
            if await self._try(self._gallery.write, painting.id, name, message.data):
                await self._try(self._gallery.note, painting.id, facts)
                await self._thin(painting, message.iteration)
            kept()

        self.then(painting.id, save)

    def rest(self, painting: Painting, message: Rested, kept: Callable[[], None]) -> None:
        """Keep what an easel leaves of a painting: the picture first, since a checkpoint can do without it."""
        id, iteration = painting.id, message.iteration
        self._resting.add(id)

        async def keep() -> None:
            self._resting.discard(id)
            if message.picture is not None:
                await self._insist(self._gallery.write, id, "picture", message.picture)
                await self._try(self._gallery.erase, id, list(map(film_name, FORMATS)))
            if message.frame is not None:
                await self._insist(self._gallery.write, id, timeline.frame_name(iteration), message.frame)
            await self._insist(self._gallery.write, id, timeline.checkpoint_name(iteration), message.checkpoint)
            await self._thin(painting, iteration)
            kept()

        self.then(id, keep)

    async def material(self, painting: Painting) -> Material | None:
        """What an easel needs to go on with a painting; what lies beyond where it was rewound to is erased first."""
        id, since, gallery = painting.id, painting.since, self._gallery
        names: list[str] = await self._insist(gallery.names, id) or []
        kept = timeline.iterations(names, "checkpoints")
        chosen = max((each for each in kept if since is None or each <= since), default=-1)
        if since is not None:
            await self._insist(gallery.erase, id, _beyond(names, chosen))
            if painting.since == since:  # and not rewound once more meanwhile
                painting.since, painting.iteration = None, chosen
                await self._insist(gallery.note, id, painting.facts())
        files = ["photo", *(f"artwork{number}" for number in range(len(painting.recipe.artworks)))]
        photo, *artworks = [await self._insist(gallery.read, id, name) for name in files]
        checkpoint = None if chosen < 0 else await self._insist(gallery.read, id, timeline.checkpoint_name(chosen))
        if photo is None or None in artworks:
            return None
        return Material(photo, tuple(artworks), checkpoint)

    # ---------------------------------------------------------------- room

    async def make_room(self, size: int, most: int, age: float, spare: Iterable[str]) -> None:
        """See to it that so many bytes fit in, or refuse."""
        while (kept := await self.ask(self._gallery.size)) + size > most:  # what is painted meanwhile takes room, too
            if not await self.retain(most - size, age, spare):
                problem = f"The gallery is full: it may take {most / 2**30:.3g} GiB, and has {kept / 2**30:.3g}."
                raise Refusal("disk_full", problem, "Wait for paintings to finish, or ask for more room.")

    async def retain(self, most: int, age: float, spare: Iterable[str]) -> bool:
        """Let go of what is too old, and of what is too much; return whether there was any."""
        gone = await self.ask(self._gallery.sweep, age, max(0, most), frozenset(spare))
        for id in gone:
            logger.info("painting let go", extra={"facts": {"painting": id}})
        return bool(gone)

    async def _thin(self, painting: Painting, newest: int) -> None:
        """Erase what lies too close by now."""
        names = await self._insist(self._gallery.names, painting.id) or []
        doomed = timeline.superfluous(names, newest, painting.of)
        if doomed:
            await self._try(self._gallery.erase, painting.id, doomed)

    # ---------------------------------------------------------------- trying

    async def _insist(self, work: Callable[..., Any], id: str, *arguments: Any) -> Any:
        """Do this until it succeeds; None if the painting is gone or another studio's, or all is closing."""
        said = False
        while id in self.held:
            try:
                return await self._lanes.thread(work, id, *arguments)
            except Gone:
                return None
            except Taken:
                self._lose(id)
            except (Full, Unavailable) as error:
                if not said:
                    said = True
                    self._say(id, error)
                    self._failing(id, _refusal(error))
                if self._closing:
                    return None
                await asyncio.sleep(RETRY_EVERY)
        return None

    async def _try(self, work: Callable[..., Any], id: str, *arguments: Any) -> bool:
        """Do this once; return whether it is done."""
        if id not in self.held:
            return False
        try:
            await self._lanes.thread(work, id, *arguments)
        except Gone:
            return False
        except Taken:
            self._lose(id)
            return False
        except (Full, Unavailable) as error:
            self._say(id, error)
            return False
        return True

    def _lose(self, id: str) -> None:
        """It has become another studio's."""
        if id in self.held:
            self.held.discard(id)
            self._losing(id)

    def _say(self, id: str, error: Exception) -> None:
        logger.error("the gallery fails", extra={"facts": {"painting": id, "error": str(error)}})


def _beyond(names: Iterable[str], iteration: int) -> list[str]:
    """What is of no use once a painting is rewound to this iteration."""
    ended = {"picture", *map(film_name, FORMATS)}
    return [name for name in names if name in ended or ("/" in name and int(name.rpartition("/")[2]) > iteration)]


@contextmanager
def _telling() -> Iterator[None]:
    """Tell what goes wrong with the gallery as a refusal."""
    try:
        yield
    except (Full, Unavailable) as error:
        raise _refusal(error) from error
    except Taken as error:
        raise elsewhere(0.0) from error


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, Full):
        problem = f"The gallery has no room left: {error}"
        return Refusal(
            "disk_full", problem, "Free some room, then it goes on by itself; nothing that was kept is lost."
        )
    return Refusal("gallery_unavailable", f"The gallery cannot be used just now: {error}", "Try again in a minute.")
