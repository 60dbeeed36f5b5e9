from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.tower import Tower


class _Read(tf.keras.layers.Layer):
    def call(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        return features["x"]


def test_a_projection_of_length_one() -> None:
    tower = Tower(_Read(), size=2)
    features = {"x": tf.constant([[3.0, 4.0], [0.0, -2.0]])}
    tower(features)
    tower.set_weights([np.eye(2), np.zeros(2)])
    np.testing.assert_allclose(tower(features), [[0.6, 0.8], [0.0, -1.0]], rtol=1e-6)
