"""The launcher: sends a visitor to a studio, and has one started if there is none.

What it decides it decides in one transaction, before it asks for a machine: the reservation, the studio's item and the
key that launched it are written together. So two Lambdas at once never launch twice for one key, and one that is lost
at any point leaves behind what the reaper knows how to end.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from lambda_launcher import boots, brake, choice, ledger, roll, tickets
from lambda_launcher.errors import Refusal
from lambda_launcher.fleet import (
    QUOTA,
    QUOTA_NAME,
    Fleet,
    Instance,
    NoImage,
    OverQuota,
    Pool,
    Refused,
    Throttled,
    Unclear,
)
from lambda_launcher.settings import Settings
from lambda_launcher.store import Draft, Store, transact
from lambda_launcher.studio import BOOT, COMING, Phase, Studio

logger = logging.getLogger(__name__)

KEPT_OUT = 180
"""Seconds for which a pool that refused is not asked again."""
URL = "/ws/styletransfer"

_TRIES = 8  # machines asked for in one request: each that is refused leads to another choice, EC2 trying three pools
_ASKING = 12  # seconds after which no other is asked for: the Lambda has 25, and one answer may take ten


@dataclass(frozen=True)
class Answer:
    """What a visitor is told of a studio; a ticket only once it is ready."""

    id: str
    type: str | None
    dns: str | None
    state: Phase
    eta: float
    ticket: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class _Visit:
    """Who wants to paint what, and since when."""

    key: str
    painting: str
    address: str
    owner: str
    now: float


@dataclass(frozen=True)
class _Placed:
    """A decision: the studio, and what is to be done with its machine."""

    studio: Studio
    machine: Literal["none", "start", "launch"] = "none"
    pools: tuple[Pool, ...] = ()


class Launcher:
    """What the visitors' requests do."""

    def __init__(
        self, store: Store, fleet: Fleet, settings: Settings, ticket_key: Callable[[], str], clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._settings = settings
        self._ticket_key = ticket_key
        self._clock = clock

    def launch(self, key: str, painting: str, address: str, owner: str = "") -> Answer:
        """Find or start a studio for the visitor who made `key`; asked twice, the studio is the same.

        One that is started for him ends for whoever knows the secret `owner`: the key may be known to many.
        """
        refusal: Refusal | None = None

        def place(draft: Draft) -> _Placed:
            return self._place(draft, _Visit(key, painting, address, _digest(owner), self._clock()), refusal)

        until = self._clock() + _ASKING
        for _ in range(_TRIES):
            placed = transact(self._store, place)
            try:
                return self._answer(self._with_machine(placed), painting)
            except Refused as refused:
                logger.warning("a machine was refused", extra={"studio": placed.studio.id, "reason": str(refused)})
                self._give_up(placed, refused)
                refusal = _final(refused, is_new=placed.machine == "launch")
                if self._clock() > until:
                    refusal = refusal or _none_yet()
        raise refusal or _none_yet()

    def status(self, id_: str, painting: str) -> Answer:
        """How far a studio is."""
        studio = roll.get(Draft(self._store), id_)
        if studio is None:
            raise _unknown(id_)
        now = self._clock()
        if not studio.expects(painting, now):
            problem = f"The studio {id_} has ended."
            raise Refusal("studio_ended", problem, "Start again: the painting goes on in another studio.")
        return self._answer(studio, painting)

    def studio_of(self, painting: str, holder: str) -> str | None:
        """The studio that has a painting, or where it is awaited, if there is one: `holder` is whose the gallery says.

        A page's key is its painting's id, so what the key has launched is known.
        """
        draft = Draft(self._store)
        now = self._clock()
        for id_ in (holder, draft.get(f"key#{painting}").get("studio")):
            if id_ and (studio := roll.get(draft, id_)) and studio.expects(painting, now):
                return str(id_)
        return None

    def end(self, id_: str, owner: str) -> None:
        """End a studio for whoever launched it with the secret `owner`, if nothing is painted there."""

        def leave(draft: Draft) -> Studio:
            studio = roll.get(draft, id_)
            if studio is None:
                raise _unknown(id_)
            if not studio.owner or not hmac.compare_digest(studio.owner, _digest(owner)):
                problem = f"The studio {id_} was not launched with this secret."
                hint = "Send the owner it was launched with: Authorization: Bearer OWNER."
                raise Refusal("key_wrong", problem, hint)
            if studio.phase in ("stopped", "ended") or (studio.phase == "leaving" and studio.goal == "ended"):
                return studio
            # Who had it launched is the first who waits for it, and may give it up.
            own = 1 if studio.phase in COMING and not studio.busy else 0
            if (load := studio.load(self._clock())) > own:
                problem = f"Paintings in the studio {id_} or on their way there: {load}."
                raise Refusal("studio_busy", problem, "Let it be: it ends by itself when nobody paints there.")
            left = dataclasses.replace(studio, phase="leaving", goal="ended", left=self._clock(), coming={})
            roll.put(draft, left)
            return left

        studio = transact(self._store, leave)
        if studio.phase == "leaving" and studio.instance:
            self._fleet.end(studio.instance)

    def _place(self, draft: Draft, visit: _Visit, refusal: Refusal | None) -> _Placed:
        """Decide where the visitor goes; with a `refusal`, to a studio that runs, or nowhere."""
        name = f"key#{visit.key}"
        draft.read(name, roll.ROLL)
        studios = roll.studios(draft)
        held = roll.get(draft, held_id) if (held_id := draft.get(name).get("studio")) else None
        # Before its end a studio takes none that it does not expect; who has a painting there already asks `status`.
        if held and held.expects(visit.painting, visit.now) and choice.takes(held, visit.painting, visit.now):
            return _Placed(held)
        if held and held.is_coming(visit.now):  # for another painting: one key, one studio
            return self._join(draft, held, visit)
        placed = self._choose(draft, studios, visit, refusal)
        draft.put(name, {**draft.get(name), "studio": placed.studio.id, "expires": int(visit.now) + roll.REMEMBERED})
        return placed

    def _choose(self, draft: Draft, studios: list[Studio], visit: _Visit, refusal: Refusal | None) -> _Placed:
        current = choice.current(studios, self._settings.launch_template_version)
        if studio := choice.running(current, visit.now, choice.SHORT):
            return self._join(draft, studio, visit)
        try:
            if refusal:
                raise refusal
            return self._run(draft, studios, visit)
        except Refusal:
            if studio := choice.running(current, visit.now, choice.LONG):
                return self._join(draft, studio, visit)
            raise

    def _join(self, draft: Draft, studio: Studio, visit: _Visit) -> _Placed:
        joined = studio.joined(visit.painting, visit.now)
        roll.put(draft, joined)
        return _Placed(joined)

    def _run(self, draft: Draft, studios: list[Studio], visit: _Visit) -> _Placed:
        """Have another studio run: a stopped one, or a new one."""
        self._settings.check()
        awake = sum(studio.phase != "stopped" for studio in studios)
        if awake >= self._settings.max_studios:
            problem = f"{awake} studios run, which is as many as may, and none takes more paintings."
            raise Refusal("studios_many", problem, "Try again in a minute.", retry_after=60)
        now = visit.now
        pools = self._pools(draft, now)
        asleep = choice.stopped(choice.current(studios, self._settings.launch_template_version), pools)
        if not asleep:  # one that stopped has been ready before
            brake.check(draft, now)
        need = self._settings.longest if asleep else self._settings.reservation
        ledger.reserve(draft, visit.address, need, now, self._settings)
        launched = Studio(
            id=_new_id(),
            phase="requested",
            owner=visit.owner,
            began=now,
            deadline=now + self._settings.deadline,
            day=ledger.day(now),
            address=visit.address,
            reserved=need,
            lease=now + BOOT,
            active=now,
            coming={visit.painting: now},
            template=self._settings.launch_template_version,
        )
        if asleep:
            pool = (asleep.type, asleep.subnet)
            started = launched.on_machine_of(asleep)
            roll.run(draft, started)
            return _Placed(started, "start", (pool,))
        roll.run(draft, launched)
        return _Placed(launched, "launch", pools)

    def _pools(self, draft: Draft, now: float) -> tuple[Pool, ...]:
        """The pools that have not just refused, or a refusal if all have."""
        draft.read(*map(_pool_name, self._settings.pools))
        until = {pool: draft.get(_pool_name(pool)).get("expires", 0.0) for pool in self._settings.pools}
        pools = tuple(pool for pool, moment in until.items() if moment <= now)
        if not pools:
            raise _none(min(until.values()) - now)
        return pools

    def _with_machine(self, placed: _Placed) -> Studio:
        """Start the machine that was decided upon; raise Refused if it is not to be had."""
        studio = placed.studio
        try:
            if placed.machine == "start":
                self._fleet.start(studio.instance, placed.pools[0])
            elif placed.machine == "launch":
                instance, refused = self._fleet.launch(studio.id, placed.pools)
                noted = self._came(studio, instance)
                self._keep_out(refused)
                return noted
        except Unclear as error:
            # If it was started after all, it registers itself, or the reaper finds it; if not, the reaper ends it.
            logger.warning(
                "whether a machine was started is unclear", extra={"studio": studio.id, "reason": str(error)}
            )
        return studio

    def _came(self, studio: Studio, instance: Instance) -> Studio:
        """Note the machine that was started for a studio."""

        def note(draft: Draft) -> Studio:
            current = roll.get(draft, studio.id) or studio
            if current.phase in ("leaving", "ended"):
                return current
            phase: Phase = "booting" if current.phase == "requested" else current.phase  # it may have been quicker
            noted = dataclasses.replace(
                current, phase=phase, instance=instance.id, type=instance.type, subnet=instance.subnet
            )
            roll.put(draft, noted)
            return noted

        noted = transact(self._store, note)
        if noted.phase in ("leaving", "ended"):  # meanwhile somebody ended it
            self._fleet.end(instance.id)
        return noted

    def _give_up(self, placed: _Placed, refused: Refused) -> None:
        """Undo a decision for which no machine was to be had."""
        self._keep_out(refused.pools)

        def undo(draft: Draft) -> None:
            studio = roll.get(draft, placed.studio.id)
            if studio is None or studio.began != placed.studio.began or not studio.reserved:
                return
            if placed.machine == "launch":
                roll.over(draft, studio, "ended", 0, self._clock())
            elif refused.pools or isinstance(refused, Throttled | OverQuota):
                roll.over(draft, studio, "stopped", 0, self._clock())
            else:  # its machine cannot be started at all
                left = dataclasses.replace(studio, phase="leaving", goal="ended", left=self._clock(), coming={})
                roll.put(draft, left)

        transact(self._store, undo)

    def _keep_out(self, pools: Sequence[Pool]) -> None:
        """Remember which pools have refused."""

        def note(draft: Draft) -> None:
            names = list(map(_pool_name, pools))
            draft.read(*names)
            for name in names:
                draft.put(name, {**draft.get(name), "expires": int(self._clock()) + KEPT_OUT})

        if pools:
            transact(self._store, note)

    def _answer(self, studio: Studio, painting: str) -> Answer:
        now = self._clock()
        facts = Answer(studio.id, studio.type or None, studio.dns or None, studio.phase, 0.0)
        if studio.is_ready(now):
            ticket = tickets.signed(self._ticket_key(), studio.dns, painting, now)
            return dataclasses.replace(facts, ticket=ticket, url=URL)
        kind = studio.type or self._settings.types[0]
        past = Draft(self._store).get(boots.name(kind, studio.runs)).get("seconds", [])
        unknown = boots.UNKNOWN[studio.runs > 1]
        return dataclasses.replace(facts, eta=round(boots.remaining(past, now - studio.began, unknown)))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest() if secret else ""


def _new_id() -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(16))


def _pool_name(pool: Pool) -> str:
    return f"pool#{pool[0]}#{pool[1]}"


def _unknown(id_: str) -> Refusal:
    return Refusal("studio_unknown", f"There is no studio {id_}.", "Start again from the page: it launches one.")


def _none(wait: float) -> Refusal:
    problem = "No machine with a GPU is to be had just now, of no type and in no zone."
    hint = "Try again in some minutes; until then the sketch in your browser paints without one."
    return Refusal("capacity_none", problem, hint, retry_after=max(5, int(wait) + 1))


def _none_yet() -> Refusal:
    problem = "No machine with a GPU has been found yet: the types and zones that were asked first have none."
    return Refusal("capacity_none", problem, "Try again in a moment: then the others are asked.", retry_after=1)


def _final(refused: Refused, *, is_new: bool) -> Refusal | None:
    """What a visitor is told; None where it makes sense to ask for another machine."""
    match refused:
        case Throttled():
            return _throttled()
        case OverQuota():
            problem = f"The site's account may run no other machine with a GPU: its quota {QUOTA_NAME} is used up."
            hint = f"Try again in a minute; if it stays so, whoever runs this site may ask AWS for more of {QUOTA}."
            return Refusal("quota_spent", problem, hint, retry_after=60)
        case NoImage():
            problem = "The image that machines with a GPU start from is still being made."
            hint = "Try again in some minutes; until then the sketch in your browser paints without one."
            return Refusal("image_none", problem, hint, retry_after=120)
    return _unavailable(str(refused)) if is_new and not refused.pools else None


def _throttled() -> Refusal:
    problem = "Too many machines are asked for at this moment."
    return Refusal("launcher_busy", problem, "Try again in a moment.", retry_after=5)


def _unavailable(reason: str) -> Refusal:
    problem = f"The cloud refuses to start a machine: {reason}."
    return Refusal("cloud_unavailable", problem, "Try again later; if it stays so, tell whoever runs this site.", 60)
