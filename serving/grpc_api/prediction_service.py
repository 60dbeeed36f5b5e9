"""tensorflow.serving.PredictionService: what models answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.grpc_api.answering import Answering
from serving.grpc_api.asked_version import asked_version
from serving.grpc_api.call_count import CallCount
from serving.server.classify import classify
from serving.server.example_input import serialized_examples
from serving.server.manager import ModelManager
from serving.server.metrics import Metrics
from serving.server.multi_inference import multi_inference
from serving.server.predict import model_spec, predict
from serving.server.regress import regress
from serving.server.request_error import invalid
from serving.server.servable import Servable

Answer = TypeVar("Answer")

_SIGNATURES = "signature_def"


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The service.

    Args:
        manager: the models.
        metrics: where calls are counted.
        calls: those that are being answered.
    """

    def __init__(self, manager: ModelManager, metrics: Metrics, calls: CallCount) -> None:
        self._manager = manager
        self._answer = Answering(metrics, calls)

    def Predict(  # noqa: N802
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Outputs of a signature for tensors."""

        def work(deadline: float | None) -> predict_pb2.PredictResponse:
            with self._lease(request) as servable:
                return predict(servable, request, deadline)

        return self._answer("Predict", request.model_spec.name, context, work)

    def Classify(  # noqa: N802
        self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext
    ) -> classification_pb2.ClassificationResponse:
        """Labels and scores of tf.Examples."""
        return self._of_examples("Classify", request, context, classify, classification_pb2.ClassificationResponse)

    def Regress(  # noqa: N802
        self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext
    ) -> regression_pb2.RegressionResponse:
        """A number for each tf.Example."""
        return self._of_examples("Regress", request, context, regress, regression_pb2.RegressionResponse)

    def MultiInference(  # noqa: N802
        self, request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext
    ) -> inference_pb2.MultiInferenceResponse:
        """Several classifications and regressions of the same tf.Examples."""
        spec = request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()

        def work(deadline: float | None) -> inference_pb2.MultiInferenceResponse:
            with lease(self._manager, spec, predicts=True) as servable:
                return multi_inference(servable, request, deadline)

        return self._answer("MultiInference", spec.name, context, work)

    def GetModelMetadata(  # noqa: N802
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """The signatures of a model."""

        def work(deadline: float | None) -> get_model_metadata_pb2.GetModelMetadataResponse:
            if not request.HasField("model_spec"):
                raise invalid("Missing ModelSpec")
            if not request.metadata_field:
                raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
            for field in request.metadata_field:
                if field != _SIGNATURES:
                    raise invalid(f"Metadata field {field} is not supported")
            with lease(self._manager, request.model_spec) as servable:
                response = get_model_metadata_pb2.GetModelMetadataResponse()
                response.model_spec.name = servable.name
                response.model_spec.version.value = servable.version
                signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=dict(servable.signatures))
                response.metadata[_SIGNATURES].Pack(signatures)
                return response

        return self._answer("GetModelMetadata", request.model_spec.name, context, work)

    def _of_examples(
        self,
        api: str,
        request: Any,
        context: grpc.ServicerContext,
        answer: Callable[..., Any],
        response: Callable[..., Answer],
    ) -> Answer:
        def work(deadline: float | None) -> Answer:
            with self._lease(request) as servable:
                name = request.model_spec.signature_name
                result = answer(servable, name, serialized_examples(request.input), deadline)
                return response(result=result, model_spec=model_spec(servable, name))

        return self._answer(api, request.model_spec.name, context, work)

    def _lease(self, request: predict_pb2.PredictRequest) -> AbstractContextManager[Servable]:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        return lease(self._manager, request.model_spec, predicts=True)


def lease(
    manager: ModelManager, spec: model_pb2.ModelSpec, *, predicts: bool = False
) -> AbstractContextManager[Servable]:
    """The version that a ModelSpec asks for; for `predicts` see `ModelManager.lease`.

    Raises:
        RequestError: INVALID_ARGUMENT: it names no model; as `ModelManager.lease`.
    """
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    return manager.lease(*asked_version(spec), predicts=predicts)
