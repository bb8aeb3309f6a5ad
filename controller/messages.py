"""What the studio and its easels say to each other, through a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.frame import Cut
from model.forecast import Pace, Paces
from model.recipe import Recipe

# ---------------------------------------------------------------- to the easel


@dataclass(frozen=True)
class Begin:
    """Paint this, from the beginning or from a checkpoint."""

    turn: int
    photo: bytes
    artworks: tuple[bytes, ...]
    recipe: Recipe
    checkpoint: bytes | None
    settings: Mapping[str, Any]  # the steerable ones, as they are to be from here on
    of: int  # how many iterations there shall be
    width: int
    height: int
    paces: Paces  # what painting has cost so far


@dataclass(frozen=True)
class Alter:
    """Change what is painted from the next iteration on."""

    turn: int
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class PutAside:
    """End after this iteration; with a checkpoint, if it is to be kept."""

    turn: int
    keep: bool


@dataclass(frozen=True)
class Look:
    """How the viewers want their frames; those in `every` want one of each iteration, without asking."""

    cuts: frozenset[Cut]
    every: frozenset[Cut]


@dataclass(frozen=True)
class Want:
    """A viewer is ready for a frame newer than this iteration's."""

    cut: Cut
    after: int


@dataclass(frozen=True)
class Kept:
    """The last checkpoint is in the gallery: the next may come."""

    turn: int


# ---------------------------------------------------------------- from the easel


@dataclass(frozen=True)
class Loading:
    """What it is doing until it can paint."""

    phase: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Loaded:
    """It can paint."""

    engine: str
    device: str
    reason: str
    smallest: int  # long side of the coarsest scale
    seen: tuple[Pace, ...]  # what its first painting cost


@dataclass(frozen=True)
class Unloadable:
    """It cannot paint, and why."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class Fault:
    """It dies of this."""

    reason: str


@dataclass(frozen=True)
class Iterated:
    """An iteration is finished."""

    turn: int
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Framed:
    """A frame, ready to be sent; `seconds` is what it took to make."""

    turn: int
    cut: Cut
    iteration: int
    message: bytes
    seconds: float


@dataclass(frozen=True)
class Saved:
    """A frame for the gallery."""

    turn: int
    iteration: int
    message: bytes


@dataclass(frozen=True)
class Checkpointed:
    """A checkpoint for the gallery."""

    turn: int
    iteration: int
    data: bytes


@dataclass(frozen=True)
class Rested:
    """It has ended with its painting; with the picture, if all that was asked for is painted."""

    turn: int
    iteration: int
    seen: tuple[Pace, ...] = ()  # what it cost
    checkpoint: bytes | None = None
    picture: bytes | None = None
    frame: bytes | None = None  # the last iteration's, for the gallery
    refusal: tuple[str, str, str] | None = None  # why it cannot be painted
