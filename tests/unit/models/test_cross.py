from __future__ import annotations

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from models.cross import Cross


def test_it_is_equation_1_of_the_paper() -> None:
    layer = Cross()
    first, x = tf.constant([[1.0, 2.0]]), tf.constant([[3.0, 4.0]])
    layer.build(first.shape)
    layer.set_weights([np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -1.0])])
    # x W + b = [3 + 12 + 0.5, 6 + 16 - 1] = [15.5, 21]; times x0 = [15.5, 42]; plus x = [18.5, 46]
    np.testing.assert_allclose(layer(first, x), [[18.5, 46.0]])


def test_the_first_layer_crosses_the_input_with_itself() -> None:
    layer = Cross()
    x = tf.constant([[1.0, 2.0]])
    np.testing.assert_allclose(layer(x), layer(x, x))


def test_l2_adds_the_square_of_the_kernel_to_the_loss() -> None:
    layer = Cross(l2=0.5)
    layer.build(tf.TensorShape([None, 2]))
    layer.set_weights([np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([9.0, 9.0])])
    np.testing.assert_allclose(sum(layer.losses), 0.5 * 5.0)


@given(st.integers(1, 5), st.integers(1, 4))
def test_two_layers_hold_third_degree_products(size: int, rows: int) -> None:
    # With W = 0 and b = 1 a layer doubles what it holds of x0: x1 = 2 x0, x2 = x0 + x1 = 3 x0.
    x = tf.random.stateless_normal([rows, size], seed=[1, 2])
    layers = [Cross(), Cross()]
    for layer in layers:
        layer.build(x.shape)
        layer.set_weights([np.zeros([size, size]), np.ones(size)])
    np.testing.assert_allclose(layers[1](x, layers[0](x)), 3 * x, rtol=1e-6)
