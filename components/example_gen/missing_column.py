"""The error of a column of the feature table that the data do not have."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from schemas.errors import DataError
from schemas.raw_columns import RawColumns

_SHOWN = 300


def missing_column(
    column: str,
    table: RawColumns,
    there: Iterable[str],
    where: str,
    *,
    kind: str = "column",
    scope: str = "",
    shown_as: str = "columns",
) -> DataError:
    """Names the column, what reads it, what is there, and the nearest of that.

    Args:
        column: that is missing.
        table: the feature table.
        there: names that the data have.
        where: file, or what else holds the data.
        kind: what the format calls a column.
        scope: where it was looked for, such as `in all of 3 records`.
        shown_as: what comes before the names that are there.
    """
    names = list(there)
    near = get_close_matches(column, names, n=1)
    name = "Column" if kind == "member" else kind.capitalize()
    return DataError(
        f"{name} {column!r} is missing{f' {scope}' if scope else ''}; it is read by {table.readers[column]}.",
        where=where,
        received=f"{shown_as}: {', '.join(names)[:_SHOWN]}",
        fix=f"{f'Is it {near[0]!r}, renamed or misspelt? ' if near else ''}"
        f"Name {kind}s as in the feature table, or change the table.",
    )
