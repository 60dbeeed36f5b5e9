"""Rows as signatures take them."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from components.smoke_check.question import questions
from schemas.errors import EvaluationError

FULL, EMPTY = tf.train.Example(), tf.train.Example()
FULL.features.feature["fare"].float_list.value.append(1.5)
FULL.features.feature["hour"].int64_list.value.append(7)
FULL.features.feature["Company Name"].bytes_list.value.append(b"A")
EMPTY.features.feature["fare"].float_list.SetInParent()
EXAMPLES = [FULL.SerializeToString(), EMPTY.SerializeToString()]


def signature(*sizes: int | None, **inputs: tf.DType) -> SignatureDef:
    """Inputs of shape [rows, *sizes]."""
    found = SignatureDef()
    for key, dtype in inputs.items():
        found.inputs[key].dtype = dtype.as_datatype_enum
        found.inputs[key].tensor_shape.CopyFrom(tf.TensorShape([None, *sizes]).as_proto())
    return found


def test_a_signature_of_examples_and_one_of_columns() -> None:
    both = {
        "serving_default": signature(examples=tf.string),
        "predict": signature(fare=tf.float32, hour=tf.float64, Company_Name=tf.string),
        "transform_features": signature(examples=tf.string),
        "retrieve": signature(embedding=tf.float32),
    }
    (default, predict), skipped = questions(both, EXAMPLES, ["fare", "hour", "Company Name"])
    assert skipped == ["retrieve: inputs embedding (float32)"]
    assert (predict.signature, default.signature) == ("predict", "serving_default")
    assert default.inputs["examples"].tolist() == EXAMPLES
    np.testing.assert_array_equal(predict.inputs["fare"], np.array([1.5, np.nan], np.float32))
    np.testing.assert_array_equal(predict.inputs["hour"], np.array([7.0, np.nan]))
    assert predict.inputs["hour"].dtype == np.float64
    assert predict.inputs["Company_Name"].tolist() == [b"A", b""]
    assert {key: values.tolist() for key, values in predict.row(0).inputs.items()} == {
        "fare": [1.5], "hour": [7.0], "Company_Name": [b"A"]
    }  # fmt: skip


def test_a_model_that_cannot_be_asked() -> None:
    by_number = {"by_number": signature(embedding=tf.float32)}
    with pytest.raises(EvaluationError, match=r"(?s)no such signature.*Received: serving_default, .*has by_number"):
        questions(by_number, EXAMPLES, ["fare"])
    with pytest.raises(EvaluationError, match=r"(?s)takes neither.*smoke_check.signatures.*embedding \(float32\)"):
        questions(by_number, EXAMPLES, ["fare"], ["by_number"])


def test_a_signature_that_is_named() -> None:
    both = {"serving_default": signature(examples=tf.string), "mine": signature(text=tf.string)}
    (mine,), _ = questions(both, EXAMPLES, ["fare", "text"], ["mine"])
    assert (mine.signature, mine.inputs["text"].tolist()) == ("mine", [b"", b""])


def test_a_signature_of_keras_inputs_has_one_more_dimension() -> None:
    keras = signature(1, fare=tf.float32)  # of tf.keras.Input(shape=(1,))
    (default,), skipped = questions({"serving_default": keras}, EXAMPLES, ["fare"])
    np.testing.assert_array_equal(default.inputs["fare"], np.array([[1.5], [np.nan]], np.float32))
    np.testing.assert_array_equal(default.row(0).inputs["fare"], [[1.5]])
    assert skipped == []


def test_a_signature_that_takes_more_than_one_value_a_row_is_left_out_unless_it_is_named() -> None:
    both = {"serving_default": signature(examples=tf.string), "predict": signature(3, fare=tf.float32)}
    (default,), skipped = questions(both, EXAMPLES, ["fare"])
    assert (default.signature, skipped) == ("serving_default", ["predict: input fare, float32 of shape (None, 3)"])
    with pytest.raises(EvaluationError, match=r"does not take one value of each row"):
        questions(both, EXAMPLES, ["fare"], ["predict"])
