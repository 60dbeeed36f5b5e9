"""Predict, and the codes of what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import predict_pb2

from tests.integration.grpc_protocol.server import Server, half_request
from tests.integration.grpc_protocol.status_code import code_of
from tests.integration.serve_command import SECONDS


def test_predict_answers_in_typed_fields_and_says_who_answered(running: Server) -> None:
    response = running.prediction.Predict(half_request(), timeout=SECONDS)
    assert response == text_format.Parse(
        """
        outputs { key: "y" value { dtype: DT_FLOAT tensor_shape { dim { size: 1 } dim { size: 1 } } float_val: 4.0 } }
        model_spec { name: "half" version { value: 3 } signature_name: "serving_default" }
        """,
        predict_pb2.PredictResponse(),
    )


def test_predict_keeps_all_types_and_filters_outputs(running: Server) -> None:
    given = {
        "long": np.array([2**63 - 1]),
        "unsigned": np.array([2**64 - 1], np.uint64),
        "text": np.array([b"\xff\0"], object),
        "pair": np.array([[0.1, 0.2]]),
    }
    request = predict_pb2.PredictRequest(model_spec={"name": "echo"}, output_filter=["unsigned", "text"])
    for key, value in given.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    outputs = running.prediction.Predict(request, timeout=SECONDS).outputs
    assert {key: tf.make_ndarray(value).tolist() for key, value in outputs.items()} == {
        "unsigned": [2**64 - 1],
        "text": [b"\xff\0"],
    }


def test_messages_of_more_than_4_mib_pass(running: Server) -> None:
    request = half_request()
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.full((3 << 20, 1), 4, np.float32)))
    found = tf.make_ndarray(running.prediction.Predict(request, timeout=SECONDS).outputs["y"])
    assert found.shape == (3 << 20, 1)
    assert (found == 5).all()


def test_a_shape_that_the_signature_does_not_name_is_the_models_affair(running: Server) -> None:
    request = half_request()
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0, 2.0, 5.0]))
    found = tf.make_ndarray(running.prediction.Predict(request, timeout=SECONDS).outputs["y"])
    assert found.tolist() == [3.5, 4.0, 5.5]


def bad_requests() -> dict[str, tuple[predict_pb2.PredictRequest, str, str]]:
    wrong_type, extra, filtered, twice, no_values = (half_request() for _ in range(5))
    wrong_type.inputs["x"].CopyFrom(tf.make_tensor_proto([[1]], tf.int64))
    extra.inputs["more"].CopyFrom(tf.make_tensor_proto([1.0]))
    filtered.output_filter.append("z")
    twice.output_filter.extend(["y", "y"])
    no_values.inputs["x"].ClearField("float_val")
    no_values.inputs["x"].tensor_content = b"abc"
    none = predict_pb2.PredictRequest(model_spec={"name": "half"})
    return {
        "no model spec": (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        "no name": (half_request(name=""), "INVALID_ARGUMENT", "no name"),
        "model": (half_request(name="other"), "NOT_FOUND", "Servable not found for request: Latest(other)"),
        "version": (half_request(version={"value": 1}), "NOT_FOUND", "request: Specific(half, 1)"),
        "label": (half_request(version_label="x"), "INVALID_ARGUMENT", "Unrecognized servable version label: x"),
        "signature": (half_request(signature_name="no"), "FAILED_PRECONDITION", 'signature key "no" not found'),
        "no input": (none, "INVALID_ARGUMENT", "Missing but required: {x}"),
        "extra input": (extra, "INVALID_ARGUMENT", "Sent extra: {more}"),
        "dtype": (wrong_type, "INVALID_ARGUMENT", "Expects arg[0] to be float but int64 is provided"),
        "filter": (filtered, "INVALID_ARGUMENT", "output tensor alias not found in signature: z"),
        "filter twice": (twice, "INVALID_ARGUMENT", "duplicate output tensor alias: y"),
        "values": (no_values, "INVALID_ARGUMENT", "tensor parsing error: x"),
    }


@pytest.mark.parametrize("name", bad_requests())
def test_predict_refuses_with_the_right_code(running: Server, name: str) -> None:
    request, code, message = bad_requests()[name]
    found = code_of(lambda: running.prediction.Predict(request, timeout=SECONDS))
    assert found[0] == code
    assert message in found[1]


def test_a_long_error_message_arrives(running: Server) -> None:
    code, message = code_of(lambda: running.predict(name="é" * 20_000))
    assert code == "NOT_FOUND"
    assert message.startswith("Servable not found for request: Latest(éé")
