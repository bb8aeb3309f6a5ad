"""The reaper: once a minute, holds what the table says against the machines that there are, and ends what is left over.

It is the only one who settles, and it needs nobody's word: whatever was lost (a Lambda between two steps, a studio that
hangs, a machine that Amazon took back), the next pass finds it, and so does the one after if this one is lost, too.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import Literal

from lambda_launcher import boots, brake, choice, ledger, roll
from lambda_launcher.fleet import GONE, Fleet, Instance
from lambda_launcher.settings import Settings
from lambda_launcher.store import Draft, Store, transact
from lambda_launcher.studio import BOOT, COMING, PROMISE, Studio

logger = logging.getLogger(__name__)

UNSEEN = 120
"""Seconds for which a machine that was just asked for may not be seen, or not be seen to run."""
SPARE = 120
"""Seconds without a visitor's doing anything after which a studio stops while another has a free easel."""
STOPPING = 300
"""Seconds after which a machine that does not stop is ended."""
PUTTING_ASIDE = 60
"""Seconds after which one that was to end by itself is ended: it may take as long to put its paintings aside, and so it
is in its unit, too (TimeoutStopSec)."""

Verdict = Literal["keep", "adopt", "learn", "stop", "end", "has stopped", "has ended"]


def verdict(studio: Studio, machine: Instance | None, is_spare: bool, now: float, settings: Settings) -> Verdict:
    """What is to be done about a studio, whose machine was last seen so (None: not at all).

    It is spare if the next visitor would be sent elsewhere anyway.
    """
    is_new = now - studio.began <= UNSEEN
    if machine is None:
        return "keep" if is_new and studio.phase != "stopped" else "has ended"
    if machine.power in GONE:
        return "has ended"
    if studio.phase == "leaving":
        return _of_leaving(studio, machine, now)
    if machine.power == "stopped":
        return _of_stopped(studio, is_new, now, settings)
    if machine.power == "stopping":
        return "keep"
    if studio.phase == "stopped":  # and yet it runs, which nothing is reserved for
        return "stop"
    return _of_running(studio, is_spare, now, settings)


def _of_leaving(studio: Studio, machine: Instance, now: float) -> Verdict:
    if studio.goal == "ended":
        return "end" if now - studio.left > PUTTING_ASIDE else "keep"
    if now - studio.left > STOPPING:
        return "end"
    return "has stopped" if machine.power == "stopped" else "stop"


def _of_stopped(studio: Studio, is_new: bool, now: float, settings: Settings) -> Verdict:
    if studio.phase == "stopped":
        is_outdated = studio.template != settings.launch_template_version
        return "end" if is_outdated or now - studio.left > settings.idle_end else "keep"
    return "keep" if is_new else "has stopped"


def _of_running(studio: Studio, is_spare: bool, now: float, settings: Settings) -> Verdict:
    if now > studio.deadline:
        return "end"
    if studio.phase in COMING and now > studio.began + BOOT:
        return "end"
    if studio.phase in ("loading", "ready") and now > studio.lease:
        return "end"
    if not (studio.instance and studio.type):  # a studio that was quicker than its launcher knows its machine alone
        return "adopt"
    if studio.phase == "ready":
        if studio.learnt != studio.began:
            return "learn"
        if studio.load(now) == 0:
            return _of_idle(studio, now - max(studio.active, studio.ready), is_spare, settings)
    return "keep"


def _of_idle(studio: Studio, idle: float, is_spare: bool, settings: Settings) -> Verdict:
    if not settings.idle_stop or studio.template != settings.launch_template_version:
        # It ends with what it paints, but not before its visitors have had their last look.
        return "end" if idle > PROMISE else "keep"
    return "stop" if idle > (min(SPARE, settings.idle_stop) if is_spare else settings.idle_stop) else "keep"


class Reaper:
    """What the schedule does."""

    def __init__(self, store: Store, fleet: Fleet, settings: Settings, clock: Callable[[], float]) -> None:
        self._store = store
        self._fleet = fleet
        self._settings = settings
        self._clock = clock

    def reap(self) -> dict[str, int]:
        """One pass; return how often each verdict was passed, and how many machines were nobody's."""
        # In this order: an item is written before its machine is asked for, so a machine without one is nobody's.
        machines = self._fleet.instances()
        passed = {"orphan": 0}
        failed = []
        for id_ in Draft(self._store).get(roll.ROLL).get("ids", []):
            try:
                found = self._judge(id_, [each for each in machines if each.studio == id_])
                passed[found] = passed.get(found, 0) + 1
            except Exception:
                logger.exception("a studio could not be judged", extra={"studio": id_})
                failed.append(id_)
        for orphan in self._orphans(machines):
            logger.warning("a machine is nobody's", extra={"instance": orphan.id, "studio": orphan.studio})
            try:
                self._fleet.end(orphan.id)
                passed["orphan"] += 1
            except Exception:
                logger.exception("a machine could not be ended", extra={"instance": orphan.id})
                failed.append(orphan.id)
        if failed:  # Now that none of the others had to wait for it, the schedule's alarm may hear of it.
            raise RuntimeError(f"The reaper could not do all: {', '.join(failed)}; the log says why.")
        return passed

    def _judge(self, id_: str, machines: Sequence[Instance]) -> Verdict:
        def decide(draft: Draft) -> tuple[Verdict, Studio | None]:
            studio = roll.get(draft, id_)
            if studio is None or studio.phase == "ended":
                return "keep", studio
            now = self._clock()
            machine = _machine(studio, machines)
            others = choice.current(roll.studios(draft), self._settings.launch_template_version)
            next_ = choice.running(others, now, queue=0)
            is_spare = next_ is not None and next_.phase == "ready" and next_.id != id_
            found = verdict(studio, machine, is_spare, now, self._settings)
            return found, self._done(draft, studio, machine, found, now)

        found, studio = transact(self._store, decide)
        if studio and found != "keep":
            logger.info(found, extra={"studio": id_, "instance": studio.instance, "phase": studio.phase})
        # After the decision is written. Whoever is lost in between has the next pass do it: the studio is leaving.
        machine = _machine(studio, machines) if studio else None
        if machine and found == "stop":
            self._fleet.stop(machine.id)
        elif machine and found == "end":
            self._fleet.end(machine.id)
        return found

    def _done(self, draft: Draft, studio: Studio, machine: Instance | None, found: Verdict, now: float) -> Studio:
        """The studio when the verdict is passed."""
        if found in ("has stopped", "has ended"):
            never_came = machine is None and not studio.instance
            used = 0 if never_came else ledger.charged(studio, now - studio.began, self._settings)
            was_noted = studio.learnt == studio.began  # when it was ready
            if found == "has ended" and not (never_came or was_noted):
                brake.note(draft, studio, now)
            return roll.over(draft, studio, "stopped" if found == "has stopped" else "ended", used, now)
        if found in ("stop", "end"):
            goal: Literal["stopped", "ended"] = "stopped" if found == "stop" else "ended"
            left = studio.left if studio.phase == "leaving" else now
            studio = dataclasses.replace(studio, phase="leaving", goal=goal, left=left)
        if found == "adopt" and machine:
            phase = "booting" if studio.phase == "requested" else studio.phase
            studio = dataclasses.replace(
                studio, phase=phase, instance=machine.id, type=machine.type, subnet=machine.subnet
            )
        if found == "learn":
            boots.learn(draft, studio)
            brake.note(draft, studio, now)
            studio = dataclasses.replace(studio, learnt=studio.began)
        roll.put(draft, studio)
        return studio

    def _orphans(self, machines: Sequence[Instance]) -> list[Instance]:
        """The machines that are no studio's."""
        draft = Draft(self._store)
        its = {studio.id: studio.instance for studio in roll.studios(draft)}
        alive = [machine for machine in machines if machine.power not in GONE]
        # A studio that knows none yet may be about to know this one.
        return [each for each in alive if each.studio not in its or its[each.studio] not in ("", each.id)]


def _machine(studio: Studio, machines: Sequence[Instance]) -> Instance | None:
    """The machine of a studio; while it knows none, any that was started for it."""
    if studio.instance:
        return next((each for each in machines if each.id == studio.instance), None)
    return min(machines, key=lambda each: each.power in GONE, default=None)
