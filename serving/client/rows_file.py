"""Rows in a file, as users have them: CSV, JSON, or a JSON object a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from schemas.errors import DataError

_WRAPPED = "instances"  # as in a request of TensorFlow Serving


def read_rows(path: Path, missing: Collection[str] = ()) -> list[dict[str, Any]]:
    """The rows, by the names of their columns.

    Args:
        path: `.csv` with a header; anything else is JSON: a list of objects, {"instances": [...]}, or an object a line.
        missing: texts that stand for a missing value, which is None.

    Raises:
        DataError: the file cannot be read, holds something else, or names a column twice. Rows are counted from 1
            without the header, lines with it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError("The rows cannot be read.", where=str(path), received=error, fix="Name a file.") from error
    except UnicodeDecodeError as error:
        raise DataError(
            "The rows are no text.", where=str(path), received=error, fix="Unpack the file, and write it as UTF-8."
        ) from error
    rows = _csv(text, path) if path.suffix.lower() == ".csv" else _json(text, path)
    return [
        {name: None if isinstance(value, str) and value in missing else value for name, value in row.items()}
        for row in rows
    ]


def _csv(text: str, path: Path) -> list[dict[str, Any]]:
    reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise DataError(
            "This is no CSV.",
            where=f"{path}, line {reader.reader.line_num}",
            received=error,
            fix='Close each quoted value, and write a quote within it twice: "a ""b"" c".',
        ) from error
    names = reader.fieldnames or []
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(
            "The header names a column twice.",
            where=str(path),
            received=", ".join(map(repr, twice)),
            fix="Give each column a name of its own, or leave one out.",
        )
    if rows and len(names) == 1 and (other := next((one for one in ";\t|" if one in names[0]), None)):
        raise DataError(
            "The values are not separated by commas.",
            where=str(path),
            received=f"{names[0][:100]}: it looks like {other!r}",
            fix="Write commas between the values.",
        )
    for place, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise DataError(
                "A row has more or fewer values than the header.",
                where=f"{path}, row {place}",
                received=str(row)[:200],
                fix="Quote values that hold a comma.",
            )
    return rows


def _json(text: str, path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except RecursionError:
        raise _nested(str(path)) from None
    except ValueError:
        lines = enumerate(text.splitlines(), 1)
        found = [_line(line, f"{path}, line {place}") for place, line in lines if line.strip()]
    if isinstance(found, Mapping):
        found = found.get(_WRAPPED, [found])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise DataError(
            "The rows must be objects: a value for each column.",
            where=str(path),
            received=str(found)[:200],
            fix='Write [{"COLUMN": VALUE, ...}, ...].',
        )
    return found


def _line(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise DataError(
            "This is no JSON.",
            where=where,
            received=f"{line[:100]}: {error}",
            fix="Write a list, or an object a line. If it is CSV: name the file .csv.",
        ) from error
    except RecursionError:
        raise _nested(where) from None


def _nested(where: str) -> DataError:
    fix = 'Write [{"COLUMN": VALUE, ...}, ...].'
    return DataError("The lists and objects are nested too deep.", where=where, fix=fix)
