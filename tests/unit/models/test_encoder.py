from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.encoder import Encoder
from schemas.transformed import Category, Dense, Picture, Tokens


def test_numbers_come_first_as_they_are() -> None:
    layer = Encoder([Category("c", 3), Dense("x", 2)], embedding_size=2)
    features = {"c": tf.constant([[1]], tf.int64), "x": tf.constant([[0.5, -1.0]])}
    layer(features)
    layer.set_weights([np.array([[0.0, 0.0], [7.0, 8.0], [0.0, 0.0]])])
    np.testing.assert_array_equal(layer(features), [[0.5, -1.0, 7.0, 8.0]])


def test_every_kind_of_input_side_by_side() -> None:
    layer = Encoder([Dense("x", 3), Category("c", 5), Tokens("t", 9, 4), Picture("p", 4, 4, 1)], embedding_size=6)
    features = {
        "x": tf.zeros([2, 3]),
        "c": tf.zeros([2, 1], tf.int64),
        "t": tf.zeros([2, 4], tf.int64),
        "p": tf.zeros([2, 4, 4, 1]),
    }
    assert layer(features).shape == (2, 3 + 6 + 6 + 64)
