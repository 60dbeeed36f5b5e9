from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.deep import Deep


def test_one_layer_is_relu_of_a_linear_map() -> None:
    layer = Deep([2])
    layer(tf.zeros([1, 2]))
    layer.set_weights([np.array([[1.0, -1.0], [2.0, 0.0]]), np.array([0.5, 0.25])])
    np.testing.assert_allclose(layer(tf.constant([[1.0, 3.0]])), [[7.5, 0.0]])


def test_dropout_acts_in_training_only() -> None:
    layer = Deep([64], dropout=0.5)
    x = tf.ones([1, 8])
    np.testing.assert_array_equal(layer(x, training=False), layer(x, training=False))
    assert np.count_nonzero(layer(x, training=True)) < np.count_nonzero(layer(x, training=False))


def test_l2_counts_every_kernel() -> None:
    layer = Deep([3, 2], l2=0.1)
    layer(tf.ones([1, 4]))
    kernels = [weight for weight in layer.trainable_variables if "kernel" in weight.name]
    np.testing.assert_allclose(
        sum(layer.losses), sum(0.1 * np.sum(kernel.numpy() ** 2) for kernel in kernels), rtol=1e-6
    )
