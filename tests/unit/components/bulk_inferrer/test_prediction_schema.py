"""Columns of the predictions, from what a signature says of itself."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from components.bulk_inferrer.prediction_schema import prediction_schema, written_outputs
from schemas.errors import EvaluationError

Shape = list[int | None] | None


def signature(outputs: Mapping[str, tuple[tf.DType, Shape]]) -> SignatureDef:
    found = SignatureDef()
    for name, (dtype, shape) in outputs.items():
        found.outputs[name].dtype = dtype.as_datatype_enum
        found.outputs[name].tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())
    return found


ONE = signature({"predictions": (tf.float32, [None, 1])})
CLASSES = signature({"predictions": (tf.float32, [None, 3])})
TWO = signature({"names": (tf.string, [None, 5]), "count": (tf.int32, [None])})


def types(schema: pa.Schema) -> dict[str, str]:
    return {field.name: str(field.type) for field in schema}


def test_a_probability() -> None:
    found = prediction_schema(ONE, ["predictions"], ["probability"], {"trip": "string", "fare": "float", "hour": "int"})
    assert types(found) == {
        "row_id": "string",
        "trip": "string",
        "fare": "float",
        "hour": "int64",
        "probability": "float",
    }


def test_classes() -> None:
    found = prediction_schema(CLASSES, ["predictions"], ["class", "probabilities"], {})
    assert types(found) == {"row_id": "string", "class": "string", "probabilities": "list<item: float>"}


def test_other_outputs_keep_their_names() -> None:
    outputs = written_outputs(TWO, "serving_default", ())
    assert outputs == ("count", "names")
    assert types(prediction_schema(TWO, outputs, (), {})) == {
        "row_id": "string",
        "count": "int64",
        "names": "list<item: string>",
    }


def test_outputs_are_written_in_the_order_in_which_they_are_named() -> None:
    assert written_outputs(TWO, "serving_default", ("names", "count")) == ("names", "count")


def test_an_unknown_output_is_refused() -> None:
    with pytest.raises(EvaluationError, match="(?s)does not give 'scores'.*outputs count, names"):
        written_outputs(TWO, "serving_default", ("scores",))


@pytest.mark.parametrize("shape", [None, [], [None, 2, 2]])
def test_an_output_that_is_no_column_is_refused(shape: Shape) -> None:
    with pytest.raises(EvaluationError, match="is not a column"):
        prediction_schema(signature({"picture": (tf.float32, shape)}), ["picture"], (), {})


def test_an_output_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(EvaluationError, match="is not a column"):
        prediction_schema(signature({"z": (tf.complex64, [None])}), ["z"], (), {})


def test_an_output_with_the_name_of_an_id_column_is_refused() -> None:
    with pytest.raises(EvaluationError, match="(?s)one name.*count"):
        prediction_schema(TWO, ["count"], (), {"count": "string"})
