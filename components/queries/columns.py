"""The columns of a query's result against those that the feature table reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.example_gen.table_check import check_names
from schemas.errors import DataError
from schemas.raw_columns import RawColumns


def choose_columns(names: Sequence[str], table: RawColumns, refused: Mapping[str, str], place: str) -> tuple[int, ...]:
    """Numbers of the columns that are read, in the order of the result; others are not kept.

    Args:
        names: of the result's columns.
        table: the feature table.
        refused: types, in the database's words, of columns that hold what is no single value.
        place: the database, for messages.

    Raises:
        DataError: a column of the table is missing, there twice, or of such a type.
    """
    check_names(names, f"data.query, {place}", table)
    for name in table.columns:
        if name in refused:
            raise DataError(
                f"Column {name!r} holds several values in a row; a column has one at most. It is read by "
                f"{table.readers[name]}.",
                where=f"data.query, {place}",
                received=refused[name],
                fix="Select each of them as a column of its own, or make text of it.",
            )
    return tuple(number for number, name in enumerate(names) if name in table.columns)
