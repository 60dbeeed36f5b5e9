"""The JSON of a predict request: rows under `instances`, or columns under `inputs`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from serving.rest.bytes_value import is_base64
from serving.rest.json_document import ParseError
from serving.rest.tensor_decoding import TensorDecoder, shape_of
from serving.rest.value_text import value_text
from serving.server.request_error import RequestError, invalid


@dataclass(frozen=True)
class PredictRequest:
    """What a predict request asks.

    Attributes:
        feeds: arrays by the signature's input names.
        rows: whether it came as `instances`, and is answered as `predictions`; otherwise `inputs` and `outputs`.
    """

    feeds: dict[str, npt.NDArray[Any]]
    rows: bool


def signature_name(document: Mapping[str, Any]) -> str:
    """The signature that a request names; empty: the default one.

    Raises:
        RequestError: INVALID_ARGUMENT: it is no string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {value_text(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return name


def read_predict_request(
    document: Mapping[str, Any], body: bytes, name: str, signature: SignatureDef
) -> PredictRequest:
    """The tensors of a request.

    Args:
        document: the request, parsed.
        body: its text.
        name: of the signature, for errors; empty: the default one.
        signature: what is asked.

    Raises:
        RequestError: INVALID_ARGUMENT: not as the signature wants it; UNIMPLEMENTED: a dtype that JSON has no form for.
    """
    dtypes = {key: tf.dtypes.as_dtype(info.dtype).base_dtype for key, info in signature.inputs.items()}
    if not dtypes:
        raise invalid(f"Failed to get input map for signature: {name or 'DEFAULT'}")
    decoder = TensorDecoder(body)
    if "instances" in document:
        instances = document["instances"]
        if "inputs" in document:
            raise invalid(
                f"JSON Value: {value_text(document)} Not formatted correctly expecting only one of 'inputs' or "
                "'instances' keys to exist "
            )
        if not isinstance(instances, list):
            raise invalid(f"JSON Value: {value_text(document)} Expecting 'instances' to be an list/array")
        if not instances:
            raise invalid(f"JSON Value: {value_text(document)} No values in 'instances' array")
        return PredictRequest(_rows(instances, dtypes, decoder), rows=True)
    if "inputs" in document:
        return PredictRequest(_columns(document["inputs"], dtypes, decoder), rows=False)
    raise invalid("Missing 'inputs' or 'instances' key")


def _columns(inputs: Any, dtypes: dict[str, tf.DType], decoder: TensorDecoder) -> dict[str, npt.NDArray[Any]]:
    if not _is_object(inputs):
        if len(dtypes) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        return {name: decoder.array(inputs, dtype) for name, dtype in dtypes.items()}
    feeds = {}
    for name in sorted(dtypes):
        if name not in inputs:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        feeds[name] = decoder.array(inputs[name], dtypes[name])
    return feeds


def _rows(instances: list[Any], dtypes: dict[str, tf.DType], decoder: TensorDecoder) -> dict[str, npt.NDArray[Any]]:
    if not isinstance(instances[0], dict) and len(dtypes) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    named = _is_object(instances[0])
    try:
        if named:
            if set(map(type, instances)) != {dict} or set(map(len, instances)) != {len(dtypes)}:
                raise _first_fault(instances, dtypes, decoder, named)
            return {name: decoder.array([row[name] for row in instances], dtype) for name, dtype in dtypes.items()}
        name = min(dtypes)
        return {name: decoder.array(instances, dtypes[name])}
    except (KeyError, RequestError) as error:
        if isinstance(error, ParseError):  # of the text, not of a row
            raise
        # The columns did not fit together: say which row is to blame.
        raise _first_fault(instances, dtypes, decoder, named) from error


def _first_fault(
    instances: list[Any], dtypes: dict[str, tf.DType], decoder: TensorDecoder, named: bool
) -> RequestError:
    """The first row that is not as the signature or the first row wants it."""
    end = len(instances)
    others = (number for number, row in enumerate(instances) if not _is_like(row, dtypes, named))
    alike = next(others, end)
    suspects = {0, alike}
    for name, dtype in dtypes.items():
        if named or name == min(dtypes):
            values = [row[name] for row in instances[:alike]] if named else instances[:alike]
            if values:
                suspects.add(decoder.first_unfit(values, shape_of(values[0]), dtype))
    shapes: dict[str, list[int]] = {}
    for number in sorted(suspects - {end}):
        try:
            _check_row(number, instances[number], dtypes, shapes, decoder, named)
        except RequestError as error:
            return error
    return invalid("Failed to process the 'instances' list")


def _is_like(row: Any, dtypes: dict[str, tf.DType], named: bool) -> bool:
    return _is_object(row) == named and (not named or row.keys() == dtypes.keys())


def _check_row(
    number: int,
    row: Any,
    dtypes: dict[str, tf.DType],
    shapes: dict[str, list[int]],
    decoder: TensorDecoder,
    named: bool,
) -> None:
    if named != _is_object(row):
        raise invalid(
            f"Expecting object but got list at item {number} of input list"
            if named
            else f"Expecting value/list but got object at item {number} of input list"
        )
    for name, value in row.items() if named else [(min(dtypes), row)]:
        try:
            _check_item(name, value, dtypes, shapes, decoder)
        except RequestError as error:
            where = f"{number} key: {name}" if named else f"{number}"
            raise invalid(
                f"Failed to process element: {where} of 'instances' list. Error: {error.code.name}: {error.message}"
            ) from error
    if named and row.keys() != dtypes.keys():
        raise invalid(
            f"Failed to process element: {number} of 'instances' list. JSON object: {value_text(row)} keys must be "
            f"equal to: {','.join(sorted(dtypes))}"
        )


def _check_item(
    name: str, value: Any, dtypes: dict[str, tf.DType], shapes: dict[str, list[int]], decoder: TensorDecoder
) -> None:
    if name not in dtypes:
        raise invalid(f"JSON object: does not have named input: {name}")
    decoder.array(value, dtypes[name])
    shape = shape_of(value)
    first = shapes.setdefault(name, shape)
    if math.prod(first) != math.prod(shape):
        raise invalid(f"Expecting tensor size: {math.prod(first)} but got: {math.prod(shape)}")
    if first != shape:
        raise invalid(f"Expecting shape {_shape_text(first)} but got: {_shape_text(shape)}")


def _shape_text(shape: list[int]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _is_object(value: Any) -> bool:
    """Whether a value names tensors; one with base64 alone is a value."""
    return isinstance(value, dict) and not is_base64(value)
