"""Classify, Regress and MultiInference."""

from __future__ import annotations

import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, inference_pb2, regression_pb2

from tests.integration.grpc_protocol.server import Server
from tests.integration.grpc_protocol.status_code import code_of
from tests.integration.serve_command import SECONDS


def example(x: float) -> tf.train.Example:
    found = tf.train.Example()
    found.features.feature["x"].float_list.value.append(x)
    return found


def test_classify_regress_and_multi_inference(running: Server) -> None:
    examples = {"example_list": {"examples": [example(2.0), example(4.0)]}}
    spec = {"name": "half", "signature_name": "classify_x_to_y"}
    classified = running.prediction.Classify(
        classification_pb2.ClassificationRequest(model_spec=spec, input=examples), timeout=SECONDS
    )
    assert [(row.classes[0].label, row.classes[0].score) for row in classified.result.classifications] == [
        ("4.0", 4.0),
        ("5.0", 5.0),
    ]
    assert (classified.model_spec.signature_name, classified.model_spec.version.value) == ("classify_x_to_y", 3)
    spec = {"name": "half", "signature_name": "regress_x_to_y"}
    regressed = running.prediction.Regress(
        regression_pb2.RegressionRequest(model_spec=spec, input=examples), timeout=SECONDS
    )
    assert [one.value for one in regressed.result.regressions] == [4.0, 5.0]
    tasks = [
        {
            "model_spec": {"name": "half", "signature_name": f"{kind}_x_to_y"},
            "method_name": f"tensorflow/serving/{kind}",
        }
        for kind in ("regress", "classify")
    ]
    both = running.prediction.MultiInference(
        inference_pb2.MultiInferenceRequest(tasks=tasks, input=examples), timeout=SECONDS
    )
    assert both.results[0].regression_result.regressions[1].value == 5.0
    assert both.results[1].classification_result.classifications[0].classes[0].score == 4.0
    empty = classification_pb2.ClassificationRequest(model_spec={"name": "half"}, input=examples)
    assert code_of(lambda: running.prediction.Classify(empty, timeout=SECONDS))[0] == "INVALID_ARGUMENT"
    tasks[1]["method_name"] = "tensorflow/serving/predict"
    other = inference_pb2.MultiInferenceRequest(tasks=tasks, input=examples)
    assert code_of(lambda: running.prediction.MultiInference(other, timeout=SECONDS))[0] == "UNIMPLEMENTED"
    # The version is looked for before the tasks are.
    tasks[0]["model_spec"] = {"name": "other"}
    for given, code in ((tasks, "NOT_FOUND"), ([], "INVALID_ARGUMENT")):
        other = inference_pb2.MultiInferenceRequest(tasks=given)
        assert code_of(lambda: running.prediction.MultiInference(other, timeout=SECONDS))[0] == code  # noqa: B023
