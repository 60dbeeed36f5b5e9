from __future__ import annotations

import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from schemas.features import Integer
from schemas.transformed import Category
from transforms.column import Column
from transforms.integer import integer


def test_out_of_range_and_missing_are_size(kinds):
    assert kinds.of("hour_xf") == [[0], [23], [24], [24], [24], [24]]


def test_model_input(kinds):
    assert kinds.input("hour_xf") == Category("hour_xf", 25)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=10), st.integers(1, 2**40))
def test_any_number(values, size):
    column = Column(tf.constant(values, tf.int64), "int")
    found = integer(column, Integer(kind="integer", size=size), "x")["x_xf"].numpy().ravel().tolist()
    assert found == [x if 0 <= x < size else size for x in values]
