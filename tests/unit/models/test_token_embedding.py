from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.token_embedding import TokenEmbedding
from schemas.transformed import Tokens

TABLE = np.array([[100.0, 100.0], [1.0, 2.0], [3.0, 6.0]])


def test_mean_of_the_tokens_without_padding() -> None:
    layer = TokenEmbedding(Tokens("t", size=3, length=3), width=2)
    features = {"t": tf.constant([[1, 2, 0], [2, 0, 0]], tf.int64)}
    layer(features)
    layer.set_weights([TABLE])
    np.testing.assert_allclose(layer(features), [[2.0, 4.0], [3.0, 6.0]])


def test_weighted_mean() -> None:
    layer = TokenEmbedding(Tokens("t", size=3, length=2, weights="w"), width=2)
    features = {"t": tf.constant([[1, 2]], tf.int64), "w": tf.constant([[3.0, 1.0]])}
    layer(features)
    layer.set_weights([TABLE])
    np.testing.assert_allclose(layer(features), [[1.5, 3.0]])


def test_no_token_gives_zeros() -> None:
    layer = TokenEmbedding(Tokens("t", size=3, length=2), width=2)
    np.testing.assert_array_equal(layer({"t": tf.zeros([1, 2], tf.int64)}), [[0.0, 0.0]])
