"""A painting, as the studio knows it and the gallery keeps it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from controller.states import DONE, WAITING, State
from model.recipe import Recipe, check_changes


@dataclass
class Painting:
    """One photo being, or having been, turned into a picture."""

    id: str
    recipe: Recipe  # as it was accepted
    lock: str  # digest of its owner's key
    width: int
    height: int
    of: int  # how many iterations it shall have
    order: float  # whose turn it is: the least comes first
    address: str = ""  # who asked for it
    state: State = "queued"
    settings: dict[str, Any] = field(default_factory=dict)  # the steerable ones, as they were last steered
    since: int | None = None  # rewound: go on from a checkpoint not after this iteration
    iteration: int = -1  # the last one finished
    elapsed: float = 0.0
    losses: dict[str, float | None] = field(default_factory=dict)
    progress: float = 0.0  # of the work, 0 to 100
    eta: float | None = None  # seconds to the end, once it is being painted
    deaths: int = 0  # easels that died over it
    error: dict[str, str] | None = None  # why it failed
    before: int | None = None  # it was finished after so many iterations, of which there is a picture; more is wanted
    works: dict[str, str] = field(default_factory=dict)  # where in its bucket the gallery has the picture and the film
    elsewhere: float | None = None  # another studio has it; for so many seconds at most, if that one is gone

    @property
    def done(self) -> bool:
        """Whether nothing more is painted of it, unless its owner asks."""
        return self.state in DONE

    @property
    def rests(self) -> bool:
        """Whether nothing happens to it, unless its owner asks: then it is no studio's."""
        return self.done or self.state == "paused"

    @property
    def goes_on(self) -> bool:
        """Whether it is painted by itself, and by this studio."""
        return not self.rests and self.elsewhere is None

    @property
    def waits(self) -> bool:
        """Whether it waits for an easel."""
        return self.state in WAITING and self.elsewhere is None

    def iterated(self, facts: Mapping[str, Any]) -> None:
        """An iteration is finished. How many there shall be is not for the easel to say: it may not have heard yet."""
        self.iteration = facts["iteration"]
        self.of = max(self.of, self.iteration + 1)  # told to finish, it had gone on by then
        self.elapsed, self.losses = facts["elapsed"], facts["losses"]
        self.progress, self.eta = facts["progress"], facts["eta"]

    def described(self) -> dict[str, Any]:
        """What is told of it to those who ask."""
        known = ("state", "progress", "iteration", "of", "width", "height", "losses", "elapsed", "eta")
        return {
            "painting": self.id,
            **{name: getattr(self, name) for name in known},
            "settings": {**self.recipe.steered(), **self.settings},
            "recipe": self.recipe.to_dict(),
            **({"error": self.error} if self.error else {}),
        }

    def facts(self) -> dict[str, Any]:
        """What the gallery keeps of it."""
        kept = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _NOT_KEPT}
        if self.done:
            kept["address"] = ""  # whose it was is nobody's business any more
        return {**kept, "recipe": self.recipe.to_dict(), "done": self.done}

    @classmethod
    def from_facts(cls, id: str, facts: dict[str, Any]) -> Painting:
        """The painting that the gallery kept."""
        known = {each.name for each in fields(cls)}
        values = {name: value for name, value in facts.items() if name in known}
        values["settings"] = check_changes(facts.get("settings", {}))
        values["elsewhere"] = facts.get("held")
        return cls(**{**values, "id": id, "recipe": Recipe.from_dict(facts["recipe"])})

    def refresh(self, facts: dict[str, Any]) -> None:
        """Another studio may have painted it further: be as the gallery says."""
        vars(self).update(vars(self.from_facts(self.id, facts)))

    def ended(self) -> dict[str, Any]:
        """What is told when it is finished."""
        return {"painting": self.id, "iterations": self.of, "elapsed": round(self.elapsed, 3)}

    def opens(self, key: str) -> bool:
        """Whether this is its owner's key."""
        return hmac.compare_digest(locked(key), self.lock)


_NOT_KEPT = frozenset({"id", "recipe", "works", "elsewhere"})  # the last two are the gallery's to say


def locked(key: str) -> str:
    """What is kept of a key: enough to know it again, too little to make it."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
