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


def signature(**inputs: tf.DType) -> SignatureDef:
    found = SignatureDef()
    for key, dtype in inputs.items():
        found.inputs[key].dtype = dtype.as_datatype_enum
    return found


def test_a_signature_of_examples_and_one_of_columns() -> None:
    both = {
        "serving_default": signature(examples=tf.string),
        "predict": signature(fare=tf.float32, hour=tf.float64, Company_Name=tf.string),
        "transform_features": signature(examples=tf.string),
        "retrieve": signature(embedding=tf.float32),
    }
    default, predict = questions(both, EXAMPLES, ["fare", "hour", "Company Name"])
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
    (mine,) = questions(both, EXAMPLES, ["fare", "text"], ["mine"])
    assert (mine.signature, mine.inputs["text"].tolist()) == ("mine", [b"", b""])
