"""The columns of a file of typed columns against the feature table, as `column_check` for CSV."""

from __future__ import annotations

from collections.abc import Sequence

from components.example_gen.missing_column import missing_column
from components.example_gen.table_file import TableFile
from schemas.errors import DataError
from schemas.raw_columns import RawColumns


def check_table(file: TableFile, table: RawColumns) -> None:
    """Checks that a file has every column of the feature table, once.

    Args:
        file: the file.
        table: the feature table.

    Raises:
        DataError: names the column, what reads it, and the nearest column that is there.
    """
    check_names(file.names, file.path, table)


def check_names(names: Sequence[str], place: str, table: RawColumns) -> None:
    """The same of the names of columns.

    Args:
        names: that are there.
        place: where, for messages.
        table: the feature table.

    Raises:
        DataError: as `check_table`.
    """
    for column in table.columns:
        times = names.count(column)
        if times == 1:
            continue
        if times:
            raise DataError(
                f"Column {column!r} is there more than once; it is read by {table.readers[column]}.",
                where=place,
                received=f"{times} columns of that name",
                fix="Give each column a name of its own.",
            )
        raise missing_column(column, table, names, place)
