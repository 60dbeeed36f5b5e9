"""Embedding of a text."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from schemas.transformed import Tokens


class TokenEmbedding(tf.keras.layers.Layer):
    """The mean of the tokens' embeddings, weighted where the feature has weights; padding counts for nothing.

        e = sum_i w_i E[t_i] / max(sum_i w_i, epsilon)

    A text without tokens gives zeros.

    Args:
        tokens: the input.
        width: numbers a token becomes; default 64.

    Call arguments:
        features: {tokens.key: int64 [batch, length], tokens.weights: float [batch, length]}.

    Returns:
        float [batch, width].
    """

    def __init__(self, tokens: Tokens, width: int | None = None, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._tokens = tokens
        self._width = width or 64

    def build(self, shape: object) -> None:
        """Makes the table [size, width]."""
        self.table = self.add_weight("table", (self._tokens.size, self._width), initializer="uniform")
        super().build(shape)

    @property
    def tables(self) -> list[tuple[tf.Variable, tuple[Tokens, ...]]]:
        """The table, with its input."""
        return [(self.table, (self._tokens,))]

    def call(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The weighted mean."""
        ids = features[self._tokens.key]
        embedded = tf.nn.embedding_lookup(self.table, ids)
        weights = tf.cast(tf.not_equal(ids, 0), embedded.dtype)
        if self._tokens.weights is not None:
            weights *= tf.cast(features[self._tokens.weights], embedded.dtype)
        total = tf.reduce_sum(weights, axis=1, keepdims=True)
        return tf.einsum("bl,blw->bw", weights, embedded) / tf.maximum(total, 1e-3)
