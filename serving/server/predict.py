"""Predict of gRPC, and of the requests that warm a model up."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
from tensorflow_serving.apis import model_pb2, predict_pb2

from serving.server.answer_size import is_small
from serving.server.on_thread import on_thread
from serving.server.request_error import RequestError, invalid
from serving.server.servable import DEFAULT_SIGNATURE, Servable
from serving.server.tensor_proto import ManyValuesError, decode, encode, field, is_packed

Array = npt.NDArray[Any]

_MOST_BYTES = (1 << 31) - 1  # of a message of protobuf
_QUICK_VALUES = 1 << 14  # what holds an event loop up for some milliseconds


def predict(servable: Servable, request: predict_pb2.PredictRequest, deadline: float | None = None) -> bytes:
    """The answer to a request: a serialized PredictResponse.

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


async def predict_on_loop(
    servable: Servable, request: predict_pb2.PredictRequest, deadline: float | None, threads: Executor
) -> bytes:
    """The same on an event loop, where requests are combined: see `Servable.answer`."""
    try:
        signature, feeds, outputs = _read(servable, request, _QUICK_VALUES)
    except ManyValuesError:
        return await on_thread(threads, predict, servable, request, deadline)
    found = await servable.answer(signature, feeds, outputs, deadline, threads=threads)
    if is_small(found, _QUICK_VALUES):
        return _response(servable, signature, found)
    return await on_thread(threads, _response, servable, signature, found)


def _read(
    servable: Servable, request: predict_pb2.PredictRequest, most: float = math.inf
) -> tuple[str, dict[str, Array], list[str] | None]:
    """Signature, inputs of at most so many values together, and the outputs that are wanted."""
    signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
    if signature not in servable.signatures:
        raise RequestError(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{signature}" not found.')
    feeds = {}
    inputs = request.inputs
    for key in inputs:
        try:
            feeds[key] = decode(inputs[key], most)
            most -= feeds[key].size
        except ValueError as error:
            raise invalid(f"tensor parsing error: {key}: {error}") from error
    return signature, feeds, list(request.output_filter) or None


def _response(servable: Servable, signature: str, found: Mapping[str, Array]) -> bytes:
    """A serialized PredictResponse; the numbers are those of its fields, and of a map's entry's."""
    outputs = [_output(key, array) for key, array in found.items()]
    answer = b"".join([*outputs, _spec_field(servable.name, servable.version, signature)])
    if len(answer) > _MOST_BYTES:
        raise RequestError(grpc.StatusCode.RESOURCE_EXHAUSTED, f"The answer has {len(answer)} bytes, more than 2 GiB.")
    return answer


def _output(key: str, array: Array) -> bytes:
    size = array.nbytes
    if size > _QUICK_VALUES or not is_packed(array):
        return _entry(key, array)
    return _before(key, array.dtype, array.shape) + array.tobytes()


def _entry(key: str, array: Array) -> bytes:
    return field(1, field(1, key.encode()) + field(2, encode(array)))


@functools.lru_cache(maxsize=1024)
def _before(key: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """What an output of packed numbers begins with: all but these, which are its last field."""
    zeros = np.zeros(shape, dtype)
    return _entry(key, zeros)[: -zeros.nbytes]


@functools.lru_cache(maxsize=256)
def _spec_field(name: str, version: int, signature: str) -> bytes:
    return field(2, _spec(name, version, signature).SerializeToString())


def model_spec(servable: Servable, signature: str | None) -> model_pb2.ModelSpec:
    """What an answer says of the version that gave it."""
    return _spec(servable.name, servable.version, signature or DEFAULT_SIGNATURE)


def _spec(name: str, version: int, signature: str) -> model_pb2.ModelSpec:
    found = model_pb2.ModelSpec(name=name, signature_name=signature)
    found.version.value = version
    return found
