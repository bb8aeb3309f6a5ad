"""What VGG19 is compared with: the style transfer tutorial of TensorFlow's documentation, in the ways it is published.

Keras' own VGG19 as a feature extractor, one gradient tape, Adam, run eagerly. Where it is made a function of a service,
as in Flyte's "Neural Style Transfer" example, each step builds the network and the optimizer again and asks the network
what it sees in photo and artwork. Only the weights are other: seeded random ones, which take the same time.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from model.colour import Pixels
from model.vgg19 import CONTENT, STYLE
from model.weights import Weights

STYLE_WEIGHT = 1e-2
CONTENT_WEIGHT = 1e4
VARIATION_WEIGHT = 30.0

Features = tuple[list[tf.Tensor], tf.Tensor]  # Gram matrices of the style layers, and the content layer's features


class Tutorial:
    """One photo and one artwork, and the steps of the tutorial on them."""

    def __init__(self, weights: Weights, photo: Pixels, artwork: Pixels) -> None:
        self._weights = weights
        self._network = self._built()
        self._optimizer = _optimizer()
        self._photo, self._artwork = tf.constant(photo[None]), tf.constant(artwork[None])
        self._styles, self._content = self._targets(self._network)
        self.picture = tf.Variable(photo[None])
        self._optimizer.build([self.picture])
        self._compiled = tf.function(lambda: self._step(self._network, self._optimizer))
        self._loss = tf.function(lambda picture: self._objective(self._network, picture))

    def rebuilt_step(self) -> None:
        """As in the service, with nothing kept from step to step but the picture."""
        network = self._built()
        self._styles, self._content = self._targets(network)
        self._step(network, _optimizer()).numpy()

    def remade_step(self) -> None:
        """With network and optimizer built again, but what they are to reach kept."""
        self._step(self._built(), _optimizer()).numpy()

    def eager_step(self) -> None:
        """As in the tutorial, before it comes to compiling."""
        self._step(self._network, self._optimizer).numpy()

    def compiled_step(self) -> None:
        """As in the tutorial, compiled."""
        self._compiled().numpy()

    def loss(self, pixels: Pixels) -> float:
        """What the tutorial minimizes, of a picture."""
        return float(self._loss(tf.constant(pixels[None])))

    def _built(self) -> keras.Model:
        network = keras.applications.VGG19(include_top=False, weights=None)
        network.trainable = False
        network.set_weights([array for pair in self._weights.values() for array in pair])
        outputs = [network.get_layer(layer).output for layer in (*STYLE, CONTENT)]
        return keras.Model([network.input], outputs)

    def _targets(self, network: keras.Model) -> Features:
        styles, _ = _features(network, self._artwork)
        _, content = _features(network, self._photo)
        return styles, content

    def _step(self, network: keras.Model, optimizer: keras.optimizers.Optimizer) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self._objective(network, self.picture)
        optimizer.apply_gradients([(tape.gradient(loss, self.picture), self.picture)])
        self.picture.assign(tf.clip_by_value(self.picture, 0.0, 1.0))
        return loss

    def _objective(self, network: keras.Model, picture: Any) -> tf.Tensor:
        styles, content = _features(network, picture)
        parts = [tf.reduce_mean((a - b) ** 2) for a, b in zip(styles, self._styles, strict=True)]
        style = tf.add_n(parts) * STYLE_WEIGHT / len(STYLE)
        likeness = tf.reduce_mean((content - self._content) ** 2) * CONTENT_WEIGHT
        return style + likeness + VARIATION_WEIGHT * tf.image.total_variation(picture)[0]


def _features(network: keras.Model, picture: Any) -> Features:
    *styles, content = network(keras.applications.vgg19.preprocess_input(picture * 255.0))
    return [_gram(features) for features in styles], content


def _gram(features: tf.Tensor) -> tf.Tensor:
    positions = tf.cast(tf.shape(features)[1] * tf.shape(features)[2], tf.float32)
    return tf.linalg.einsum("bijc,bijd->bcd", features, features) / positions


def _optimizer() -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=1e-1)
