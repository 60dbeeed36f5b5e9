from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.pieces import pieces_of


def test_uneven_pieces_and_their_shares() -> None:
    batch = ({"x": tf.range(5)}, tf.range(5) * 10)
    found = [
        (features["x"].numpy().tolist(), label.numpy().tolist(), share)
        for (features, label), share in pieces_of(batch, 2)
    ]
    assert found == [([0, 1], [0, 10], 0.4), ([2, 3, 4], [20, 30, 40], 0.6)]


def test_no_piece_is_empty() -> None:
    assert [piece.numpy().tolist() for piece, _ in pieces_of(tf.range(2), 5)] == [[0], [1]]


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_a_size_that_is_not_known_when_traced(rows: int) -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    def joined(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pieces = list(pieces_of(batch, 3))
        return tf.concat([piece for piece, _ in pieces], axis=0), tf.add_n([share for _, share in pieces])

    found, share = joined(tf.range(rows))
    np.testing.assert_array_equal(found, np.arange(rows))
    assert float(share) == pytest.approx(1.0)
