from __future__ import annotations

import bisect

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from schemas.features import Bucketized
from schemas.transformed import Category
from transforms.bucketized import bucketized
from transforms.column import Column


def eagerly(values, boundaries, dtype="float"):
    spec = Bucketized(kind="bucketized", boundaries=tuple(boundaries), dtype=dtype)
    raw = tf.constant(values, tf.float32 if dtype == "float" else tf.int64)
    with pytest.raises(StopIteration) as done:
        next(bucketized(Column(raw, dtype), spec, "x"))
    return done.value.value["x_xf"].numpy().ravel().tolist()


def test_quantiles(kinds):
    # The median of 1, 2, 3 is 2; infinity is in the last bucket; missing has the bucket after it.
    assert kinds.of("halves_xf") == [[0], [1], [1], [1], [2], [2]]


def test_given_boundaries(kinds):
    assert kinds.of("bounds_xf") == [[0], [1], [2], [2], [3], [3]]


def test_equal_numbers_share_a_bucket(kinds):
    assert kinds.of("constant_buckets_xf") == [[3], [3], [3], [4], [4], [4]]


def test_a_column_that_is_always_missing(kinds):
    assert kinds.of("absent_buckets_xf") == [[3]] * 6


def test_beyond_the_training_split(kinds):
    found = kinds.serve([{"amount": -1e30, "constant": 4.0}, {"amount": 1e30, "constant": 6.0}])
    assert found["halves_xf"].tolist() == [[0], [1]]
    assert found["constant_buckets_xf"].tolist() == [[0], [3]]


@pytest.mark.parametrize(("key", "size"), [("halves_xf", 3), ("bounds_xf", 4), ("constant_buckets_xf", 5)])
def test_model_input(kinds, key, size):
    assert kinds.input(key) == Category(key, size)


def test_a_float_reaches_the_boundary_it_was_written_as():
    assert eagerly([0.1, 0.2, 0.3], [0.1, 0.2, 0.3]) == [1, 2, 3]


def test_whole_numbers():
    assert eagerly([2**40 - 1, 2**40], [float(2**40)], "int") == [0, 1]


@given(
    st.lists(st.floats(width=32, allow_nan=False, allow_subnormal=False), min_size=1, max_size=20),
    st.lists(st.floats(-1e6, 1e6, width=32, allow_subnormal=False), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_ids_are_those_of_bisect(values, boundaries):
    assert eagerly(values, boundaries) == [bisect.bisect_right(boundaries, np.float32(x)) for x in values]
