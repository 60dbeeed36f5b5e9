"""The JSON of answers, as TensorFlow Serving writes it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, regression_pb2

from serving.rest.shortest_decimals import shortest_decimals
from serving.server.dtype_text import dtype_text
from serving.server.request_error import invalid

# Floats of Python print as the shortest text, always with a point or an exponent, and as NaN, Infinity, -Infinity.
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False)
_RAW = "\ud800"  # around a number that is written otherwise; no text has it, as bytes that are no text become others
_LARGE = 1e6
_WHOLE = {tf.int8, tf.uint8, tf.int16, tf.int32, tf.uint32, tf.int64, tf.uint64, tf.bool}


def predictions_json(outputs: Mapping[str, npt.NDArray[Any]], *, rows: bool) -> bytes:
    """The answer of a predict request.

    A single output stands without its name; several are an object for each row, or one object of columns. Strings
    whose output is named `*_bytes` are objects with base64.

    Args:
        outputs: arrays by name.
        rows: `predictions`, row by row; otherwise `outputs`, column by column.

    Raises:
        RequestError: INVALID_ARGUMENT: no outputs, rows of scalars or of different number, a dtype that JSON has no
            form for.
    """
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    names = sorted(outputs)
    if rows:
        _check_rows({name: outputs[name].shape for name in names})
    columns = [_plain(name, outputs[name]) for name in names]
    if not rows:
        return answer_json({"outputs": columns[0] if len(names) == 1 else dict(zip(names, columns, strict=True))})
    if len(names) == 1:
        return answer_json({"predictions": columns[0]})
    return answer_json({"predictions": [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]})


def classification_json(result: classification_pb2.ClassificationResult) -> bytes:
    """The answer of a classify request: for each example a list of pairs of label and score.

    Raises:
        RequestError: INVALID_ARGUMENT: there are no classifications.
    """
    if not result.classifications:
        raise invalid("Cannot convert empty ClassificationResults to JSON")
    scores = iter(_floats([one.score for each in result.classifications for one in each.classes]))
    found = [[[one.label, next(scores)] for one in each.classes] for each in result.classifications]
    return answer_json({"results": found})


def regression_json(result: regression_pb2.RegressionResult) -> bytes:
    """The answer of a regress request: a number for each example.

    Raises:
        RequestError: INVALID_ARGUMENT: there are no regressions.
    """
    if not result.regressions:
        raise invalid("Cannot convert empty RegressionResults to JSON")
    return answer_json({"results": _floats([one.value for one in result.regressions])})


def error_json(message: str) -> bytes:
    """The answer of a request that failed."""
    return answer_json({"error": message}, errors="replace")


def answer_json(answer: Mapping[str, Any], *, errors: str = "surrogateescape") -> bytes:
    """An object with one member, indented as TensorFlow Serving's: the member on a line, its value without breaks."""
    members = ",\n".join(f"    {_ENCODER.encode(key)}: {_ENCODER.encode(value)}" for key, value in answer.items())
    if _RAW in members and errors != "replace":
        members = members.replace(f'"{_RAW}', "").replace(f'{_RAW}"', "")
    # By default bytes of string outputs that are no text go out as they are.
    return f"{{\n{members}\n}}".encode("utf-8", errors)


def _check_rows(shapes: Mapping[str, Sequence[int]]) -> None:
    batch: int | None = None
    for name, shape in shapes.items():
        if not shape:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if batch is not None and shape[0] != batch:
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {shape[0]} expecting: {batch}")
        batch = shape[0]


def _plain(name: str, array: npt.NDArray[Any]) -> Any:
    """An array as what Python's encoder takes: nested lists, or a scalar."""
    kind = tf.dtypes.as_dtype(array.dtype)
    if kind in (tf.float32, tf.float64):
        return _decimals(array)
    if kind in _WHOLE:
        return array.tolist()
    if kind == tf.string:
        strings = np.empty(array.size, dtype=object)
        flat = [value if isinstance(value, bytes) else str(value).encode("utf-8") for value in array.reshape(-1)]
        if name.endswith("_bytes"):
            strings[:] = [{"b64": base64.b64encode(value).decode("ascii")} for value in flat]
        else:
            strings[:] = [value.decode("utf-8", "surrogateescape") for value in flat]
        return strings.reshape(array.shape).tolist()
    if not array.size:
        return array.tolist()
    raise invalid(f"Failed to write JSON value for tensor type: {dtype_text(kind)}")


def _floats(values: list[float]) -> list[Any]:
    """Values of float32 fields."""
    found: list[Any] = _decimals(np.array(values, dtype=np.float32))
    return found


def _decimals(array: npt.NDArray[Any]) -> Any:
    """Floats as what prints as TensorFlow Serving prints them."""
    doubles = shortest_decimals(array)
    large = np.isfinite(doubles) & (np.abs(doubles) >= _LARGE)
    if not large.any():
        return doubles.tolist()
    found = doubles.astype(object)
    found[large] = [f"{_RAW}{_large_text(value)}{_RAW}" for value in array[large]]
    return found.tolist()


def _large_text(value: Any) -> str:
    """A float from a million on, which C prints with an exponent where six digits tell it: 9e+06, but 1234567.0."""
    text = f"{value:g}"
    if type(value)(text) != value:
        text = f"{value:.9g}" if isinstance(value, np.float32) else repr(float(value))
    return text if "." in text or "e" in text else f"{text}.0"
