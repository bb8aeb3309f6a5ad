"""What an engine is: the part of style transfer that vgg19 and patches do differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from model.backend import tensor
from model.colour import Pixels
from model.errors import Refusal
from model.recipe import Recipe

State = dict[str, Any]  # tensors by name: all that a step reads and makes
Losses = Any  # a tensor: total, style, content, variation
LOSSES = ("total", "style", "content", "variation")


@dataclass(frozen=True)
class Place:
    """Where in a painting a step is: how many finer scales are below this one, and the step within its steps."""

    below: int
    step: int
    steps: int


class Engine(Protocol):
    """One way to paint. A scene is what stays the same while one scale is painted; a state is what changes."""

    name: str
    smallest: int  # long side of the coarsest scale worth painting
    fingerprint: str  # tells weights from other weights

    def scene(self, photo: Pixels, artworks: Sequence[Pixels], recipe: Recipe) -> Any:
        """What does not change while `photo` is painted at this size."""
        ...

    def begin(self, scene: Any, recipe: Recipe, before: State | None, scene_before: Any) -> State:
        """The first state of a scale, from nothing or from the last state of the scale before."""
        ...

    def step(self, scene: Any, state: State, recipe: Recipe, place: Place) -> tuple[State, Losses]:
        """The next state, and the losses."""
        ...

    def restore(self, scene: Any, arrays: State) -> State:
        """The state from its arrays: those of a checkpoint, maybe a stranger's, or of another scene at this scale."""
        ...

    def settled(self, recipe: Recipe) -> Recipe:
        """The recipe with what was left to the engine decided, so that it paints the same anywhere."""
        ...

    def pixels(self, scene: Any, state: State, recipe: Recipe) -> Pixels:
        """The painting as it stands."""
        ...


def restored(arrays: State, kinds: Mapping[str, tuple[tuple[int, ...], str]]) -> State:
    """`arrays` as tensors, if they are the ones that a state has: `kinds` tells their shapes and types by name."""
    found = {name: (tuple(value.shape), value.dtype.name) for name, value in arrays.items()}
    if found != dict(kinds) or not all(np.isfinite(value).all() for value in arrays.values()):
        problem = "The checkpoint's state does not fit its recipe and pictures."
        raise Refusal("checkpoint_unfit", problem, "The file may be damaged: use an earlier one.")
    return {
        name: tensor(np.clip(value, 0, 1) if name == "picture" else value, kinds[name][1])
        for name, value in arrays.items()
    }
