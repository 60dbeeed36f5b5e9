from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.batch_rows import BatchRows
from models.order import Order
from tests.unit.models.regression import make_split


def test_rows_of_a_step() -> None:
    order = Order(rows=5, batch_size=2, seed=1)
    first, second = order.rows_of(tf.constant(1, tf.int64)).numpy()
    assert BatchRows(make_split(5), order).of(1) == f"rows {first}, {second} of the train split, counted from 0"


def test_many_rows_and_those_that_are_not_finite() -> None:
    split = make_split(12)
    assert split.columns is not None
    split.columns["x"][7] = np.inf
    said = BatchRows(split, Order(rows=12, batch_size=12, seed=1)).of(0)
    assert " and 2 more of the train split" in said
    assert said.endswith("; x is not finite in 7")
