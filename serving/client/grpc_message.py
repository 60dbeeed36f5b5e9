"""Requests and answers of TensorFlow Serving's gRPC interface.

Source: tensorflow_serving/apis/{prediction_service,model_service}.proto of TensorFlow Serving.
"""

from __future__ import annotations

import json
from typing import Any

import grpc
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2, predict_pb2

from schemas.errors import ServingError
from serving.client.client_tls import ClientTls, is_secure
from serving.client.columns import Columns
from serving.client.other_port import other_port
from serving.client.prediction import Prediction
from serving.client.signature import Signature
from serving.client.target import Target

SIGNATURE_DEF = "signature_def"
# What gRPC's library, and no server, says of a connection.
_UNCONNECTED = ("failed to connect", "Socket closed", "reset by peer")
_FIXES = {
    grpc.StatusCode.UNAVAILABLE: "Check that the server runs, and its gRPC address: TensorFlow Serving's port is 8500.",
    grpc.StatusCode.DEADLINE_EXCEEDED: "Send fewer rows at once, or allow more time.",
    grpc.StatusCode.NOT_FOUND: "Look at what the server has: GetModelStatus tells its versions.",
    grpc.StatusCode.INVALID_ARGUMENT: "Look at the model's inputs: GetModelMetadata tells them.",
}


def model_spec(target: Target, signature: str = "") -> Any:
    """The ModelSpec of a target."""
    spec = model_pb2.ModelSpec(name=target.model, signature_name=signature)
    if target.version is not None:
        spec.version.value = target.version
    elif target.label is not None:
        spec.version_label = target.label
    return spec


def predict_request(columns: Columns, signature: Signature, target: Target) -> Any:
    """A PredictRequest."""
    request = predict_pb2.PredictRequest(model_spec=model_spec(target, signature.name))
    for key, column in columns.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(column, tf.as_dtype(column.dtype), column.shape))
    return request


def prediction(response: Any) -> Prediction:
    """What a PredictResponse says."""
    outputs = {key: tf.make_ndarray(tensor) for key, tensor in sorted(response.outputs.items())}
    return Prediction(outputs, response.model_spec.version.value)


def metadata_request(target: Target) -> Any:
    """A GetModelMetadataRequest for the signatures."""
    return get_model_metadata_pb2.GetModelMetadataRequest(model_spec=model_spec(target), metadata_field=[SIGNATURE_DEF])


def metadata(response: Any) -> dict[str, Any]:
    """A GetModelMetadataResponse as the JSON that REST gives."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata[SIGNATURE_DEF].Unpack(signatures)
    found = json.loads(json_format.MessageToJson(signatures, preserving_proto_field_name=True))
    return {"metadata": {SIGNATURE_DEF: found}}


def status_request(target: Target) -> Any:
    """A GetModelStatusRequest."""
    return get_model_status_pb2.GetModelStatusRequest(model_spec=model_spec(target))


def versions(response: Any) -> list[dict[str, Any]]:
    """The versions in a GetModelStatusResponse, as the JSON that REST gives."""
    found = json.loads(json_format.MessageToJson(response, preserving_proto_field_name=True))
    return list(found.get("model_version_status", []))


def refusal(error: Any, where: str, address: str, tls: ClientTls | None = None, *, known: bool = False) -> ServingError:
    """What a call's error says.

    Args:
        error: of gRPC.
        where: the server and the model.
        address: that is asked itself what it is where nothing answers.
        tls: with which files.
        known: a server has answered there before: it is too busy now, or gone, or certificates have changed.
    """
    code = error.code()
    is_asked = not known or (is_secure(address) and any(text in (error.details() or "") for text in _UNCONNECTED))
    fix = other_port(address, "gRPC", tls) if is_asked and code is grpc.StatusCode.UNAVAILABLE else ""
    if code is grpc.StatusCode.INVALID_ARGUMENT and "version label" in (error.details() or ""):
        fix = "See the labels that it has: scalable-tf release list."
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        what = "The model server does not answer."
    else:
        what = "The model server refused the request."
    return ServingError(
        what,
        where=where,
        received=f"{code.name}: {error.details()}",
        fix=fix or _FIXES.get(code, "Its log may say why."),
    )
