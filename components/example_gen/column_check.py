"""The columns of all files against each other and against the feature table."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from components.example_gen.csv_header import Header, delimiter_hint
from schemas.errors import DataError
from schemas.raw_columns import RawColumns


def check_columns(headers: Sequence[Header], table: RawColumns, delimiter: str) -> None:
    """Checks that all files have the same columns, in any order, and that no column of the feature table is missing.

    Raises:
        DataError: names the file, the column, what reads it, and the nearest column that is there.
    """
    first = headers[0]
    for header in headers[1:]:
        if header.names == first.names:
            continue
        expected, given = dict.fromkeys(first.names), dict.fromkeys(header.names)  # sets that keep the order
        missing = [name for name in expected if name not in given]
        added = [name for name in given if name not in expected]
        if missing or added:
            parts = [f"lacks {_shortened(missing)}"] * bool(missing) + [f"adds {_shortened(added)}"] * bool(added)
            raise DataError(
                "The files do not have the same columns.",
                where=f"{header.path}, line 1",
                received=f"compared with {first.path}, it {' and '.join(parts)}",
                fix="Bring all files to the same columns (their order may differ), or ingest them apart.",
            )
    for column in table.columns:
        if column in first.names:
            continue
        near = get_close_matches(column, first.names, n=1)
        hint = delimiter_hint(first, delimiter)
        spaced = next((name for name in first.names if name.strip() == column), None)
        if spaced is not None:
            hint = f"The header has spaces around its names; remove them, or set column: {spaced!r}. "
        elif not hint and near:
            hint = f"Is it {near[0]!r}, renamed or misspelt? "
        raise DataError(
            f"Column {column!r} is missing; it is read by {table.readers[column]}.",
            where=f"{first.path}, line 1",
            received=_shortened(first.names),
            fix=f"{hint}Name columns as in the feature table, or change the table.",
        )


def _shortened(names: Sequence[str]) -> str:
    shown = ", ".join(names[:30])
    return f"{shown} and {len(names) - 30} more" if len(names) > 30 else shown
