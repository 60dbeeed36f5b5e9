from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.picture_encoder import PictureEncoder
from schemas.transformed import Picture


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
