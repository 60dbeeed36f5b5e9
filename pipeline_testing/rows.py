"""Rows in memory, as a test writes them down, and the columns they make."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from components.example_gen.values import narrowest
from schemas.errors import DataError

Row = Mapping[str, Any]
Rows = Any
"""A list of dicts, CSV text with a header, or a pandas.DataFrame.

A value is a number, a text or bytes, or a list of several. Missing are None, "" in CSV text, NaN in a DataFrame, and a
column that a row does not name. CSV text may be indented as its test is; its columns have the narrowest type that holds
all of their values, as in ExampleGen.
"""
Kind = Literal["int", "float", "bytes", "none"]
"""Type of a column's values in a tf.Example; none while every value is missing."""

_FROM_TEXT = {"int": int, "float": float, "string": str, "none": str}
_ARROW = {"int": pa.int64(), "float": pa.float32(), "bytes": pa.binary()}


def to_rows(rows: Rows) -> list[dict[str, Any]]:
    """The rows as dicts of plain values; every row has every column, and None is missing.

    Raises:
        DataError: these are no rows, or a line of the CSV text has too many or too few fields.
    """
    given: list[Any]
    if isinstance(rows, str):
        given = _from_csv(rows)
    elif hasattr(rows, "to_dict"):
        given = rows.astype(object).where(rows.notna(), None).to_dict("records")
    else:
        given = list(rows) if isinstance(rows, Sequence) else [rows]
    if wrong := next((row for row in given if not isinstance(row, Mapping)), None):
        raise DataError(
            "These are no rows.",
            where="rows",
            received=f"{type(wrong).__name__}: {str(wrong)[:60]}",
            fix="Give a list of dicts, CSV text with a header, or a pandas.DataFrame.",
        )
    names = dict.fromkeys(name for row in given for name in row)
    return [{name: _plain(row.get(name)) for name in names} for row in given]


def column_kinds(rows: Sequence[Row]) -> dict[str, Kind]:
    """The type of each column of what `to_rows` gave: whole numbers among others are floats.

    Raises:
        DataError: a column holds both numbers and texts.
    """
    return {name: _kind(name, [row[name] for row in rows]) for name in (rows[0] if rows else ())}


def record_batch(rows: Sequence[Row]) -> pa.RecordBatch:
    """What `to_rows` gave as list columns: None is null, [] an empty list; float32, int64 or binary."""
    arrays = []
    for name, kind in column_kinds(rows).items():
        lists = [None if row[name] is None else _listed(row[name]) for row in rows]
        if kind == "none":
            is_list = any(values is not None for values in lists)
            arrays.append(pa.array(lists, pa.list_(pa.float32())) if is_list else pa.nulls(len(lists)))
        else:
            arrays.append(pa.array(lists, pa.list_(_ARROW[kind])))
    return pa.RecordBatch.from_arrays(arrays, names=list(rows[0]) if rows else [])


def _from_csv(text: str) -> list[Row]:
    header, *lines = csv.reader(io.StringIO(textwrap.dedent(text).strip("\n")))
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise DataError(
                "A line of the CSV text does not have as many fields as its header.",
                where=f"line {number}",
                received=f"{len(line)} fields instead of {len(header)}: {line}",
            )
    columns: dict[str, list[Any]] = {}
    for name, *texts in zip(header, *lines, strict=True):
        convert = _FROM_TEXT[narrowest(pa.array([value for value in texts if value != ""], pa.string()))]
        columns[name] = [None if value == "" else convert(value) for value in texts]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, tuple):
        value = list(value)
    return int(value) if isinstance(value, bool) else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _kind(name: str, values: list[Any]) -> Kind:
    found = {type(value) for entry in values if entry is not None for value in _listed(entry)}
    if not found:
        return "none"
    if found <= {int, bool}:
        return "int"
    if found <= {int, bool, float}:
        return "float"
    if found <= {str, bytes}:
        return "bytes"
    raise DataError(
        "A column holds values that no tf.Example holds together.",
        where=f"column {name!r}",
        received=", ".join(sorted(kind.__name__ for kind in found)),
        fix="Give numbers, or texts and bytes; None is missing.",
    )
