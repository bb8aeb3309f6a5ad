"""Style transfer as a generator: each step yields an iteration, and changes can be sent in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model import pictures, weights
from model.backend import array, device
from model.checkpoint import Checkpoint
from model.colour import Pixels
from model.download import Progress
from model.engine import LOSSES, Engine, Place, State
from model.errors import Refusal
from model.patches import Patches
from model.pictures import Picture, fit
from model.recipe import MOST_ARTWORKS, Changes, Recipe, check_changes, settings
from model.scales import Scale, passes, resized
from model.vgg19 import VGG19


@dataclass(frozen=True)
class Iteration:
    """One finished step. The picture is made only if somebody asks for it, then or later."""

    number: int  # from 0
    of: int  # as many will be painted, by the recipe as it is
    scale: int  # from 0, the coarsest; that of a further pass is the finest
    scales: int
    losses: dict[str, float]  # of the picture that the step began with, as a gradient gives them
    elapsed: float  # seconds of painting, those before a checkpoint included
    recipe: Recipe
    _canvas: _Canvas
    _state: State

    @property
    def pixels(self) -> Pixels:
        """The picture with all its precision, 0 to 1."""
        canvas = self._canvas
        return np.clip(canvas.engine.pixels(canvas.scene, self._state, canvas.force), 0, 1)

    @property
    def picture(self) -> Picture:
        """The picture, at the size of its scale."""
        return np.asarray(self.pixels * 255 + 0.5, np.uint8)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height at this scale."""
        return self._canvas.scale.width, self._canvas.scale.height

    def painting(self, format: pictures.Format) -> bytes:
        """A file of the picture in full size, with a recipe that paints just this: it stops where the picture is."""
        height, width = self._canvas.content.shape[:2]
        recipe = self.recipe
        if self.number + 1 < recipe.end:
            recipe = recipe.changed(self.number + 1, {"stop": True})
        return pictures.encode(resized(self.pixels, height, width), format, recipe.to_dict())

    def checkpoint(self) -> Checkpoint:
        """All that is needed to go on after this iteration."""
        canvas = self._canvas
        state = {name: array(value) for name, value in self._state.items()}
        return Checkpoint(
            self.recipe, self.number, self.elapsed, canvas.engine.fingerprint, canvas.content, canvas.styles, state
        )


@dataclass(frozen=True)
class _Canvas:
    """What one scale of one painting is painted with."""

    engine: Engine
    content: Picture
    styles: tuple[Picture, ...]
    scale: Scale
    force: Recipe  # the settings in force
    scene: Any

    @classmethod
    def stretched(
        cls, engine: Engine, content: Picture, styles: tuple[Picture, ...], scale: Scale, force: Recipe
    ) -> _Canvas:
        photo = resized(_floats(content), scale.height, scale.width)
        long, area = max(scale.height, scale.width), scale.height * scale.width
        artworks = []
        for style in styles:
            # As long as the photo, but next to a very narrow one not much larger.
            height, width = style.shape[:2]
            shrink = min(long / max(height, width), (2 * area / (height * width)) ** 0.5)
            artworks.append(resized(_floats(style), max(16, round(height * shrink)), max(16, round(width * shrink))))
        return cls(engine, content, styles, scale, force, engine.scene(photo, artworks, force))


class StyleTransfer:
    """An engine, loaded once, that paints one picture after the other."""

    def __init__(
        self,
        engine: str = "auto",
        weights: str = "auto",
        say: Callable[[str], None] = lambda sentence: None,
        progress: Progress | None = None,
    ) -> None:
        """Load `engine`. Which one `auto` has chosen and why is told to `say`."""
        self.engine = _load(engine, weights, say, progress)
        self.device = device()

    def paint(
        self, content: Picture, styles: Sequence[Picture], recipe: Recipe = Recipe()
    ) -> Generator[Iteration, Changes | None, None]:
        """Paint `content` in the style of `styles`.

        Yields after each step. Changes sent in (steerable settings by name, or {"stop": True}) take effect at the next
        step and are written down in the recipe; changes already in the recipe are made again when their time comes.
        {"more": 20} has so many further iterations painted at the end, in a pass of their own at full size.
        A generator that raises is at its end, so changes from a stranger have to pass `recipe.check_changes` first.
        """
        if recipe.engine not in ("auto", self.engine.name):
            problem = f"The recipe asks for the engine {recipe.engine}, but {self.engine.name} is loaded."
            raise Refusal("engine_other", problem, f"Load {recipe.engine}, or set engine to auto.")
        if len(styles) > MOST_ARTWORKS:
            problem = f"There are {len(styles)} artworks; {MOST_ARTWORKS} can be blended."
            raise Refusal("artworks_many", problem, f"Give at most {MOST_ARTWORKS}.")
        if not styles:
            raise Refusal("artwork_missing", "There is no artwork to paint from.", "Give at least one.")
        recipe.shares(len(styles))
        if recipe.fingerprint not in ("", self.engine.fingerprint):
            problem = f"The recipe was painted with other weights of {recipe.engine}: {recipe.fingerprint}."
            raise Refusal("weights_other", problem, "Load those, or choose weights with --weights.")
        recipe = self.engine.settled(recipe)
        return self._paint(fit(content, recipe.size), tuple(fit(style, recipe.size) for style in styles), recipe, None)

    def resume(self, checkpoint: Checkpoint) -> Generator[Iteration, Changes | None, None]:
        """Go on after a checkpoint; all that follows is as if the painting had never stopped."""
        self._check_fit(checkpoint)
        return self._paint(checkpoint.content, checkpoint.styles, checkpoint.recipe, checkpoint)

    def shown(self, checkpoint: Checkpoint) -> Iteration:
        """The iteration that a checkpoint was made of; its losses are not known any more."""
        self._check_fit(checkpoint)
        recipe, number = checkpoint.recipe, checkpoint.iteration
        height, width = checkpoint.content.shape[:2]
        scales = passes(height, width, recipe, self.engine.smallest)
        index, first = 0, 0
        while number >= first + scales[index].steps:
            index, first = index + 1, first + scales[index].steps
        finest = len(scales) - 1 - len(recipe.further)
        canvas = _Canvas.stretched(self.engine, checkpoint.content, checkpoint.styles, scales[index], recipe.at(number))
        state = self.engine.restore(canvas.scene, dict(checkpoint.state))
        index, elapsed = min(index, finest), checkpoint.elapsed
        return Iteration(number, recipe.end, index, finest + 1, {}, elapsed, recipe, canvas, state)

    def _check_fit(self, checkpoint: Checkpoint) -> None:
        if (checkpoint.recipe.engine, checkpoint.fingerprint) != (self.engine.name, self.engine.fingerprint):
            wanted = f"{checkpoint.recipe.engine} {checkpoint.fingerprint}".strip()
            loaded = f"{self.engine.name} {self.engine.fingerprint}".strip()
            problem = f"The checkpoint was painted by {wanted}, but {loaded} is loaded."
            raise Refusal("checkpoint_unfit", problem, "Go on with the same engine and weights.")

    def _paint(
        self, content: Picture, styles: tuple[Picture, ...], recipe: Recipe, since: Checkpoint | None
    ) -> Generator[Iteration, Changes | None, None]:
        height, width = content.shape[:2]
        scales = passes(height, width, recipe, self.engine.smallest)
        finest = len(scales) - 1 - len(recipe.further)
        elapsed, clock = since.elapsed if since else 0.0, time.perf_counter()
        index = number = first = 0  # of the pass, of the next iteration, and of the pass's first
        canvas: _Canvas | None = None
        state: State | None = None
        while index < len(scales):  # which grow when more is asked for
            scale = scales[index]
            if since and since.iteration >= first + scale.steps:
                index, first = index + 1, first + scale.steps
                continue
            force = recipe.at(since.iteration + 1 if since else first)
            before = canvas
            canvas = _Canvas.stretched(self.engine, content, styles, scale, force)
            if since:
                state = self.engine.restore(canvas.scene, dict(since.state))
                number, since = since.iteration + 1, None
            else:
                state = self.engine.begin(canvas.scene, force, state, before and before.scene)
            while number < first + scale.steps:
                if recipe.stopped(number):
                    return
                force = recipe.at(number)
                if force != canvas.force:
                    if _seen(force) != _seen(canvas.force):
                        canvas = _Canvas.stretched(self.engine, content, styles, scale, force)
                        arrays = {name: array(value) for name, value in state.items()}
                        state = self.engine.restore(canvas.scene, arrays)
                    canvas = replace(canvas, force=force)
                place = Place(max(0, finest - index), number - first, scale.steps)
                state, losses = self.engine.step(canvas.scene, state, force, place)
                values = dict(zip(LOSSES, map(float, array(losses)), strict=True))
                elapsed += time.perf_counter() - clock
                changes = yield Iteration(
                    number, recipe.end, min(index, finest), finest + 1, values, elapsed, recipe, canvas, state
                )
                clock = time.perf_counter()  # what others did meanwhile, or waited for, was not painting
                number += 1
                if changes:
                    recipe = recipe.changed(number, check_changes(changes, len(styles)))
                    scales = passes(height, width, recipe, self.engine.smallest)
            index, first = index + 1, first + scale.steps


def _seen(recipe: Recipe) -> tuple[Any, ...]:
    """The settings that a scene is made from and that may change while painting."""
    return recipe.keep_colors, recipe.blend


def _floats(picture: Picture) -> Pixels:
    return np.asarray(picture / np.float32(255), np.float32)


def _load(name: str, choice: str, say: Callable[[str], None], progress: Progress | None) -> Engine:
    if name not in settings()["engine"].choices:
        known = ", ".join(settings()["engine"].choices)
        raise Refusal("engine_unknown", f"There is no engine {name!r}.", f"Choose one of {known}.")
    if name == "patches":
        return Patches()
    if choice == "random":
        return VGG19(weights.random(seed=0))
    try:
        return VGG19(weights.load(weights.find(choice, progress)))
    except Refusal as refusal:
        if name == "vgg19" or choice != "auto":
            raise
        say(f"Painting with patches, which needs no weights: {refusal.message}")
        return Patches()
