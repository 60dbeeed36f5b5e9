from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.log_frequency import LogFrequency


def test_the_logarithm_of_the_share_of_all_rows() -> None:
    layer = LogFrequency(3)
    layer.adapt(np.array([1, 0, 3]))  # an id without a row counts as if it had one
    ids = tf.constant([[2], [0], [1]], tf.int64)
    np.testing.assert_allclose(layer(ids), np.log([[3 / 4], [1 / 4], [1 / 4]]), rtol=1e-6)


def test_it_is_no_correction_before_it_is_adapted_and_is_not_trained() -> None:
    layer = LogFrequency(3)
    np.testing.assert_array_equal(layer(tf.constant([[2]], tf.int64)), [[0.0]])
    assert layer.trainable_variables == []
