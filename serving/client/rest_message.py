"""Requests and answers of TensorFlow Serving's REST interface.

Source: https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np

from schemas.errors import ServingError
from serving.client.columns import Columns
from serving.client.signature import Signature
from serving.client.target import Target

_SHOWN = 500  # characters of what a server says


def path(target: Target, verb: str = "") -> str:
    """Of a model's status, or of what is asked of it: `:predict`, `/metadata`."""
    place = f"/v1/models/{quote(target.model, safe='')}"
    if target.version is not None:
        place += f"/versions/{target.version}"
    elif target.label is not None:
        place += f"/labels/{quote(target.label, safe='')}"
    return place + verb


def predict_body(columns: Columns, signature: Signature) -> bytes:
    """A request for predictions, by columns; NaN and Infinity are what TensorFlow Serving takes for them."""
    content = {"signature_name": signature.name, "inputs": {key: _plain(one) for key, one in columns.items()}}
    return json.dumps(content, separators=(",", ":")).encode()


def outputs(content: bytes, signature: Signature) -> Columns:
    """The outputs in the answer to `predict_body`.

    Raises:
        ServingError: it is no such answer.
    """
    try:
        found = json.loads(content)["outputs"]
        named = {next(iter(signature.outputs)): found} if len(signature.outputs) == 1 else found
        return {key: _array(named[key], spec.dtype) for key, spec in signature.outputs.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ServingError(
            "The server's answer holds no predictions.",
            where=f"signature {signature.name}",
            received=content[:_SHOWN].decode(errors="replace"),
            fix="Ask TensorFlow Serving, or `scalable-tf serve`; a proxy may have answered in its place.",
        ) from error


def answer(content: bytes, where: str) -> dict[str, Any]:
    """JSON of status and metadata.

    Raises:
        ServingError: it is none.
    """
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    raise ServingError(
        "What answers is no model server.",
        where=where,
        received=content[:_SHOWN].decode(errors="replace"),
        fix="Name the REST address of TensorFlow Serving, or of `scalable-tf serve`.",
    )


def refusal(status: int, content: bytes, where: str) -> ServingError:
    """What an answer with an error code says."""
    try:
        text = str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError):
        text = content[:_SHOWN].decode(errors="replace")
    if "label" in text:
        return _refused(status, text, where, "See the labels that it has: scalable-tf release list.")
    fix = {
        400: "Look at the model's inputs: GET .../metadata tells them.",
        404: "Look at what the server has: GET /v1/models/NAME tells its versions.",
        503: "The server is starting, or has more requests than it can take: ask again later.",
    }
    return _refused(status, text, where, fix.get(status, "Its log may say why."))


def _refused(status: int, text: str, where: str, fix: str) -> ServingError:
    return ServingError("The model server refused the request.", where=where, received=f"{status}: {text}", fix=fix)


def _plain(column: np.ndarray[Any, Any]) -> Any:
    if column.dtype.kind != "O":
        return column.tolist()
    return np.frompyfunc(lambda value: {"b64": base64.b64encode(value).decode()}, 1, 1)(column).tolist()


def _array(values: Any, dtype: Any) -> np.ndarray[Any, Any]:
    if np.dtype(dtype).kind != "O":
        return np.asarray(values, dtype=dtype)
    return _texts(values)


def _texts(values: Any) -> np.ndarray[Any, Any]:
    if isinstance(values, str | Mapping):
        made = np.empty((), dtype=object)
        made[()] = values.encode() if isinstance(values, str) else base64.b64decode(values["b64"])
        return made
    parts = [_texts(one) for one in values]
    return np.stack(parts) if parts else np.empty(0, dtype=object)
