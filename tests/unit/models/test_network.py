from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.network import Network, example_features, feature_keys
from schemas.transformed import Category, Dense, Picture, Tokens

INPUTS = (Dense("x", 2), Category("c", 5), Tokens("t", 9, 3, weights="t_weight"), Picture("p", 4, 6, 3))


def test_features_of_every_kind() -> None:
    found = {key: (value.dtype, tuple(value.shape)) for key, value in example_features(INPUTS, rows=2).items()}
    assert found == {
        "x": (tf.float32, (2, 2)),
        "c": (tf.int64, (2, 1)),
        "t": (tf.int64, (2, 3)),
        "t_weight": (tf.float32, (2, 3)),
        "p": (tf.float32, (2, 4, 6, 3)),
    }


def test_weights_of_tokens_are_features() -> None:
    assert feature_keys(INPUTS) == ("x", "c", "t", "t_weight", "p")


class _Seen(Network):
    """Notes whether AutoGraph has rewritten the code that runs."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = tf.keras.layers.Dense(1)
        self.rewritten: list[bool] = []

    def call(self, x: tf.Tensor) -> tf.Tensor:
        self.rewritten.append("__autograph_generated_file" in _caller_file())
        return self.dense(x)


def _caller_file() -> str:
    import inspect

    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_code.co_filename


def test_steps_are_not_rewritten_by_autograph() -> None:
    model = _Seen()
    x = tf.ones([8, 2])
    model(x)
    model.compile("sgd", "mse", steps_per_execution=2)
    model.fit(x, tf.ones([8, 1]), batch_size=2, validation_data=(x, tf.ones([8, 1])), verbose=0)
    assert len(model.rewritten) > 1
    assert not any(model.rewritten)


class _KerasLinear(tf.keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = tf.keras.layers.Dense(1)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.dense(x)


class _OurLinear(Network):
    def __init__(self) -> None:
        super().__init__()
        self.dense = tf.keras.layers.Dense(1)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.dense(x)


@pytest.mark.slow
def test_fit_agrees_with_keras() -> None:
    x = tf.random.stateless_normal([32, 3], [1, 2])
    y = tf.reduce_sum(x, axis=1, keepdims=True)
    found = []
    for kind in (_OurLinear, _KerasLinear):
        tf.keras.utils.set_random_seed(1)
        model = kind()
        # Keras runs eagerly: the graph that AutoGraph would make of it takes many seconds and gives the same.
        model.compile("sgd", "mse", metrics=["mae"], run_eagerly=kind is _KerasLinear)
        history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, validation_data=(x, y), verbose=0)
        found.append(history.history)
    ours, theirs = found
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5)
