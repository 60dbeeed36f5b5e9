"""Classify, Regress, MultiInference, and the warm-up that uses them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import inference_pb2, input_pb2, predict_pb2, prediction_log_pb2

from serving.saved_model import WARMUP_FILE
from serving.server.classify import classify
from serving.server.example_input import serialized_examples
from serving.server.multi_inference import multi_inference
from serving.server.regress import regress
from serving.server.request_error import RequestError
from serving.server.run_metrics import ExampleCounts, RunMetrics
from serving.server.servable import Servable
from serving.server.warmup import warm_up
from tests.tiny_models import half_plus, half_plus_2

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
X_TO_Y = "regress_x_to_y"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return half_plus(tmp_path_factory.mktemp("half") / "3", 2.0)


@pytest.fixture(scope="module")
def half(folder: Path) -> Servable:
    return Servable("half", 3, folder)


def example(x: float) -> tf.train.Example:
    found = tf.train.Example()
    found.features.feature["x"].float_list.value.append(x)
    return found


EXAMPLES = [example(2.0).SerializeToString(), example(4.0).SerializeToString()]


def refused(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(RequestError) as raised:
        call()
    return raised.value.code, raised.value.message


def test_classes_have_labels_and_scores(half: Servable) -> None:
    result = classify(half, "classify_x_to_y", EXAMPLES)
    assert [[(one.label, one.score) for one in row.classes] for row in result.classifications] == [
        [("3.0", 3.0)],
        [("4.0", 4.0)],
    ]


def test_classes_may_have_scores_only(half: Servable) -> None:
    result = classify(half, "classify_scores", EXAMPLES)
    assert [[(one.label, one.score) for one in row.classes] for row in result.classifications] == [
        [("", 3.0)],
        [("", 4.0)],
    ]


def test_regressions_have_a_value_each(half: Servable) -> None:
    assert [one.value for one in regress(half, "regress_x_to_y", EXAMPLES).regressions] == [3.0, 4.0]


@pytest.mark.parametrize(
    ("method", "signature", "examples", "message"),
    [
        (classify, None, EXAMPLES, "No classification inputs found in SignatureDef"),
        (classify, "nothing", [], "No signature was found with the name: nothing"),
        (classify, "regress_x_to_y", EXAMPLES, "outputs to contain at least one of"),
        (classify, "classify_scalar", EXAMPLES, "Expected Tensor shape: [batch_size num_classes] but got [2]"),
        (classify, "classify_scores", [], "Input is empty"),
        (classify, "classify_scores", [b"no example"], "Could not parse example"),
        (regress, "", EXAMPLES, "No regression inputs found in SignatureDef"),
        (regress, "classify_scores", EXAMPLES, "No regression outputs found in SignatureDef"),
        (regress, "regress_x_to_y", [], "Input is empty"),
    ],
)
def test_what_a_signature_does_not_answer_is_told(
    half: Servable, method: Any, signature: str | None, examples: list[bytes], message: str
) -> None:
    code, found = refused(lambda: method(half, signature, examples))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert message.lower() in found.lower()


def test_features_of_an_example_go_before_the_contexts(half: Servable) -> None:
    given = input_pb2.Input()
    given.example_list_with_context.context.CopyFrom(example(10.0))
    given.example_list_with_context.examples.extend([tf.train.Example(), example(2.0)])
    result = regress(half, "regress_x_to_y", serialized_examples(given))
    assert [one.value for one in result.regressions] == [7.0, 3.0]


def inference(*tasks: tuple[str, str, str]) -> inference_pb2.MultiInferenceRequest:
    request = inference_pb2.MultiInferenceRequest()
    for model, signature, method in tasks:
        task = request.tasks.add(method_name=method)
        task.model_spec.name, task.model_spec.signature_name = model, signature
    request.input.example_list.examples.append(example(2.0))
    return request


def test_several_signatures_answer_in_the_order_of_the_tasks(half: Servable) -> None:
    request = inference(("half", "regress_x_to_y", REGRESS), ("half", "classify_x_to_y", CLASSIFY))
    first, second = multi_inference(half, request).results
    assert first.regression_result.regressions[0].value == 3.0
    assert second.classification_result.classifications[0].classes[0].score == 3.0
    assert [(one.model_spec.signature_name, one.model_spec.version.value) for one in (first, second)] == [
        ("regress_x_to_y", 3),
        ("classify_x_to_y", 3),
    ]


def test_signatures_with_inputs_of_their_own_answer_together(half: Servable) -> None:
    first, second = multi_inference(
        half, inference(("half", "regress_x_to_y", REGRESS), ("half", "regress_other", REGRESS))
    ).results
    assert first.regression_result.regressions[0].value == 3.0
    assert second.regression_result.regressions[0].value == 4.0


def test_what_gave_results_is_counted(folder: Path) -> None:
    runs = RunMetrics()
    half = Servable("half", 3, folder, runs=runs)
    classify(half, "classify_x_to_y", EXAMPLES)
    regress(half, X_TO_Y, EXAMPLES[:1])
    multi_inference(half, inference(("half", X_TO_Y, REGRESS), ("half", "classify_x_to_y", CLASSIFY)))
    half.run("serving_default", {"x": np.zeros((5, 1), np.float32)})
    refused(lambda: regress(half, X_TO_Y, [b"no example"]))
    # Two examples, one, and the one of the tasks, which are a computation each.
    assert runs.example_counts() == {"half": ExampleCounts([2, 1, *[0] * 14], 4)}
    times = {key: sum(one.buckets) for key, one in runs.latencies().items()}
    assert times == {("half", api): 1 for api in ("Classify", "Regress", "Predict")} | {("half", "MultiInference"): 2}


def test_what_tensorflow_2_exports_classifies_and_regresses(tmp_path: Path) -> None:
    """Every signature of it has the method name of predict."""
    half_plus_2(tmp_path / "1")
    servable = Servable("half", 1, tmp_path / "1")
    assert servable.signatures["regress_x_to_y"].method_name == tf.saved_model.PREDICT_METHOD_NAME
    assert [one.value for one in regress(servable, "regress_x_to_y", EXAMPLES).regressions] == [3.0, 4.0]
    (row, _) = classify(servable, "classify_x_to_y", EXAMPLES).classifications
    assert [(one.label, one.score) for one in row.classes] == [("", 3.0)]
    servable.close()


@pytest.mark.parametrize(
    ("tasks", "code", "message"),
    [
        ((("", "a", REGRESS),), "INVALID_ARGUMENT", "empty model name"),
        ((("half", X_TO_Y, REGRESS), ("other", "b", REGRESS)), "INVALID_ARGUMENT", "same model name"),
        ((("half", X_TO_Y, REGRESS),) * 2, "INVALID_ARGUMENT", f"Duplicate evaluation of signature: {X_TO_Y}"),
        ((("half", "a", REGRESS), ("half", "a", REGRESS)), "INVALID_ARGUMENT", "Requested signature not found"),
        ((("half", "a", "tensorflow/serving/predict"),), "INVALID_ARGUMENT", "Requested signature not found"),
        ((("half", X_TO_Y, "tensorflow/serving/predict"),), "UNIMPLEMENTED", "Unsupported signature method_name"),
        ((("half", "nothing", REGRESS),), "INVALID_ARGUMENT", "Requested signature not found"),
        ((("half", "classify_scores", REGRESS),), "INVALID_ARGUMENT", "No regression outputs found"),
    ],
)
def test_tasks_that_do_not_belong_together_are_told(half: Servable, tasks: Any, code: str, message: str) -> None:
    request = inference(*tasks)
    if len(tasks) == 1:
        request.ClearField("input")  # tasks are looked at first
    found = refused(lambda: multi_inference(half, request))
    assert found[0].name == code
    assert message in found[1]


def write_warmup(folder: Path, *logs: prediction_log_pb2.PredictionLog) -> None:
    (folder / WARMUP_FILE).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / WARMUP_FILE)) as writer:
        for log in logs:
            writer.write(log.SerializeToString())


def predict_log(x: float, dtype: Any = np.float32) -> prediction_log_pb2.PredictionLog:
    request = predict_pb2.PredictRequest()
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.array([[x]], dtype)))
    return prediction_log_pb2.PredictionLog(predict_log={"request": request})


def test_a_model_is_warmed_up_by_what_it_brings(half: Servable, tmp_path: Path) -> None:
    assert warm_up(half, tmp_path) == 0
    given = {"example_list": {"examples": [example(1.0)]}}
    logs = [
        predict_log(1.0),
        prediction_log_pb2.PredictionLog(
            classify_log={"request": {"model_spec": {"signature_name": "classify_x_to_y"}, "input": given}}
        ),
        prediction_log_pb2.PredictionLog(
            regress_log={"request": {"model_spec": {"signature_name": "regress_x_to_y"}, "input": given}}
        ),
        prediction_log_pb2.PredictionLog(
            multi_inference_log={"request": inference(("half", "regress_x_to_y", REGRESS))}
        ),
        prediction_log_pb2.PredictionLog(),
    ]
    write_warmup(tmp_path, *logs)
    assert warm_up(half, tmp_path) == 5


@pytest.mark.parametrize(
    ("logs", "code", "message"),
    [
        ([predict_log(1.0, np.float64)], "INVALID_ARGUMENT", "Expects arg[0] to be float but double is provided"),
        (
            [prediction_log_pb2.PredictionLog(session_run_log={})],
            "UNIMPLEMENTED",
            "Unsupported log_type for warmup: 5",
        ),
        ([predict_log(1.0)] * 1001, "INVALID_ARGUMENT", "exceeds the maximum"),
    ],
)
def test_a_warmup_that_the_model_refuses_is_told(
    half: Servable, tmp_path: Path, logs: Any, code: str, message: str
) -> None:
    write_warmup(tmp_path, *logs)
    found = refused(lambda: warm_up(half, tmp_path))
    assert (found[0].name, message in found[1]) == (code, True)


def test_a_warmup_that_is_no_record_file_is_told(half: Servable, tmp_path: Path) -> None:
    write_warmup(tmp_path)
    (tmp_path / WARMUP_FILE).write_bytes(b"this is no TFRecord file, and long")
    code, message = refused(lambda: warm_up(half, tmp_path))
    assert code == grpc.StatusCode.DATA_LOSS
    assert message.endswith(". Please verify your warmup data is in TFRecord format.")
