"""MultiInference: several classifications and regressions over the same tf.Examples."""

from __future__ import annotations

import grpc
import tensorflow as tf
from tensorflow_serving.apis import inference_pb2

from serving.server.classify import classify
from serving.server.example_input import serialized_examples
from serving.server.predict import model_spec
from serving.server.regress import regress
from serving.server.request_error import RequestError, invalid
from serving.server.servable import DEFAULT_SIGNATURE, Servable


def check_tasks(request: inference_pb2.MultiInferenceRequest) -> None:
    """Checks what can be known without the model.

    Raises:
        RequestError: INVALID_ARGUMENT: no task, several models, or a signature twice; UNIMPLEMENTED: another method
            than classify and regress.
    """
    if not request.tasks:
        raise invalid("MultiInferenceRequest has no tasks.")
    signatures = set()
    for task in request.tasks:
        if not task.model_spec.name:
            raise invalid("Found ModelSpec with an empty model name.")
        if task.model_spec.name != request.tasks[0].model_spec.name:
            raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
        name = task.model_spec.signature_name or DEFAULT_SIGNATURE
        if name in signatures:
            raise invalid(f"Duplicate evaluation of signature: {name}")
        signatures.add(name)
        if task.method_name not in (tf.saved_model.CLASSIFY_METHOD_NAME, tf.saved_model.REGRESS_METHOD_NAME):
            raise RequestError(grpc.StatusCode.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}")


def multi_inference(
    servable: Servable, request: inference_pb2.MultiInferenceRequest, deadline: float | None = None
) -> inference_pb2.MultiInferenceResponse:
    """The results of all tasks, in their order.

    Args:
        servable: the version that answers.
        request: one that `check_tasks` has passed.
        deadline: of `time.monotonic()`.

    Raises:
        RequestError: as `classify` and `regress`; INVALID_ARGUMENT: a signature is not there.
    """
    names = [task.model_spec.signature_name or DEFAULT_SIGNATURE for task in request.tasks]
    for name in names:
        if name not in servable.signatures:
            raise invalid(f"Requested signature not found in model graph: {name}")
    examples = serialized_examples(request.input)
    response = inference_pb2.MultiInferenceResponse()
    for task, name in zip(request.tasks, names, strict=True):
        result = response.results.add(model_spec=model_spec(servable, name))
        if task.method_name == tf.saved_model.CLASSIFY_METHOD_NAME:
            result.classification_result.CopyFrom(classify(servable, name, examples, deadline))
        else:
            result.regression_result.CopyFrom(regress(servable, name, examples, deadline))
    return response
