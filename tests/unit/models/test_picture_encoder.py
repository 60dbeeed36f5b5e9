from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from configs.settings import Pictures
from models.picture_encoder import PictureEncoder
from schemas.transformed import Picture


def test_one_pixel() -> None:
    layer = PictureEncoder(Picture("p", 1, 1, 1), Pictures(filters=(2,)))
    features = {"p": tf.constant([[[[2.0]]]])}
    layer(features)
    kernel, *normalization = layer.get_weights()
    kernel[1, 1, 0] = [3.0, -3.0]  # the centre of 3 by 3: what is around the pixel is padding
    layer.set_weights([kernel, *normalization])
    np.testing.assert_allclose(layer(features), [[6.0 / np.sqrt(1.001), 0.0]], rtol=1e-6)


def test_a_block_adds_its_residual() -> None:
    layer = PictureEncoder(Picture("p", 4, 4, 1), Pictures(filters=(1, 1)))
    features = {"p": tf.ones([1, 4, 4, 1])}
    layer(features)
    centre = np.zeros((3, 3, 1, 1), np.float32)
    centre[1, 1] = np.sqrt(1.001)  # undoes the normalisation: each convolution gives what it gets
    layer.set_weights([centre if weight.ndim == 4 else weight for weight in layer.get_weights()])
    np.testing.assert_allclose(layer(features), [[2.0]], rtol=1e-6)


def test_a_filter_less_is_a_block_less() -> None:
    layer = PictureEncoder(Picture("p", 32, 32, 3), Pictures(filters=(8, 4)))
    assert layer({"p": tf.zeros([2, 32, 32, 3])}).shape == (2, 4)


@pytest.mark.parametrize(("side", "width"), [(32, 128), (4, 64), (2, 32), (1, 32)])
def test_a_small_picture_has_fewer_blocks(side: int, width: int) -> None:
    layer = PictureEncoder(Picture("p", side, side, 3))
    assert layer({"p": tf.zeros([2, side, side, 3])}).shape == (2, width)


def test_batch_statistics_are_learned_in_training_only() -> None:
    layer = PictureEncoder(Picture("p", 4, 4, 1))
    features = {"p": tf.random.stateless_normal([8, 4, 4, 1], seed=[1, 2])}
    layer(features, training=False)
    before = layer.get_weights()
    layer(features, training=False)
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    layer(features, training=True)
    assert any(np.any(one != other) for one, other in zip(before, layer.get_weights(), strict=True))
