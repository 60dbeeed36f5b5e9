from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.category_embedding import CategoryEmbedding, embedding_width
from schemas.transformed import Category


@pytest.mark.parametrize(("size", "width"), [(1, 8), (16, 12), (10_000, 60), (1_000_000, 64)])
def test_width_by_the_rule(size: int, width: int) -> None:
    assert embedding_width(size) == width


def test_given_width_wins() -> None:
    assert embedding_width(16, 5) == 5


def test_categories_of_one_width_have_rows_of_their_own() -> None:
    layer = CategoryEmbedding([Category("a", 2), Category("b", 3)], width=2)
    features = {"a": tf.constant([[1], [0]], tf.int64), "b": tf.constant([[0], [2]], tf.int64)}
    layer(features)
    layer.set_weights([np.arange(10.0).reshape(5, 2)])  # rows 0, 1: a; rows 2 to 4: b
    np.testing.assert_array_equal(layer(features), [[2, 3, 4, 5], [0, 1, 8, 9]])


def test_widths_come_in_rising_order() -> None:
    layer = CategoryEmbedding([Category("wide", 10_000), Category("narrow", 1)])
    features = {"wide": tf.constant([[7]], tf.int64), "narrow": tf.constant([[0]], tf.int64)}
    layer(features)
    narrow, wide = layer.get_weights()
    np.testing.assert_array_equal(layer(features)[0], np.concatenate([narrow[0], wide[7]]))
