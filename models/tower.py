"""One side of a two-tower model."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf


class Tower(tf.keras.layers.Layer):
    """Features as a vector of length 1, so that the product of two of them is their cosine.

        v = W encoder(features) + b;  tower = v / |v|

    Args:
        encoder: features -> float [batch, n].
        size: numbers of the vector.

    Call arguments:
        features: {key: tensor} as Transform gives them.

    Returns:
        float32 [batch, size].
    """

    def __init__(self, encoder: tf.keras.layers.Layer, size: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._encoder = encoder
        self._projection = tf.keras.layers.Dense(size)

    def call(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The vector."""
        projected = self._projection(self._encoder(features))
        return tf.math.l2_normalize(tf.cast(projected, tf.float32), axis=1)
