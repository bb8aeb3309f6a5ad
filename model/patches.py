"""The engine that needs no weights: the photo repainted with patches of the artwork, from a thumbnail up to full size.

Two things are done in turn. The flow moves the distribution of the picture's patches towards the artwork's, which alone
gives the right colours but no strokes. The brush lays whole patches of the artwork, and would alone choose the same few
again and again. Together they paint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model import chance
from model import flow as flowing
from model.backend import Tensor, array, compiled, tensor
from model.brush import GUIDE, Sheet, brush
from model.brush import SHAPES as BRUSH_SHAPES
from model.colour import LUMINANCE, Pixels, with_palette_of, with_tones_of
from model.engine import Losses, Place, State, restored
from model.flow import POOL, flow
from model.recipe import Recipe
from model.scales import resized
from model.windows import PATCH, blur, blurred, mixture, samples, softened

CONTENT = 1.2  # pull of the photo's shapes at content_weight 1
FINE = (0.6, 0.8)  # the same on the finest scales, whose strokes the photo's finest light would flatten
VARIATION = 0.001  # at variation_weight 1
BLUR = 1 / 200  # of the light that the photo holds, as a share of the long side
LEAST_BLUR = 1.5  # the same in pixels, for the small scales
SWEEP = 20  # the brush looks for better patches as far as this part of the long side
REST = 4  # steps at the very end without the brush, to settle

SAMPLES = 10_000  # patches that stand for all of the artworks

ONLY_LIGHT = (LUMINANCE / np.linalg.norm(LUMINANCE))[:, None]
ALL_COLOURS = np.eye(3, dtype=np.float32)


@dataclass(frozen=True)
class Scene:
    """What does not change while one scale is painted."""

    photo: Pixels
    palette: Pixels  # colours of the artworks, one below the other
    held: tuple[Tensor, ...]  # what the flow holds of the photo
    projections: Tensor  # (7, 7, 3, POOL)
    quantiles: Tensor  # (POOL, QUANTILES)
    hints: tuple[Tensor, ...]  # what the brush knows of the photo: the guide, and directions to look for better patches
    sheet: Sheet


class Patches:
    """Paints with the artworks' patches and their distribution alone."""

    name = "patches"
    smallest = 64
    fingerprint = ""

    # Compiled once for all that a process loads: there are no weights in which they could differ.
    _flow = staticmethod(compiled(flow, flowing.SHAPES))
    _brush = staticmethod(compiled(brush, BRUSH_SHAPES))

    def scene(self, photo: Pixels, artworks: Sequence[Pixels], recipe: Recipe) -> Scene:
        """What is needed to paint `photo` at its size with `artworks`, which have theirs."""
        height, width = photo.shape[:2]
        if recipe.keep_colors:
            artworks = [with_palette_of(artwork, photo) for artwork in artworks]
        shares = recipe.shares(len(artworks))
        palette = mixture([artwork.reshape(-1, 3) for artwork in artworks], shares, SAMPLES)[:, None]
        if recipe.keep_colors:
            part, shown = ALL_COLOURS, photo
        else:
            light = with_tones_of(photo @ LUMINANCE, palette @ LUMINANCE)
            part, shown = ONLY_LIGHT, np.repeat(light[..., None], 3, axis=2)
        sigma = max(LEAST_BLUR, BLUR * max(height, width))
        shown = np.asarray(shown @ part, np.float32)
        down, across = blur(height, sigma), blur(width, sigma)
        held = (blurred(shown, down, across)[None], part, down, across)
        noise = chance.uniform((height, width, 2), recipe.seed, 1, height, width) * 2 - 1
        directions = flowing.projections(recipe.seed, height, width)
        patches = mixture([samples(artwork, 2 * SAMPLES) for artwork in artworks], shares, SAMPLES)
        return Scene(
            photo,
            palette,
            held=tuple(map(tensor, held)),
            projections=tensor(directions.reshape(PATCH, PATCH, 3, POOL)),
            quantiles=tensor(flowing.quantiles(patches, directions)),
            hints=(tensor(softened(shown)), tensor(noise)),
            sheet=Sheet.laid_out(artworks, shares, patches, part),
        )

    def begin(self, scene: Scene, recipe: Recipe, before: State | None, scene_before: Scene | None) -> State:
        """The first state of a scale: from the photo or noise, or from where the scale before ended."""
        height, width = scene.photo.shape[:2]
        if before is not None and scene_before is not None:
            picture = resized(array(before["picture"])[0], height, width)
            field = scene.sheet.enlarged(array(before["field"]), scene_before.sheet, (height, width))
        else:
            noise = recipe.init == "noise"
            start = chance.uniform(scene.photo.shape, recipe.seed, 2) if noise else scene.photo
            picture = with_palette_of(start, scene.palette)
            field = scene.sheet.nearest(picture, array(scene.hints[0]))
        return {"picture": tensor(picture[None]), "field": tensor(field, "int32")}

    def step(self, scene: Scene, state: State, recipe: Recipe, place: Place) -> tuple[State, Losses]:
        """One iteration: the brush at every other one, then the flow."""
        picture, field = state["picture"], state["field"]
        rest = 0 if place.below else min(REST, place.steps // 4)
        if place.step % 2 == 0 and place.steps - place.step > rest:
            turns = chance.bits(8, recipe.seed, 3, place.below, place.step).reshape(2, 2, 2) % 4096
            reach = max(2, max(scene.photo.shape) // SWEEP)
            numbers = tensor([reach, GUIDE * recipe.content_weight])
            turned = tensor(turns.astype(np.int32), "int32")
            picture, field = self._brush(picture, field, scene.hints, scene.sheet.tensors, turned, numbers)
        wanted = flowing.chosen(scene.projections, scene.quantiles, place.step)
        style = recipe.style_weight
        content = recipe.content_weight * CONTENT * (FINE[place.below] if place.below < len(FINE) else 1)
        variation = recipe.variation_weight * VARIATION
        fade = 0.35 ** (place.step / max(1, place.steps - 1))
        pace = fade / max(1.0, (style + content + 4 * variation) / 2)
        picture, losses = self._flow(picture, scene.held, wanted, tensor([pace, style, content, variation]))
        return {"picture": picture, "field": field}, losses

    def restore(self, scene: Scene, arrays: State) -> State:
        """The state from its arrays."""
        shape = scene.photo.shape[:2]
        state = restored(arrays, {"picture": ((1, *shape, 3), "float32"), "field": ((*shape, 2), "int32")})
        field = np.clip(arrays["field"], 0, np.array(scene.sheet.bias.shape) - 1)
        return {**state, "field": tensor(scene.sheet.allowed(field), "int32")}

    def settled(self, recipe: Recipe) -> Recipe:
        """The recipe with what was left to the engine."""
        return replace(recipe, engine=self.name, fingerprint=self.fingerprint)

    def pixels(self, scene: Scene, state: State, recipe: Recipe) -> Pixels:
        """The painting as it stands."""
        picture: Pixels = array(state["picture"])[0]
        return picture
