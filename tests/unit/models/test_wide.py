from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.wide import Wide
from schemas.transformed import Category, Dense, Tokens


def test_sum_of_the_weights_that_apply() -> None:
    layer = Wide([Category("a", 2), Category("b", 2), Dense("x", 2)], units=1)
    features = {
        "a": tf.constant([[1]], tf.int64),
        "b": tf.constant([[0]], tf.int64),
        "x": tf.constant([[2.0, 3.0]]),
    }
    layer(features)
    weights = {weight.name: weight for weight in layer.weights}
    assert len(weights) == 3
    for name, weight in weights.items():
        if "bias" in name:
            weight.assign([0.5])
        elif "kernel" in name:
            weight.assign([[10.0], [100.0]])
        else:
            weight.assign([[1.0], [2.0], [4.0], [8.0]])
    np.testing.assert_allclose(layer(features), [[2.0 + 4.0 + 20.0 + 300.0 + 0.5]])


def test_it_starts_at_zero() -> None:
    layer = Wide([Category("a", 2), Dense("x", 1)], units=3)
    features = {"a": tf.constant([[1]], tf.int64), "x": tf.constant([[2.0]])}
    np.testing.assert_array_equal(layer(features), [[0.0, 0.0, 0.0]])


def test_texts_alone_leave_it_nothing() -> None:
    layer = Wide([Tokens("t", 5, 2)], units=1)
    np.testing.assert_array_equal(layer({"t": tf.ones([3, 2], tf.int64)}), [[0.0]])
