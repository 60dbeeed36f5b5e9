"""Predict requests from a file, to be sent again.

JSON lines: each the body of a `:predict` request of TensorFlow Serving's REST API, with `instances` or `inputs`.
TFRecord: serialized PredictionLogs, as TensorFlow Serving's request log and its warm-up file have them.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from schemas.errors import ReleaseError

_SIGNATURE = "serving_default"
_KEYS = {"signature_name", "instances", "inputs"}


def recorded_requests(path: Path, signatures: Mapping[str, Any]) -> list[PredictRequest]:
    """The requests in a file, in its order; none has a model's name or version.

    Args:
        path: a file of JSON lines, which begins with `{`, or else a TFRecord.
        signatures: SignatureDefs of the model by name, which say what the values in JSON are.

    Raises:
        ReleaseError: it cannot be read, or holds no predict request.
    """
    try:
        with path.open("rb") as file:
            is_json = file.read(1) == b"{"
        requests = list(_from_json(path, signatures) if is_json else _from_records(path))
    except (OSError, DecodeError, tf.errors.OpError) as error:
        raise ReleaseError(
            "The file of requests cannot be read.",
            where=str(path),
            received=getattr(error, "strerror", None) or str(error).partition("\n")[0],
            fix='Give JSON lines such as {"instances": [...]}, or a TFRecord of PredictionLog.',
        ) from error
    if not requests:
        raise ReleaseError("The file holds no predict request.", where=str(path), fix="Record some requests first.")
    return requests


def _from_records(path: Path) -> Iterator[PredictRequest]:
    for record in tf.data.TFRecordDataset([str(path)]).as_numpy_iterator():
        log = PredictionLog.FromString(record)
        if log.WhichOneof("log_type") == "predict_log":
            request = log.predict_log.request
            name = request.model_spec.signature_name
            request.ClearField("model_spec")
            request.model_spec.signature_name = name
            yield request


def _from_json(path: Path, signatures: Mapping[str, Any]) -> Iterator[PredictRequest]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield _request(json.loads(line), signatures)
                except (ValueError, TypeError, KeyError, binascii.Error) as error:
                    raise ReleaseError(
                        "A line of the file is no predict request for this model.",
                        where=f"{path}, line {number}",
                        received=error,
                        fix="Each line is the body of a :predict request: instances or inputs, and the values that the "
                        "signature takes.",
                    ) from error


def _request(body: Any, signatures: Mapping[str, Any]) -> PredictRequest:
    if not isinstance(body, dict) or not body.keys() <= _KEYS or ("instances" in body) == ("inputs" in body):
        raise ValueError("it must have the key instances or inputs, and may have signature_name")
    name = body.get("signature_name", _SIGNATURE)
    if name not in signatures:
        raise ValueError(f"signature {name!r}; the model has {', '.join(sorted(signatures))}")
    inputs = signatures[name].inputs
    request = PredictRequest()
    request.model_spec.signature_name = name
    for key, values in _columns(body, list(inputs)).items():
        dtype = tf.dtypes.as_dtype(inputs[key].dtype)
        request.inputs[key].CopyFrom(tf.make_tensor_proto(_decoded(values), dtype=dtype))
    return request


def _columns(body: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """Values by input."""
    if "inputs" in body:
        given = body["inputs"]
        named = isinstance(given, dict) and "b64" not in given
        columns = given if named else {_only(keys): given}
    elif all(isinstance(row, dict) and "b64" not in row for row in body["instances"]):
        columns = {key: [row[key] for row in body["instances"]] for key in body["instances"][0]}
    else:
        columns = {_only(keys): body["instances"]}
    if columns.keys() != set(keys):
        raise ValueError(f"values for {', '.join(sorted(columns))}; the signature takes {', '.join(sorted(keys))}")
    return columns


def _only(keys: list[str]) -> str:
    if len(keys) != 1:
        raise ValueError(f"values without names; the signature takes {', '.join(sorted(keys))}")
    return keys[0]


def _decoded(value: Any) -> Any:
    """The value with every {"b64": text} as bytes."""
    if isinstance(value, list):
        return [_decoded(one) for one in value]
    if isinstance(value, dict):
        return base64.b64decode(value["b64"], validate=True)
    return value
