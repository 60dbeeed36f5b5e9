"""The PredictionService of a `ModelServer`: it answers by label, as each version of a test does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataResponse, SignatureDefMap
from tensorflow_serving.apis.predict_pb2 import PredictResponse
from tensorflow_serving.apis.prediction_service_pb2_grpc import (
    PredictionServiceServicer,
    add_PredictionServiceServicer_to_server,
)

from tests.unit.serving.model_server import ModelServer

Answer = Callable[[float], float]


@dataclass
class Predictions(PredictionServiceServicer):
    """One input `x`, and one output `score`.

    Attributes:
        server: has the labels.
        answers: what a version answers; without one, it answers x. What it raises is an error of the request.
        asked: versions, in the order of the requests.
    """

    server: ModelServer
    answers: dict[int, Answer] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    def GetModelMetadata(self, request: Any, context: Any) -> GetModelMetadataResponse:
        signature = SignatureDef(inputs={"x": TensorInfo(dtype=tf.float32.as_datatype_enum)})
        answer = GetModelMetadataResponse()
        answer.metadata["signature_def"].Pack(SignatureDefMap(signature_def={"serving_default": signature}))
        return answer

    def Predict(self, request: Any, context: Any) -> PredictResponse:
        spec = request.model_spec
        version = self.server.labels.get(spec.name, {}).get(spec.version_label)
        if version is None:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"Unrecognized servable version label: {spec.version_label}"
            )
        self.asked.append(version)
        (x,) = tf.make_ndarray(request.inputs["x"]).tolist()
        try:
            score = self.answers.get(version, lambda x: x)(x)
        except ValueError as error:
            context.abort(grpc.StatusCode.INTERNAL, str(error))
        answer = PredictResponse()
        answer.model_spec.name, answer.model_spec.version.value = spec.name, version
        answer.outputs["score"].CopyFrom(tf.make_tensor_proto([score], dtype=tf.float32))
        return answer

    def add(self, server: grpc.Server) -> None:
        add_PredictionServiceServicer_to_server(self, server)
