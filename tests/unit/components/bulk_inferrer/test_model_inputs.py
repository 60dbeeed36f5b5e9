"""What a signature takes, and what it is given of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from components.bulk_inferrer.model_inputs import inputs_of, raw_inputs
from schemas.errors import EvaluationError

COLUMNS = ("fare", "Trip Hour", "company", "examples")


def signature(**inputs: tf.DType) -> SignatureDef:
    found = SignatureDef()
    for name, dtype in inputs.items():
        found.inputs[name].dtype = dtype.as_datatype_enum
    return found


@pytest.mark.parametrize("name", ["examples", "inputs"])
def test_one_input_of_texts_takes_examples(name: str) -> None:
    assert raw_inputs(signature(**{name: tf.string}), "serving_default", COLUMNS) == {}


def test_one_input_that_stands_for_a_column_does_not() -> None:
    assert raw_inputs(signature(company=tf.string), "retrieve", COLUMNS) == {"company": "company"}


def test_inputs_stand_for_columns_by_the_keys_of_requests() -> None:
    found = raw_inputs(signature(fare=tf.float32, Trip_Hour=tf.float64), "predict", COLUMNS)
    assert found == {"fare": "fare", "Trip_Hour": "Trip Hour"}


@pytest.mark.parametrize(
    "inputs", [{"fare": tf.float32, "rate": tf.float32}, {"x": tf.float32}, {"fare": tf.int32}, {}]
)
def test_other_inputs_are_refused(inputs: dict[str, tf.DType]) -> None:
    with pytest.raises(EvaluationError, match="'mine' takes neither serialized tf.Examples nor raw columns"):
        raw_inputs(signature(**inputs), "mine", COLUMNS)


def test_missing_values_are_those_of_requests() -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "fare": pa.array([[1.5], []], pa.large_list(pa.float32())),
            "Trip Hour": pa.array([[], [2**53]], pa.large_list(pa.int64())),
            "company": pa.array([[b"a"], []], pa.large_list(pa.large_binary())),
        }
    )
    found: dict[str, Any] = inputs_of(batch, {"fare": "fare", "Trip_Hour": "Trip Hour", "company": "company"})
    assert {key: values.dtype for key, values in found.items()} == {
        "fare": np.float32,
        "Trip_Hour": np.float64,
        "company": object,
    }
    np.testing.assert_equal(found["fare"], [1.5, np.nan])
    np.testing.assert_equal(found["Trip_Hour"], [np.nan, 2.0**53])
    assert found["company"].tolist() == [b"a", b""]
