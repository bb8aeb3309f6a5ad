"""What may go wrong, and is made to: each once, at the moment that hurts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.rehearsal import Rehearsal

PAINTED = 3.0
"""Seconds for which a studio has to have painted before something happens to it."""
SLOWER = 3.0

FAULTS: Mapping[str, str] = {
    "no-capacity": "no machine is to be had for the first who asks for one",
    "slow-boot": "machines take three times as long to boot",
    "spot": "the first machine that paints is told that it will be taken away in two minutes, and is",
    "kill": "the first machine that paints dies",
    "drop": "all links to studios are cut when the first one paints",
}


async def strike(rehearsal: Rehearsal, fault: str) -> None:
    """Let one happen, as soon as there is somebody to whom it matters."""
    if fault == "no-capacity":
        rehearsal.capacity.run_out()
    elif fault == "slow-boot":
        rehearsal.machines.boot_seconds *= SLOWER
    elif fault == "drop":
        await _painting(rehearsal)
        rehearsal.edge.drop()
    elif machine := rehearsal.machines.of(await _painting(rehearsal)):
        await (machine.notice() if fault == "spot" else machine.crash())


async def _painting(rehearsal: Rehearsal) -> str:
    """A studio, once it has painted for a while."""
    since: dict[str, float] = {}
    while True:
        view = await rehearsal.look()
        busy = [each.id for each in view.studios if each.phase == "ready" and each.busy]
        since = {each: since.get(each, view.now) for each in busy}
        if found := [each for each in busy if view.now - since[each] >= PAINTED]:
            return found[0]
        await asyncio.sleep(0.5)
