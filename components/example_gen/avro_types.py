"""Columns of Avro records as Arrow arrays of the type that Parquet would have for them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

from schemas.errors import DataError

_PLAIN: dict[str, Any] = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "fixed": pa.binary(),
    "string": pa.string(),
    "enum": pa.string(),
}
_LOGICAL: dict[tuple[str, str], Any] = {
    ("int", "date"): pa.date32(),
    ("int", "time-millis"): pa.time32("ms"),
    ("long", "time-micros"): pa.time64("us"),
    ("long", "timestamp-millis"): pa.timestamp("ms", "UTC"),
    ("long", "timestamp-micros"): pa.timestamp("us", "UTC"),
    ("long", "timestamp-nanos"): pa.timestamp("ns", "UTC"),
    ("long", "local-timestamp-millis"): pa.timestamp("ms"),
    ("long", "local-timestamp-micros"): pa.timestamp("us"),
    ("long", "local-timestamp-nanos"): pa.timestamp("ns"),
}
_SINGLE = frozenset({"boolean", "int", "long", "float", "double", "string", "enum"})
_DIGITS = 76  # of Arrow's widest decimal


def arrow_column(name: str, values: list[Any], schema: Any, named: Mapping[str, Any], path: str) -> Any:
    """The values of a column as an Arrow array; of text where they are of several types.

    Args:
        name: of the column.
        values: as fastavro reads them without logical types.
        schema: of the column, parsed.
        named: schemas of named types.
        path: of the file.

    Raises:
        DataError: the column is nested, or of a type that is not read.
    """
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    if isinstance(schema, list):
        branches = [each for each in schema if each != "null"]
        if len(branches) == 1:
            return arrow_column(name, values, branches[0], named, path)
        if not branches:
            return pa.nulls(len(values))
        kinds = [_kind(named.get(each, each) if isinstance(each, str) else each) for each in branches]
        if any(logical for _, logical in kinds) or not {kind for kind, _ in kinds} <= _SINGLE:
            raise _refused(name, f"one of {', '.join(logical or kind for kind, logical in kinds)}", path)
        return pa.array([None if value is None else _text(value) for value in values], pa.string())
    kind, logical = _kind(schema)
    if kind not in _PLAIN:
        raise _refused(name, kind, path)
    if logical == "decimal":
        precision, scale = schema["precision"], schema.get("scale", 0)
        if precision > _DIGITS:
            raise _refused(name, f"decimal of {precision} digits", path)
        numbers = [None if value is None else _decimal(value, scale) for value in values]
        return pa.array(numbers, (pa.decimal128 if precision <= _DIGITS // 2 else pa.decimal256)(precision, scale))
    array = pa.array(values, _PLAIN[kind])
    return array.cast(_LOGICAL[kind, logical]) if logical and (kind, logical) in _LOGICAL else array


def _kind(schema: Any) -> tuple[str, str | None]:
    """The type and what it stands for, if Arrow has a type for that."""
    if not isinstance(schema, dict):
        return str(schema), None
    kind, logical = str(schema["type"]), schema.get("logicalType")
    if (kind, logical) in _LOGICAL or (kind in ("bytes", "fixed") and logical == "decimal" and "precision" in schema):
        return kind, logical
    return kind, None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decimal(value: bytes, scale: int) -> Decimal:
    # From text, as arithmetic would round it.
    return Decimal(f"{int.from_bytes(value, 'big', signed=True)}E-{scale}")


def _refused(name: str, kind: str, path: str) -> DataError:
    if kind in ("array", "map", "record", "error"):
        return DataError(
            f"Column {name!r} holds several values in a row; a column has one at most.",
            where=path,
            received=kind,
            fix="Write each of them as a column of its own.",
        )
    return DataError(
        f"Column {name!r} is of a type that is not read.",
        where=path,
        received=kind,
        fix="Write it as numbers, text, dates or times.",
    )
