from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.gradients import gradients_of
from models.network import Network

ROWS = [0, 2, 2, 2]


class Lookup(Network):
    def __init__(self, rows: int) -> None:
        super().__init__()
        self.table = self.add_weight("table", (rows, 1), initializer="ones")

    def call(self, ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        return tf.nn.embedding_lookup(self.table, ids)


def gradient_of_table(rows: int, pieces: int = 1) -> tf.Tensor | tf.IndexedSlices:
    """Of the mean of the squares of what is looked up: 2 / 4 for each time that a row is."""
    model = Lookup(rows)
    model.compile("sgd", "mse")
    batch = (tf.constant(ROWS), tf.zeros([4, 1]))
    loss, ((gradient, variable),) = gradients_of(model, batch, pieces)
    assert float(loss) == 1.0
    assert variable is model.table
    return gradient


@pytest.mark.slow
@pytest.mark.parametrize("pieces", [1, 2])
def test_that_of_a_table_of_no_more_rows_than_are_looked_up_is_dense(pieces: int) -> None:
    gradient = gradient_of_table(4, pieces)
    assert isinstance(gradient, tf.Tensor)
    np.testing.assert_allclose(gradient, [[0.5], [0.0], [1.5], [0.0]])


@pytest.mark.slow
@pytest.mark.parametrize("pieces", [1, 2])
def test_that_of_a_larger_table_names_its_rows(pieces: int) -> None:
    gradient = gradient_of_table(5, pieces)
    assert isinstance(gradient, tf.IndexedSlices)
    np.testing.assert_array_equal(gradient.indices, ROWS)
    np.testing.assert_allclose(gradient.values, [[0.5]] * 4)
