from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from models.log_frequency import LogFrequency
from models.two_tower import TwoTower


class _Read(tf.keras.layers.Layer):
    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def call(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        return features[self._key]


class _Same(tf.keras.layers.Layer):
    def call(self, x: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        return x


class _Sum(tf.keras.layers.Layer):
    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(x, axis=1, keepdims=True)


def _model() -> TwoTower:
    frequency = LogFrequency(3)
    frequency.adapt(np.array([1, 1, 2]))
    return TwoTower(_Read("q"), _Read("c"), _Same(), _Sum(), frequency, "id", temperature=0.5)


FEATURES = {
    "q": tf.constant([[1.0, 0.0], [0.0, 1.0]]),
    "c": tf.constant([[0.6, 0.8], [1.0, 0.0]]),
    "id": tf.constant([[0], [2]], tf.int64),
}
# The sum of q, c and q * c.
LOGITS = [[1.0 + 1.4 + 0.6], [1.0 + 1.0 + 0.0]]


def test_the_logit_of_each_pair() -> None:
    np.testing.assert_allclose(_model()(FEATURES, training=False), LOGITS, rtol=1e-6)


def test_in_training_also_the_corrected_scores_of_all_candidates_of_the_batch() -> None:
    rare, frequent = math.log(1 / 4), math.log(2 / 4)
    scores = [[0.6 / 0.5 - rare, 1.0 / 0.5 - frequent], [0.8 / 0.5 - rare, 0.0 - frequent]]
    np.testing.assert_allclose(_model()(FEATURES, training=True), np.hstack([LOGITS, scores]), rtol=1e-6)


def test_the_same_candidate_of_another_row_is_left_out() -> None:
    outputs = _model()({**FEATURES, "id": tf.constant([[2], [2]], tf.int64)}, training=True).numpy()
    assert (outputs[:, 1:] < -1e8).tolist() == [[False, True], [True, False]]
