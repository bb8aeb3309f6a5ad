"""The other studios with this gallery: what is taken over from them, watched at theirs, and lost to them.

What a claim is, and who takes one when, is told in `gallery.claims`; here is how this studio does it. With a gallery
that is never shared there is nothing to do but to admit what is unfinished when the studio opens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from controller.keeper import Keeper
from controller.painting import Painting
from controller.studio import Effect, Studio
from controller.viewing import Viewing
from model.errors import Refusal

logger = logging.getLogger(__name__)

RENEWALS = 3
"""So often a claim is renewed in its life."""

LOOK_EVERY = 2.0
"""Seconds between two looks at what another studio has, and somebody here waits for; at most."""

PATIENCE = (0.2, 0.4, 0.8, 1.6)
"""Seconds to wait for another studio to let go of what is at rest."""


class Neighbours:
    """Sees to it that each painting is painted by one studio, and by one that is there."""

    def __init__(
        self, studio: Studio, keeper: Keeper, viewing: Viewing, do: Callable[[Iterable[Effect]], None]
    ) -> None:
        """`do` carries out what the studio decides."""
        self._studio, self._keeper, self._viewing, self._do = studio, keeper, viewing, do

    async def adopt(self, id: str) -> Painting | None:
        """The painting of this id, as the gallery knows it; if it waits and is nobody's, it is ours from now on."""
        async with self._keeper.inside(id):
            if id in self._studio.paintings:
                return self._studio.paintings[id]
            facts = await self._keeper.claim(id)
            painting = None if facts is None else Painting.from_facts(id, facts)
            if painting and painting.goes_on:
                logger.info("painting found", extra={"facts": {"painting": id, "state": painting.state}})
                self._studio.admit(painting)
                self._do(self._studio.opened())
            elif painting:
                await self._keeper.release(id)
            return painting

    async def adopt_all(self) -> None:
        """Take all that waits and is nobody's."""
        found = [painting.id for painting in await self._keeper.unfinished() if painting.goes_on]
        mine, takes = self._studio.paintings, self._studio.takes
        await asyncio.gather(*(self.adopt(id) for id in found if id not in mine and takes(id)))

    async def take(self, painting: Painting) -> None:
        """Have a painting that is at rest for ours, as it is by now; from within its lane."""
        if painting.id not in self._keeper.held:
            facts = await self._claim_at_rest(painting.id)
            if facts is None:
                problem = f"There is no painting {painting.id!r} any more: its time was over."
                raise Refusal("painting_unknown", problem, "Paint it again.")
            painting.refresh(facts)
            if painting.goes_on:  # another studio went on with it, and is gone
                self._studio.admit(painting)
                self._do(self._studio.opened())

    async def _claim_at_rest(self, id: str) -> dict[str, Any] | None:
        """Claim what is at rest; another studio that has just put it there may still be keeping the last of it."""
        for pause in (*PATIENCE, None):
            facts = await self._keeper.claim(id)
            if facts is None or "held" not in facts or pause is None or not Painting.from_facts(id, facts).rests:
                return facts
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns")

    def lost(self, id: str) -> None:
        """Another studio has taken a painting that was ours."""
        painting = self._studio.paintings.get(id)
        if painting and painting.elsewhere is None and painting.state != "cancelled":
            logger.warning("painting lost to another studio", extra={"facts": {"painting": id}})
            self._do(self._studio.lost(painting))

    # ---------------------------------------------------------------- as long as the studio is open

    async def mind(self, life: float) -> None:
        """Renew what is ours."""
        pause = life / RENEWALS
        while True:
            await asyncio.sleep(pause)
            pause = life / RENEWALS / 3  # should it fail, there is still time
            try:
                await self._keeper.renew()
                pause = life / RENEWALS
            except Refusal as refusal:
                logger.error("claims cannot be renewed", extra={"facts": {"error": str(refusal)}})
            except Exception:
                logger.exception("claims could not be renewed")

    async def take_over(self, life: float) -> None:
        """Take what has become nobody's."""
        while True:
            await asyncio.sleep(life)
            try:
                await self.adopt_all()
            except Refusal as refusal:
                logger.error("what is nobody's cannot be taken over", extra={"facts": {"error": str(refusal)}})
            except Exception:  # what could not be read this time may be the next
                logger.exception("what is nobody's could not be taken over")

    async def watch(self, life: float) -> None:
        """Look after what others have, and somebody here waits for."""
        while True:
            await asyncio.sleep(min(LOOK_EVERY, life / RENEWALS))
            for painting in list(self._studio.paintings.values()):
                facts = {"painting": painting.id}
                try:
                    if painting.elsewhere is not None or self._is_left(painting):
                        await self._look(painting)
                except Refusal as refusal:
                    facts["error"] = str(refusal)
                    logger.error("another studio's painting cannot be seen", extra={"facts": facts})
                except Exception:  # the others are to be looked after all the same
                    logger.exception("another studio's painting could not be looked after", extra={"facts": facts})

    async def _look(self, painting: Painting) -> None:
        async with self._keeper.inside(painting.id):
            if painting.elsewhere is None and not self._is_left(painting):
                return  # it has become ours meanwhile
            if not self._viewing.has(painting.id):
                self._studio.dismiss(painting)
                return
            facts, before = await self._keeper.facts(painting.id), painting.iteration
            if facts and Painting.from_facts(painting.id, facts).goes_on:
                facts = await self._keeper.claim(painting.id)
            self._do(self._studio.heard(painting, facts))
            if facts is None:
                self._studio.dismiss(painting)
            elif painting.iteration < before:
                self._viewing.rewound(painting)
            elif painting.elsewhere is not None and painting.iteration > before:
                self._viewing.advanced(painting)

    def _is_left(self, painting: Painting) -> bool:
        """Whether it is paused, so that any studio may go on with it when its owner asks."""
        return painting.state == "paused" and painting.id not in self._keeper.held
