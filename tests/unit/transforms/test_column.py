from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from schemas.errors import SchemaError
from transforms.column import Column


def sparse(values, rows, batch, dtype, width=1):
    return tf.SparseTensor([[row, 0] for row in rows], tf.constant(values, dtype), [batch, width])


def lists(column):
    return column.values.numpy().ravel().tolist(), column.present.numpy().ravel().tolist()


def test_sparse_whole_numbers():
    assert lists(Column(sparse([7, 0], [0, 2], 3, tf.int64), "int")) == ([7, 0, 0], [True, False, True])


def test_sparse_text():
    found = lists(Column(sparse([b"a", b""], [1, 2], 3, tf.string), "string"))
    assert found == ([b"", b"a", b""], [False, True, False])


def test_sparse_numbers():
    column = Column(sparse([1.5, np.nan], [0, 1], 3, tf.float32), "float")
    assert column.present.numpy().ravel().tolist() == [True, False, False]
    np.testing.assert_array_equal(column.numbers.numpy().ravel(), [1.5, np.nan, np.nan])


@pytest.mark.parametrize("dtype", ["float", "int", "string"])
def test_a_batch_without_any_value(dtype):
    kind = {"float": tf.float32, "int": tf.int64, "string": tf.string}[dtype]
    empty = tf.SparseTensor(tf.zeros([0, 2], tf.int64), tf.constant([], kind), [2, 0])
    column = Column(empty, dtype)
    assert column.values.shape == (2, 1)
    assert column.present.numpy().tolist() == [[False], [False]]


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_dense(shape):
    column = Column(tf.reshape(tf.constant([1, 2], tf.int64), shape), "int")
    assert lists(column) == ([1, 2], [True, True])


def test_whole_numbers_for_a_float_column():
    assert lists(Column(sparse([3], [0], 2, tf.int64), "float"))[1] == [True, False]


def test_floats_for_a_whole_column_with_nan_for_missing():
    assert lists(Column(tf.constant([3.0, np.nan], tf.float64), "int")) == ([3, 0], [True, False])


def test_whole_numbers_as_numbers():
    column = Column(sparse([2**53], [1], 2, tf.int64), "int")
    np.testing.assert_array_equal(column.numbers.numpy(), [[np.nan], [2.0**53]])


def test_several_values_in_a_row_are_refused():
    two = tf.SparseTensor([[0, 0], [0, 1]], [1.0, 2.0], [1, 2])
    with pytest.raises(tf.errors.InvalidArgumentError):
        _ = Column(two, "float").values


@pytest.mark.parametrize(("raw", "dtype"), [(tf.constant(["a"]), "float"), (tf.constant([1.0]), "string")])
def test_text_for_numbers_is_refused(raw, dtype):
    with pytest.raises(SchemaError, match=f"reads the column as {dtype}"):
        Column(raw, dtype)


def test_known_values_without_their_rows():
    assert Column(sparse([7, 8], [0, 2], 3, tf.int64), "int").known.numpy().tolist() == [7, 8]
    assert Column(tf.constant([3.0, np.nan], tf.float64), "int").known.numpy().tolist() == [3]
