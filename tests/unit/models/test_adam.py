"""Adam by one operation a variable."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.adam import Adam


def test_the_first_step_is_the_learning_rate() -> None:
    # m = 0.1 g and v = 0.001 g * g, both divided by what is missing to 1: w - 0.1 g / |g|.
    weights = tf.Variable([1.0, 2.0])
    Adam(0.1).apply_gradients([(tf.constant([4.0, -0.5]), weights)])
    np.testing.assert_allclose(weights.numpy(), [0.9, 2.1], rtol=1e-5)


@pytest.mark.parametrize("is_sparse", [False, True])
def test_it_makes_the_steps_of_keras(is_sparse: bool) -> None:
    random = np.random.default_rng(1)
    start = random.normal(size=(5, 3)).astype(np.float32)
    ours, theirs = tf.Variable(start), tf.Variable(start)
    optimizers = Adam(0.01), tf.keras.optimizers.Adam(0.01)
    for _ in range(20):
        gradient: tf.Tensor | tf.IndexedSlices = tf.constant(random.normal(size=(5, 3)), tf.float32)
        if is_sparse:
            gradient = tf.IndexedSlices(gradient[:2], tf.constant([3, 1]), tf.constant([5, 3]))
        for optimizer, weights in zip(optimizers, (ours, theirs), strict=True):
            optimizer.apply_gradients([(gradient, weights)])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5)
