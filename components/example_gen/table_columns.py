"""Columns of Parquet, Arrow and ORC files as columns of the types that the feature table declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.values import Typed, convert
from schemas.errors import DataError
from schemas.features import Dtype

_FLOAT32_MAX = float(np.finfo(np.float32).max)
_EXACT = 2**53
_PLAIN = (
    *(pa.types.is_null, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating),
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary),
)


def read_table_column(
    name: str, column: Any, dtype: Dtype, missing: Sequence[str], path: str, *, is_text: bool = False
) -> tuple[Any, Typed]:
    """Converts a column.

    Null is missing; so are, of text, the empty one and those of `missing`, and, where a whole number is wanted, NaN.

    Args:
        name: of the column.
        column: Arrow array of any type but nested ones.
        dtype: what is wanted.
        missing: texts that stand for a missing value.
        path: of the file.
        is_text: bytes must be UTF-8 text.

    Returns:
        For each row the number of its value, null where it is missing; and the values, with those that were refused.

    Raises:
        DataError: the column is nested or of an unknown type, or no text.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_nested(column.type):
        raise DataError(
            f"Column {name!r} holds several values in a row; a column has one at most.",
            where=path,
            received=str(column.type),
            fix="Write each of them as a column of its own.",
        )
    if pa.types.is_float16(column.type):  # Arrow computes nothing with it
        column = pa.array(column.to_numpy(zero_copy_only=False).astype(np.float32), mask=np.asarray(column.is_null()))
    if is_text and _is_text(column.type):
        try:
            column = column.cast(pa.string())
        except pa.ArrowInvalid as error:
            raise DataError(
                f"Column {name!r} is read as text and is not UTF-8 text.",
                where=path,
                received=str(error).splitlines()[0],
                fix="Write it in UTF-8.",
            ) from error
    if _is_text(column.type):
        absent = pa.array(["", *missing], pa.string()).cast(column.type)
        column = pc.if_else(pc.is_in(column, absent), pa.scalar(None, column.type), column)
    elif dtype == "int" and pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    there = np.asarray(pc.is_valid(column))
    rows = pa.array(np.cumsum(there, dtype=np.int32) - np.int32(1), mask=~there)
    try:
        return rows, _converted(column.drop_null(), dtype)
    except pa.ArrowNotImplementedError as error:
        raise DataError(
            f"Column {name!r} is of a type that is not read.",
            where=path,
            received=str(column.type),
            fix="Write it as numbers, text, dates or times.",
        ) from error


def cell(column: Any, row: int) -> Any:
    """One value of an Arrow array: of a plain type as it is, else as text, for Python cannot hold every date."""
    value = column.take(pa.array([row], pa.int64()))
    if any(test(column.type) for test in _PLAIN):
        return value[0].as_py()
    try:
        return as_texts(value)[0].as_py()
    except (pa.ArrowException, OverflowError, ValueError):
        return f"a value of the type {column.type}"


def as_texts(values: Any) -> Any:
    """The values of an Arrow array as CSV would have them."""
    if pa.types.is_decimal(values.type):  # not every version of Arrow casts them, and str writes 0E-9
        return pa.array([None if value is None else format(value, "f") for value in values.to_pylist()], pa.string())
    return values.cast(pa.string())


def _converted(values: Any, dtype: Dtype) -> Typed:
    kind = values.type
    if dtype == "string":
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            return Typed(values.cast(pa.binary()), {})
        return Typed(as_texts(values), {})
    if pa.types.is_boolean(kind):
        values = values.cast(pa.int8())
    if pa.types.is_integer(values.type):
        return _of_integers(values, dtype)
    if pa.types.is_floating(kind):
        return _of_floats(np.asarray(values.cast(pa.float64())), dtype)
    if pa.types.is_null(kind):
        return Typed(pa.array([], pa.int64() if dtype == "int" else pa.float32()), {})
    # Text, decimals, dates: as CSV would have them.
    return convert(as_texts(values), dtype)


def _of_integers(values: Any, dtype: Dtype) -> Typed:
    if dtype == "float":
        return Typed(pa.array(np.asarray(values).astype(np.float32)), {})
    if not pa.types.is_uint64(values.type):
        return Typed(values.cast(pa.int64()), {})
    numbers = np.asarray(values)
    wrong = numbers > np.uint64(2**63 - 1)
    refused = dict.fromkeys(np.flatnonzero(wrong).tolist(), "outside the range of int64")
    return Typed(pa.array(np.where(wrong, 0, numbers).astype(np.int64), mask=wrong), refused)


def _of_floats(numbers: np.ndarray[Any, Any], dtype: Dtype) -> Typed:
    if dtype == "float":
        wrong = np.isfinite(numbers) & (np.abs(numbers) > _FLOAT32_MAX)
        refused = dict.fromkeys(np.flatnonzero(wrong).tolist(), "outside the range of float32")
        return Typed(pa.array(np.where(wrong, 0, numbers).astype(np.float32), mask=wrong), refused)
    whole = np.isfinite(numbers) & (np.trunc(numbers) == numbers)
    exact = whole & (np.abs(numbers) <= _EXACT)
    refused = {
        int(place): "not exact for so large a number" if whole[place] else "not a whole number"
        for place in np.flatnonzero(~exact)
    }
    return Typed(pa.array(np.where(exact, numbers, 0).astype(np.int64), mask=~exact), refused)


def _is_text(kind: Any) -> bool:
    return any(
        test(kind)
        for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )
