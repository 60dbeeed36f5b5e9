"""The JSON of a classify or regress request: tf.Examples as objects of features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow.core.example import example_pb2, feature_pb2
from tensorflow_serving.apis import input_pb2

from serving.rest.bytes_value import bytes_of, is_base64
from serving.rest.json_document import require_finite_numbers, too_big, type_name
from serving.rest.value_text import value_text
from serving.server.request_error import RequestError, invalid

_INT64 = np.iinfo(np.int64)
_UINT64_MAX = np.iinfo(np.uint64).max


def read_examples(document: Mapping[str, Any], body: bytes) -> input_pb2.Input:
    """The examples of a request, with their context if there is one.

    Whole numbers and bools make an int64 feature, decimals a float feature, strings and base64 a bytes feature; a list
    holds one kind.

    Args:
        document: the request, parsed.
        body: its text.

    Raises:
        RequestError: INVALID_ARGUMENT: it has no list of examples, or a feature that is no list of one kind.
    """
    found = input_pb2.Input()
    examples = found.example_list.examples
    if "context" in document:
        found.example_list_with_context.context.CopyFrom(_example(document["context"], body))
        examples = found.example_list_with_context.examples
    if "examples" not in document:
        raise invalid(
            f"JSON Value: {value_text(document)} When method is classify, key 'examples' is expected and was not found"
        )
    given = document["examples"]
    if not isinstance(given, list):
        raise invalid(f"JSON Value: {value_text(document)} Expecting 'examples' value to be an list/array")
    if not given:
        raise invalid(f"JSON Value: {value_text(document)} 'examples' value is an empty array")
    examples.extend(_example(value, body) for value in given)
    return found


def _example(value: Any, body: bytes) -> example_pb2.Example:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {type_name(value)}")
    example = example_pb2.Example()
    for name, content in value.items():
        example.features.feature[bytes_of(name).decode("utf-8")].CopyFrom(_feature(name, content, body))
    return example


def _feature(name: str, content: Any, body: bytes) -> feature_pb2.Feature:
    values = content if isinstance(content, list) else [content]
    feature = feature_pb2.Feature()
    kinds = {_kind(value) for value in values}
    if len(kinds) > 1 or "" in kinds:
        raise _first_fault(name, values)
    if kinds == {"int64"}:
        if any(map(_is_unsigned, values)):
            raise _unsigned(name)
        feature.int64_list.value.extend(map(int, values))  # protobuf takes no bool for a number any more
    elif kinds == {"float"}:
        with np.errstate(over="ignore"):
            try:
                floats = np.array([float(value) for value in values], dtype=np.float64)
            except OverflowError as error:
                raise too_big() from error
            if np.isinf(floats).any():
                require_finite_numbers(body)
            feature.float_list.value.extend(floats.astype(np.float32).tolist())
    elif kinds == {"bytes"}:
        feature.bytes_list.value.extend(map(bytes_of, values))
    return feature


def _kind(value: Any) -> str:
    """What list of a Feature takes a value; empty: none."""
    if isinstance(value, int):
        # A whole number of more than 64 bits is read as a decimal.
        return "int64" if _INT64.min <= value <= _UINT64_MAX else "float"
    if isinstance(value, float):
        return "float"
    return "bytes" if isinstance(value, str) or is_base64(value) else ""


def _is_unsigned(value: Any) -> bool:
    return isinstance(value, int) and _INT64.max < value <= _UINT64_MAX


def _unsigned(name: str) -> RequestError:
    return invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")


def _first_fault(name: str, values: list[Any]) -> RequestError:
    first = _kind(values[0])
    for value in values:
        kind = _kind(value)
        if not kind:
            return invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")
        if kind != first:
            break
        if _is_unsigned(value):
            return _unsigned(name)
    return invalid(f"Unexpected element type in feature: {name} expecting type: {first}")
