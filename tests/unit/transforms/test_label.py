from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from schemas.expression import Expression
from schemas.features import BinaryLabel, IntegerLabel, NumericLabel, OneHotLabel
from schemas.transformed import LABEL_KEY, model_inputs
from transforms.column import Column
from transforms.label import label


def binary(expression, **columns):
    values = {name: Column(tf.constant(raw), dtype) for name, (raw, dtype) in columns.items()}
    return label(values, BinaryLabel(kind="binary", expression=expression))[LABEL_KEY].numpy().ravel().tolist()


def test_expression(kinds):
    # 3 > 0.2 * 10; 2 is not; a comparison with a missing fare is false; 0 > 0 is not.
    assert kinds.of(LABEL_KEY) == [[1.0], [0.0], [0.0], [0.0], [0.0], [0.0]]


def test_is_no_input_of_the_model(kinds):
    assert LABEL_KEY not in {found.key for found in model_inputs(kinds.output.transformed_metadata.schema)}


def test_serving_needs_no_label_column(kinds):
    inputs = list(kinds.table.inputs)
    assert "tips" not in inputs
    served = kinds.serve(kinds.rows, only=inputs)
    for found in model_inputs(kinds.output.transformed_metadata.schema):
        np.testing.assert_array_equal(served[found.key], kinds.by_saved_model[found.key])


def test_numbers_are_compared_as_they_are_stored():
    # In float64, the float32 nearest to 2.45 is larger than 0.2 * 12.25.
    assert binary("tips > 0.2 * fare", tips=([2.45], "float"), fare=([12.25], "float")) == [0.0]


def test_text():
    assert binary("income == '>50K'", income=([b">50K", b"<=50K", b""], "string")) == [1.0, 0.0, 0.0]


def test_whole_numbers_keep_their_digits():
    assert binary("n == 16777217", n=(np.array([2**24, 2**24 + 1]), "int")) == [0.0, 1.0]


def test_whole_and_decimal_numbers_together():
    assert binary("tips > 0.2 * fare", tips=([3.0, 1.0], "float"), fare=(np.array([10, 10]), "int")) == [1.0, 0.0]


@given(
    st.lists(st.tuples(st.floats(width=32), st.floats(width=32)), min_size=1, max_size=10),
    st.sampled_from(["a > b", "a >= 2 * b", "not (a < b) and b != 1", "a + b <= 3 or a - b > 1"]),
)
def test_agrees_with_numpy(pairs, expression):
    a, b = (np.array(side, np.float32) for side in zip(*pairs, strict=True))
    with np.errstate(all="ignore"):
        expected = Expression(expression)({"a": a, "b": b})
    assert binary(expression, a=(a, "float"), b=(b, "float")) == expected.astype(float).tolist()


def test_integer():
    columns = {"c": Column(tf.constant([0, 2, 3, -1], tf.int64), "int")}
    found = label(columns, IntegerLabel(kind="integer", column="c", classes=3))[LABEL_KEY]
    assert found.dtype == tf.int64
    assert found.numpy().tolist() == [[0], [2], [-1], [-1]]


def test_one_hot_is_the_place_among_the_classes():
    columns = {"c": Column(tf.constant([b"b", b"a", b"", b"z"]), "string")}
    found = label(columns, OneHotLabel(kind="one_hot", column="c", classes=("a", "b")))[LABEL_KEY]
    assert found.dtype == tf.int64
    assert found.numpy().tolist() == [[1], [0], [-1], [-1]]


def test_numeric():
    columns = {"fare": Column(tf.constant([2.5, float("nan")]), "float")}
    found = label(columns, NumericLabel(kind="numeric", column="fare"))[LABEL_KEY]
    np.testing.assert_array_equal(found.numpy(), np.array([[2.5], [np.nan]], np.float32))


@pytest.mark.parametrize(
    "spec",
    [
        IntegerLabel(kind="integer", column="c", classes=3),
        NumericLabel(kind="numeric", column="c"),
        BinaryLabel(kind="binary", expression="c > 1"),
    ],
)
def test_whole_column_gives_one_value_a_row(spec):
    columns = {"c": Column(tf.constant([1, 2], tf.int64), "int")}
    assert label(columns, spec)[LABEL_KEY].shape == (2, 1)
