"""Predict of gRPC, and of the requests that warm a model up."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

import grpc
import numpy.typing as npt
from tensorflow_serving.apis import model_pb2, predict_pb2

from serving.server.answer_size import is_small
from serving.server.on_thread import on_thread
from serving.server.request_error import RequestError, invalid
from serving.server.servable import DEFAULT_SIGNATURE, Servable
from serving.server.tensor_proto import decode, encode

Array = npt.NDArray[Any]

_QUICK_VALUES = 1 << 14  # what holds an event loop up for some milliseconds


def predict(
    servable: Servable, request: predict_pb2.PredictRequest, deadline: float | None = None
) -> predict_pb2.PredictResponse:
    """The answer to a request.

    Args:
        servable: the version that answers.
        request: its model_spec says which signature; default: `serving_default`.
        deadline: of `time.monotonic()`.

    Raises:
        RequestError: FAILED_PRECONDITION: there is no such signature; INVALID_ARGUMENT: a value that is none; whatever
            running it raises.
    """
    signature, feeds, outputs = _read(servable, request)
    return _response(servable, signature, servable.run(signature, feeds, outputs, deadline))


def is_quick(request: predict_pb2.PredictRequest) -> bool:
    """Whether a request of few bytes has few values, too: TensorFlow's rule for typed fields fills up any shape."""
    inputs = request.inputs
    for key in inputs:
        size = 1
        for dim in inputs[key].tensor_shape.dim:
            size *= dim.size
        if size > _QUICK_VALUES:
            return False
    return True


async def predict_on_loop(
    servable: Servable, request: predict_pb2.PredictRequest, deadline: float | None, threads: Executor
) -> bytes:
    """The answer, as it is sent, to a request that `is_quick`, where requests are combined: see `Servable.answer`."""
    signature, feeds, outputs = _read(servable, request)
    found = await servable.answer(signature, feeds, outputs, deadline, threads=threads)
    if is_small(found, _QUICK_VALUES):
        return _serialized(servable, signature, found)
    return await on_thread(threads, _serialized, servable, signature, found)


def _read(servable: Servable, request: predict_pb2.PredictRequest) -> tuple[str, dict[str, Array], list[str] | None]:
    """Signature, inputs, and the outputs that are wanted."""
    signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
    if signature not in servable.signatures:
        raise RequestError(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{signature}" not found.')
    feeds = {}
    inputs = request.inputs
    for key in inputs:
        try:
            feeds[key] = decode(inputs[key])
        except ValueError as error:
            raise invalid(f"tensor parsing error: {key}: {error}") from error
    return signature, feeds, list(request.output_filter) or None


def _response(servable: Servable, signature: str, found: Mapping[str, Array]) -> predict_pb2.PredictResponse:
    response = predict_pb2.PredictResponse()
    _describe(servable, signature, response.model_spec)
    for key, array in found.items():
        encode(array, response.outputs[key])
    return response


def _serialized(servable: Servable, signature: str, found: Mapping[str, Array]) -> bytes:
    return _response(servable, signature, found).SerializeToString()


def model_spec(servable: Servable, signature: str | None) -> model_pb2.ModelSpec:
    """What an answer says of the version that gave it."""
    found = model_pb2.ModelSpec()
    _describe(servable, signature or DEFAULT_SIGNATURE, found)
    return found


def _describe(servable: Servable, signature: str, spec: model_pb2.ModelSpec) -> None:
    spec.name = servable.name
    spec.signature_name = signature
    spec.version.value = servable.version
