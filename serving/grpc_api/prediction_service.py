"""tensorflow.serving.PredictionService: what models answer."""

from __future__ import annotations

from concurrent.futures import Executor
from contextlib import AbstractContextManager
from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.grpc_api.answering import Answering, Method
from serving.grpc_api.asked_version import asked_version
from serving.server.classify import classify
from serving.server.example_input import serialized_examples
from serving.server.manager import ModelManager
from serving.server.multi_inference import multi_inference
from serving.server.predict import model_spec, predict, predict_on_loop
from serving.server.regress import regress
from serving.server.request_error import invalid
from serving.server.servable import Servable

_SIGNATURES = "signature_def"


def prediction_service(manager: ModelManager, answering: Answering) -> grpc.GenericRpcHandler:
    """The service.

    Args:
        manager: the models.
        answering: answers the calls.
    """
    service = _PredictionService(manager)
    return answering.service(
        "tensorflow.serving.PredictionService",
        # A batch has its threads; what is run alone needs one.
        Method(
            "Predict",
            predict_pb2.PredictRequest,
            _model,
            service.predict,
            service.predict_on_loop if manager.batches else None,
        ),
        Method("Classify", classification_pb2.ClassificationRequest, _model, service.classify),
        Method("Regress", regression_pb2.RegressionRequest, _model, service.regress),
        Method(
            "MultiInference",
            inference_pb2.MultiInferenceRequest,
            lambda request: str(_first_spec(request).name),
            service.multi_inference,
        ),
        Method("GetModelMetadata", get_model_metadata_pb2.GetModelMetadataRequest, _model, service.metadata),
    )


class _PredictionService:
    def __init__(self, manager: ModelManager) -> None:
        self._manager = manager

    def predict(self, request: predict_pb2.PredictRequest, deadline: float | None) -> bytes:
        """Outputs of a signature for tensors."""
        with self._lease(request) as servable:
            return predict(servable, request, deadline)

    async def predict_on_loop(
        self, request: predict_pb2.PredictRequest, deadline: float | None, threads: Executor
    ) -> bytes:
        """The same, where requests are combined."""
        with self._lease(request) as servable:
            return await predict_on_loop(servable, request, deadline, threads)

    def classify(
        self, request: classification_pb2.ClassificationRequest, deadline: float | None
    ) -> classification_pb2.ClassificationResponse:
        """Labels and scores of tf.Examples."""
        with self._lease(request) as servable:
            name = request.model_spec.signature_name
            result = classify(servable, name, serialized_examples(request.input), deadline)
            return classification_pb2.ClassificationResponse(result=result, model_spec=model_spec(servable, name))

    def regress(
        self, request: regression_pb2.RegressionRequest, deadline: float | None
    ) -> regression_pb2.RegressionResponse:
        """A number for each tf.Example."""
        with self._lease(request) as servable:
            name = request.model_spec.signature_name
            result = regress(servable, name, serialized_examples(request.input), deadline)
            return regression_pb2.RegressionResponse(result=result, model_spec=model_spec(servable, name))

    def multi_inference(
        self, request: inference_pb2.MultiInferenceRequest, deadline: float | None
    ) -> inference_pb2.MultiInferenceResponse:
        """Several classifications and regressions of the same tf.Examples."""
        with lease(self._manager, _first_spec(request), predicts=True) as servable:
            return multi_inference(servable, request, deadline)

    def metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, deadline: float | None
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """The signatures of a model."""
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

    def _lease(self, request: Any) -> AbstractContextManager[Servable]:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        return lease(self._manager, request.model_spec, predicts=True)


def _model(request: Any) -> str:
    return str(request.model_spec.name)


def _first_spec(request: inference_pb2.MultiInferenceRequest) -> model_pb2.ModelSpec:
    return request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()


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
