"""A stack of dense layers."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


class Deep(tf.keras.layers.Layer):
    """Dense layers with ReLU, each followed by dropout where there is any.

    Args:
        hidden_units: units of each layer.
        dropout: fraction of units dropped while training; default 0.
        l2: weight of the L2 penalty on the kernels; default 0.

    Call arguments:
        x: float [batch, n].

    Returns:
        float [batch, hidden_units[-1]].
    """

    def __init__(self, hidden_units: Sequence[int], dropout: float = 0.0, l2: float = 0.0, **kwargs: object) -> None:
        super().__init__(**kwargs)
        regularizer = tf.keras.regularizers.L2(l2) if l2 else None
        self._layers: list[tf.keras.layers.Layer] = []
        for units in hidden_units:
            self._layers.append(tf.keras.layers.Dense(units, activation="relu", kernel_regularizer=regularizer))
            if dropout:
                self._layers.append(tf.keras.layers.Dropout(dropout))

    def call(self, x: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """The output of the last layer."""
        for layer in self._layers:
            x = layer(x, training=training) if isinstance(layer, tf.keras.layers.Dropout) else layer(x)
        return x
