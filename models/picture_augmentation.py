"""Pictures varied at random while training, so that a model learns what does not matter."""

from __future__ import annotations

import tensorflow as tf


class PictureAugmentation(tf.keras.layers.Layer):
    """Mirrors and moves each picture of a batch on its own; outside of training pictures stay as they are.

    What a moved picture uncovers is filled with its reflection.

    Args:
        flip: mirror half of the pictures left to right.
        shift: most pixels by which a picture is moved, each way, at most its side less one.

    Call arguments:
        x: float [batch, height, width, channels].

    Returns:
        The same shape.
    """

    def __init__(self, flip: bool = False, shift: int = 0, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._flip, self._shift = flip, shift

    def call(self, x: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """The varied pictures."""
        if not training:
            return x
        rows = tf.shape(x)[0]
        if self._flip:
            x = tf.where(tf.random.uniform([rows, 1, 1, 1]) < 0.5, x, tf.reverse(x, [2]))
        for axis in (1, 2):
            x = self._moved(x, axis, rows)
        return x

    def _moved(self, x: tf.Tensor, axis: int, rows: tf.Tensor) -> tf.Tensor:
        side = x.shape[axis]
        most = min(self._shift, side - 1)
        if not most:
            return x
        by = tf.random.uniform([rows, 1], -most, most + 1, tf.int32)
        places = tf.abs(tf.range(side) + by)  # a reflection: -1 is 1, and side is side - 2
        return tf.gather(x, side - 1 - tf.abs(side - 1 - places), axis=axis, batch_dims=1)
