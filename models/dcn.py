"""Deep & cross network, version 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from models.network import Network


class DeepCross(Network):
    """Cross layers and a deep part side by side on the same vector, joined before the output (the parallel structure).

        x_0 = encoder(features);  y = output([cross_L(x_0, ... cross_1(x_0, x_0)), deep(x_0)])

    Source: Wang et al. 2021, https://arxiv.org/abs/2008.13535, section 3, figure 1b.

    Args:
        encoder: features -> [batch, n].
        crosses: layers (x0 [batch, n], x [batch, n]) -> [batch, n].
        deep: [batch, n] -> [batch, m].
        output: [batch, n + m] -> [batch, units].
    """

    def __init__(
        self,
        encoder: tf.keras.layers.Layer,
        crosses: Sequence[tf.keras.layers.Layer],
        deep: tf.keras.layers.Layer,
        output: tf.keras.layers.Layer,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder, self.crosses, self.deep, self.last = encoder, list(crosses), deep, output

    def call(self, features: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """The output layer's value."""
        first = self.encoder(features, training=training)
        crossed = first
        for cross in self.crosses:
            crossed = cross(first, crossed)
        return self.last(tf.concat([crossed, self.deep(first, training=training)], axis=1))
