"""Wide & deep."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.network import Network


class WideDeep(Network):
    """A linear model that remembers and a deep one that generalises, trained together by one optimizer.

        y = wide(features) + output(deep(encoder(features)))

    Source: Cheng et al. 2016, https://arxiv.org/abs/1606.07792, equation 3; the paper trains the wide part with FTRL.

    Args:
        encoder: features -> [batch, n].
        wide: features -> [batch, units].
        deep: [batch, n] -> [batch, m].
        output: [batch, m] -> [batch, units].
    """

    def __init__(
        self,
        encoder: tf.keras.layers.Layer,
        wide: tf.keras.layers.Layer,
        deep: tf.keras.layers.Layer,
        output: tf.keras.layers.Layer,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder, self.wide, self.deep, self.last = encoder, wide, deep, output

    def call(self, features: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """The sum of both parts."""
        deep = self.last(self.deep(self.encoder(features, training=training), training=training))
        return tf.cast(self.wide(features), deep.dtype) + deep
