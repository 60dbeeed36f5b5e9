"""The search for the rows of a batch that offend, one for each kind of anomaly that single rows are to blame for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import schema_pb2

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Search = Callable[[pa.RecordBatch], tuple[Rows, "pa.Array | None"]]
"""Rows of a batch that offend, counted from 0, with the offending values; None in place of values that are missing."""


_MISSING = {
    "FEATURE_TYPE_LOW_FRACTION_PRESENT",
    "FEATURE_TYPE_LOW_NUMBER_PRESENT",
    "FEATURE_TYPE_NOT_PRESENT",
    "FEATURE_TYPE_NO_VALUES",
    "SCHEMA_MISSING_COLUMN",
}
_LENGTHS = {
    "FEATURE_TYPE_HIGH_NUMBER_VALUES",
    "FEATURE_TYPE_LOW_NUMBER_VALUES",
    "FEATURE_TYPE_UNEXPECTED_REPEATED",
    "INVALID_FEATURE_SHAPE",
}
_TYPE = {
    "UNEXPECTED_DATA_TYPE",
    "FLOAT_TYPE_NOT_FLOAT",
    "FLOAT_TYPE_STRING_NOT_FLOAT",
    "FLOAT_TYPE_NON_STRING",
    "INT_TYPE_INT_EXPECTED",
    "INT_TYPE_NOT_INT_STRING",
    "INT_TYPE_NOT_STRING",
    "INT_TYPE_STRING_EXPECTED",
    "STRING_TYPE_NOW_FLOAT",
    "STRING_TYPE_NOW_INT",
}
_TOO_SMALL = {"INT_TYPE_SMALL_INT", "FLOAT_TYPE_SMALL_FLOAT"}
_TOO_BIG = {"INT_TYPE_BIG_INT", "FLOAT_TYPE_BIG_FLOAT"}


def search_for(
    name: str, kind: str, feature: schema_pb2.Feature | None, domains: Mapping[str, schema_pb2.StringDomain]
) -> Search | None:
    """The search for a kind of anomaly; None where no single row is to blame (drift, number of rows, unique values)."""
    if kind in _MISSING:
        return lambda batch: (np.flatnonzero(_lengths(batch, name) == 0), None)
    if kind == "SCHEMA_NEW_COLUMN":
        return lambda batch: _where(batch, name, lambda values: np.ones(len(values), bool))
    if feature is None:
        return None
    if kind in _LENGTHS:
        least, most = feature.value_count.min, feature.value_count.max
        most = most or (feature.shape.dim[0].size if len(feature.shape.dim) == 1 else 1)
        return lambda batch: _lists(batch, name, lambda n: ((n > 0) & (n < least)) | (n > most))
    if kind in _TYPE:
        return lambda batch: _where(batch, name, lambda values: _not_of(feature.type, values))
    if kind.startswith(("ENUM_TYPE_", "BOOL_TYPE_")):
        return _outside(name, kind, feature, domains)
    domain = feature.int_domain if feature.HasField("int_domain") else feature.float_domain
    if kind in _TOO_SMALL:
        least_value = domain.min
        return lambda batch: _where(batch, name, lambda values: _numbers(values) < least_value)
    if kind in _TOO_BIG:
        most_value = domain.max
        return lambda batch: _where(batch, name, lambda values: _numbers(values) > most_value)
    if kind == "FLOAT_TYPE_HAS_NAN":
        return lambda batch: _where(batch, name, lambda values: np.isnan(_numbers(values)))
    if kind == "FLOAT_TYPE_HAS_INF":
        return lambda batch: _where(batch, name, lambda values: np.isinf(_numbers(values)))
    return None


def _column(batch: pa.RecordBatch, name: str) -> pa.Array | None:
    index = batch.schema.get_field_index(name)
    return None if index < 0 or pa.types.is_null(batch.schema.field(index).type) else batch.column(index)


def _lengths(batch: pa.RecordBatch, name: str) -> Rows:
    column = _column(batch, name)
    if column is None:
        return np.zeros(batch.num_rows, np.int64)
    return pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False).astype(np.int64)


def _where(batch: pa.RecordBatch, name: str, offends: Callable[[pa.Array], Mask]) -> tuple[Rows, pa.Array]:
    """Rows and values for which `offends` holds, value by value."""
    column = _column(batch, name)
    if column is None:
        return np.zeros(0, np.int64), pa.array([], pa.int64())
    values = pc.list_flatten(column)
    mask = offends(values)
    rows = pc.list_parent_indices(column).to_numpy(zero_copy_only=False).astype(np.int64)
    return rows[mask], values.filter(pa.array(mask))


def _lists(batch: pa.RecordBatch, name: str, offends: Callable[[Rows], Mask]) -> tuple[Rows, pa.Array]:
    """Rows for which `offends` holds of the number of values, with that number in words."""
    lengths = _lengths(batch, name)
    rows = np.flatnonzero(offends(lengths))
    return rows, pa.array([f"{n} value{'s' * (n != 1)}".encode() for n in lengths[rows].tolist()], pa.binary())


def _numbers(values: pa.Array) -> npt.NDArray[Any]:
    """Values as numbers; text becomes NaN where it is none, so that it is neither too small nor too big."""
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return values.to_numpy(zero_copy_only=False)
    return np.array([_parsed(value) for value in values.to_pylist()], np.float64)


def _parsed(value: bytes) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")


def _not_of(expected: int, values: pa.Array) -> Mask:
    """Values that cannot be of the schema's type; all of them where each one could be, but the column is not."""
    everything = np.ones(len(values), bool)
    if expected == schema_pb2.BYTES:
        return everything
    mask = np.isnan(_numbers(values))
    if expected == schema_pb2.INT and pa.types.is_floating(values.type):
        mask = _numbers(values) % 1 != 0
    return mask if mask.any() else everything


def _outside(
    name: str, kind: str, feature: schema_pb2.Feature, domains: Mapping[str, schema_pb2.StringDomain]
) -> Search | None:
    if kind == "ENUM_TYPE_INVALID_UTF8":
        return lambda batch: _where(
            batch, name, lambda values: np.array([not is_utf8(value) for value in values.to_pylist()], bool)
        )
    if feature.HasField("bool_domain"):
        known = {feature.bool_domain.true_value or "1", feature.bool_domain.false_value or "0"}
    elif feature.HasField("string_domain"):
        known = set(feature.string_domain.value)
    elif feature.domain in domains:
        known = set(domains[feature.domain].value)
    else:
        return None

    def offends(values: pa.Array) -> Mask:
        if not pa.types.is_binary(values.type) and not pa.types.is_large_binary(values.type):
            return np.array([str(value) not in known for value in values.to_pylist()], bool)
        allowed = pa.array([text.encode() for text in sorted(known)], values.type)
        return ~pc.is_in(values, value_set=allowed).to_numpy(zero_copy_only=False)

    return lambda batch: _where(batch, name, offends)


def is_utf8(value: bytes) -> bool:
    """Whether the bytes are UTF-8 text."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
