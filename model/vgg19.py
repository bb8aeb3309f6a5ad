"""The engine with a neural network: VGG19 compares what it sees (Gatys, Ecker and Bethge, CVPR 2016).

Style is the Gram matrices of five layers, content the features of a deep one; Adam changes the picture until both fit.
With `balanced` each loss is measured against the pictures at hand, so that a weight means the same on all of them;
without, the losses are those of the classic tutorial, to the letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model import chance
from model.backend import Tensor, array, bfloat16_is_faster, compiled, ops, tensor, value_and_gradient
from model.colour import FROM_CHROMA, TO_CHROMA, Pixels, with_palette_of
from model.engine import Losses, Place, State, restored
from model.recipe import Recipe
from model.scales import resized
from model.weights import Weights

STYLE = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")
CONTENT = "block5_conv2"
LAYERS = tuple(f"block{block}_conv{n}" for block, count in enumerate((2, 2, 4, 4, 2), 1) for n in range(1, count + 1))
MEAN = (103.939, 116.779, 123.68)  # of ImageNet's blue, green and red, as Keras takes them off
SECOND_DECAY = 0.999  # of Adam
# What a weight of 1 stands for when balanced: style, content, variation relative to those of the pictures at hand.
BALANCE = (1.0, 0.02, 0.002)

PICTURE = ((1, None, None, 3), "float32")


@dataclass(frozen=True)
class Scene:
    """What does not change while one scale is painted."""

    photo: Pixels
    grams: tuple[Tensor, ...]  # of the artworks, blended
    content: Tensor  # the photo's features
    norms: tuple[float, ...]  # what the losses are multiplied by: one a style layer, then content and variation


class VGG19:
    """Paints by what a network trained on photographs sees."""

    name = "vgg19"
    smallest = 128

    def __init__(self, weights: Weights) -> None:
        self._weights = [(weights[layer][0], weights[layer][1]) for layer in LAYERS]
        self.fingerprint = hashlib.sha256(b"".join(part.data for pair in self._weights for part in pair)).hexdigest()[
            :16
        ]
        self._precision = "bfloat16" if bfloat16_is_faster() else "float32"
        self._networks: dict[str, _Network] = {}

    def scene(self, photo: Pixels, artworks: Sequence[Pixels], recipe: Recipe) -> Scene:
        """What is needed to paint `photo` at its size with `artworks`, which have theirs."""
        network = self._network(recipe)
        if recipe.keep_colors:
            artworks = [with_palette_of(artwork, photo) for artwork in artworks]
        shares = recipe.shares(len(artworks))
        seen = [network.seen(artwork) for artwork in artworks]
        grams = [
            sum(share * gram for share, gram in zip(shares, layer, strict=True))
            for layer in zip(*(grams for *grams, _ in seen), strict=True)
        ]
        content = network.seen(photo)[-1]
        norms = [1.0] * (len(STYLE) + 2)
        if recipe.balanced:
            energies = [_energy(gram) for gram in grams]
            theirs = np.dot(shares, [_energy(features) for *_, features in seen])
            energies.append((_energy(content) + theirs) / 2)
            theirs = np.dot(shares, [_roughness(artwork) for artwork in artworks])
            energies.append((_roughness(photo) + theirs) / 2 * photo.size)
            amounts = [BALANCE[0]] * len(STYLE) + list(BALANCE[1:])
            norms = [amount / max(energy, 1e-12) for amount, energy in zip(amounts, energies, strict=True)]
        return Scene(photo, tuple(grams), content, tuple(norms))

    def begin(self, scene: Scene, recipe: Recipe, before: State | None, scene_before: Scene | None) -> State:
        """The first state of a scale: from the photo or noise, or from where the scale before ended."""
        if before is not None:
            picture = resized(array(before["picture"])[0], *scene.photo.shape[:2])
        elif recipe.init == "noise":
            picture = chance.uniform(scene.photo.shape, recipe.seed, 2)
        else:
            picture = scene.photo
        still = np.zeros_like(picture[None])
        return {"picture": tensor(picture[None]), "mean": tensor(still), "square": tensor(still)}

    def step(self, scene: Scene, state: State, recipe: Recipe, place: Place) -> tuple[State, Losses]:
        """One step of Adam."""
        fade = recipe.fade ** (place.step / max(1, place.steps - 1))
        done = place.step + 1
        pace = recipe.learning_rate * fade * np.sqrt(1 - SECOND_DECAY**done) / (1 - recipe.momentum**done)
        numbers = [pace, recipe.momentum, recipe.epsilon]
        numbers += [recipe.style_weight, recipe.content_weight, recipe.variation_weight, *scene.norms]
        picture, mean, square, losses = self._network(recipe).step(
            state["picture"], state["mean"], state["square"], scene.grams, scene.content, tensor(numbers)
        )
        return {"picture": picture, "mean": mean, "square": square}, losses

    def restore(self, scene: Scene, arrays: State) -> State:
        """The state from its arrays."""
        kinds = dict.fromkeys(("picture", "mean", "square"), ((1, *scene.photo.shape), "float32"))
        return restored(arrays, kinds)

    def pixels(self, scene: Scene, state: State, recipe: Recipe) -> Pixels:
        """The painting as it stands; to keep the photo's colours, its light with the photo's chroma."""
        picture: Pixels = array(state["picture"])[0]
        if not recipe.keep_colors:
            return picture
        mixed = scene.photo @ TO_CHROMA
        mixed[..., 0] = (picture @ TO_CHROMA)[..., 0]
        return np.asarray(mixed @ FROM_CHROMA, np.float32)

    def settled(self, recipe: Recipe) -> Recipe:
        """The recipe with what was left to the engine."""
        precision = self._precision if recipe.precision == "auto" else recipe.precision
        return replace(recipe, engine=self.name, fingerprint=self.fingerprint, precision=precision)

    def _network(self, recipe: Recipe) -> _Network:
        kind = self._precision if recipe.precision == "auto" else recipe.precision
        if kind not in self._networks:
            self._networks[kind] = _Network(self._weights, kind)
        return self._networks[kind]


class _Network:
    """The layers of VGG19 that count, in one precision, and a compiled step through them."""

    def __init__(self, weights: Sequence[tuple[np.ndarray, np.ndarray]], kind: str) -> None:
        self._weights = [(tensor(kernel, kind), tensor(bias, kind)) for kernel, bias in weights]
        shapes = [((*kernel.shape,), kind) for pair in weights for kernel in pair]
        layers = [(shapes[i], shapes[i + 1]) for i in range(0, len(shapes), 2)]
        channels = dict(zip(LAYERS, (pair[1][0][0] for pair in layers), strict=True))
        grams = tuple(((channels[layer], channels[layer]), "float32") for layer in STYLE)
        content = ((1, None, None, channels[CONTENT]), kind)
        numbers = ((6 + len(STYLE) + 2,), "float32")
        self._seen = compiled(_seen, [PICTURE, layers])
        self._step = compiled(_step, [PICTURE, PICTURE, PICTURE, grams, content, numbers, layers])

    def seen(self, pixels: Pixels) -> list[Tensor]:
        return list(self._seen(tensor(pixels[None]), self._weights))

    def step(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self._step(*inputs, self._weights))


def _seen(picture: Tensor, weights: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """The Gram matrices of the style layers and, last, the features of the content layer."""
    x = ops.flip(picture, axis=-1) * 255.0 - ops.convert_to_tensor(MEAN, dtype="float32")
    x = ops.cast(x, weights[0][0].dtype)
    found = []
    for layer, (kernel, bias) in zip(LAYERS, weights, strict=True):
        if layer.endswith("conv1") and layer != LAYERS[0]:
            x = ops.max_pool(x, 2, strides=2, padding="valid")
        x = ops.relu(ops.add(ops.conv(x, kernel, padding="same"), bias))
        if layer in STYLE:
            found.append(_gram(x))
    return [*found, x]


def _gram_and_back(features: Tensor) -> tuple[Tensor, Callable[..., Tensor]]:
    """Which features occur together, on average over all positions; with a gradient in the features' own precision."""
    flat = ops.reshape(features, (-1, features.shape[-1]))
    wide = ops.cast(flat, "float32")
    count = ops.cast(ops.shape(flat)[0], "float32")

    def back(*inputs: Tensor, upstream: Tensor = None) -> Tensor:
        pull = inputs[0] if upstream is None else upstream
        pull = ops.cast((pull + ops.transpose(pull)) / count, features.dtype)
        return ops.reshape(flat @ pull, ops.shape(features))

    return ops.transpose(wide) @ wide / count, back


_gram = ops.custom_gradient(_gram_and_back)


def _objective(
    picture: Tensor, grams: Sequence[Tensor], content: Tensor, numbers: Tensor, weights: Sequence[tuple[Tensor, Tensor]]
) -> tuple[Tensor, Tensor]:
    *seen, features = _seen(picture, weights)
    norms = numbers[6:]
    parts = [
        norms[i] * ops.mean((gram - wanted) ** 2) for i, (gram, wanted) in enumerate(zip(seen, grams, strict=True))
    ]
    style = sum(parts) / len(STYLE)
    apart = ops.cast(features, "float32") - ops.cast(content, "float32")
    likeness = norms[len(STYLE)] * ops.mean(apart**2)
    right = ops.sum(ops.abs(picture[:, :, 1:] - picture[:, :, :-1]))
    below = ops.sum(ops.abs(picture[:, 1:] - picture[:, :-1]))
    variation = norms[len(STYLE) + 1] * (right + below)
    total = numbers[3] * style + numbers[4] * likeness + numbers[5] * variation
    return total, ops.stack([total, style, likeness, variation])


_gradient = value_and_gradient(_objective)


def _step(picture: Tensor, mean: Tensor, square: Tensor, *rest: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Adam (Kingma and Ba, ICLR 2015) with the bias corrections in the pace, then back into the range of a picture."""
    (_, losses), gradient = _gradient(picture, *rest)
    pace, momentum, epsilon = rest[2][0], rest[2][1], rest[2][2]
    mean = momentum * mean + (1 - momentum) * gradient
    square = SECOND_DECAY * square + (1 - SECOND_DECAY) * gradient**2
    picture = ops.clip(picture - pace * mean / (ops.sqrt(square) + epsilon), 0.0, 1.0)
    return picture, mean, square, losses


def _energy(features: Tensor) -> float:
    return float(ops.mean(ops.cast(features, "float32") ** 2))


def _roughness(pixels: Pixels) -> float:
    """The variation of a picture, by pixel and channel."""
    return float(np.abs(np.diff(pixels, axis=0)).mean() + np.abs(np.diff(pixels, axis=1)).mean())
