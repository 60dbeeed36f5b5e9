"""MultiInference: several classifications and regressions over the same tf.Examples."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
import tensorflow as tf
from tensorflow_serving.apis import inference_pb2

from serving.server.classify import classification_outputs, classify
from serving.server.example_input import serialized_examples
from serving.server.predict import model_spec
from serving.server.regress import check_regression, regress
from serving.server.request_error import RequestError, invalid
from serving.server.servable import DEFAULT_SIGNATURE, Servable

_API = "MultiInference"


def multi_inference(
    servable: Servable, request: inference_pb2.MultiInferenceRequest, deadline: float | None = None
) -> inference_pb2.MultiInferenceResponse:
    """The results of all tasks, in their order.

    Args:
        servable: the version that answers.
        request: what is asked of it.
        deadline: of `time.monotonic()`.

    Raises:
        RequestError: INVALID_ARGUMENT: several models, a signature twice or one that is not there or does not do what
            is asked; UNIMPLEMENTED: another method than classify and regress; whatever running it raises.
    """
    names: list[str] = []
    for task in request.tasks:
        names.append(_checked(servable, request.tasks[0].model_spec.name, names, task))
    examples = serialized_examples(request.input)
    response = inference_pb2.MultiInferenceResponse()
    for task, name in zip(request.tasks, names, strict=True):
        result = response.results.add(model_spec=model_spec(servable, name))
        if task.method_name == tf.saved_model.CLASSIFY_METHOD_NAME:
            result.classification_result.CopyFrom(classify(servable, name, examples, deadline, api=_API))
        else:
            result.regression_result.CopyFrom(regress(servable, name, examples, deadline, api=_API))
    if names:
        servable.runs.examples(servable.name, len(examples))
    return response


def _checked(servable: Servable, model: str, before: Sequence[str], task: inference_pb2.InferenceTask) -> str:
    """The signature of a task, if it may follow those before it; faults are told in TensorFlow Serving's order."""
    if not task.model_spec.name:
        raise invalid("Found ModelSpec with an empty model name.")
    if task.model_spec.name != model:
        raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
    name = task.model_spec.signature_name or DEFAULT_SIGNATURE
    if name in before:
        raise invalid(f"Duplicate evaluation of signature: {name}")
    if name not in servable.signatures:
        raise invalid(f"Requested signature not found in model graph: {name}")
    if task.method_name == tf.saved_model.CLASSIFY_METHOD_NAME:
        classification_outputs(servable, name)
    elif task.method_name == tf.saved_model.REGRESS_METHOD_NAME:
        check_regression(servable, name)
    else:
        raise RequestError(grpc.StatusCode.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}")
    return name
