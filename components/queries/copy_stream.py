"""The stream that PostgreSQL's COPY writes to, as batches of rows.

Whole numbers, floating-point numbers, booleans and bytes keep their type. All else is the text that PostgreSQL writes,
which is how ExampleGen sees dates and decimals from any source: no digit, no infinity and no year before 1 is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from components.queries.failure import Failure, Place

PIECE_BYTES = 4 << 20
"""About as much CSV is in memory at a time, or one row."""
# https://www.postgresql.org/docs/current/catalog-pg-type.html; pg_type.dat has the numbers
_BYTES, _INSTANT = 17, 1184
_TYPES: Mapping[int, Any] = {
    16: pa.bool_(),
    **dict.fromkeys((20, 21, 23, 26), pa.int64()),
    **dict.fromkeys((700, 701), pa.float64()),
}


class CopyStream:
    """Takes the messages of COPY, each of which is one row, and parses some of them together.

    Args:
        columns: name, number in the result and type of each column that is kept.
        width: number of the result's columns.
        write: takes the rows, some MiB at a time.
        place: the database, for messages.
    """

    def __init__(
        self,
        columns: Sequence[tuple[str, int, int]],
        width: int,
        write: Callable[[pa.RecordBatch], None],
        place: Place,
    ) -> None:
        self._names = [name for name, _, _ in columns]
        self._kinds = [kind for _, _, kind in columns]
        self._keys = [str(number) for _, number, _ in columns]
        self._width, self._write, self._place = width, write, place
        self._rows: list[bytes] = []
        self._bytes = 0

    def write(self, row: bytes) -> None:
        """Takes a row.

        Raises:
            DataError: it is no text.
        """
        self._rows.append(row)
        self._bytes += len(row)
        if self._bytes >= PIECE_BYTES:
            self.end()

    def end(self) -> None:
        """Writes what is left."""
        if not self._rows:
            return
        data = b"".join(self._rows)
        self._rows, self._bytes = [], 0
        try:
            # Not read_csv, which takes 40 ms more at every call: see csv_columns.
            table = csv.open_csv(
                pa.BufferReader(data),
                read_options=csv.ReadOptions(
                    use_threads=False,
                    block_size=len(data) + 1,
                    column_names=[str(number) for number in range(self._width)],
                ),
                parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                convert_options=csv.ConvertOptions(
                    column_types={
                        key: _TYPES.get(kind, pa.string()) for key, kind in zip(self._keys, self._kinds, strict=True)
                    },
                    include_columns=self._keys,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                    true_values=["t"],
                    false_values=["f"],
                ),
            ).read_all()
        except pa.ArrowInvalid as error:
            raise self._place.error(Failure.TEXT, error) from error
        arrays = [_as_kept(column, kind) for column, kind in zip(table.columns, self._kinds, strict=True)]
        self._write(pa.RecordBatch.from_arrays(arrays, self._names))


def _as_kept(column: Any, kind: int) -> Any:
    if kind == _BYTES:  # \\x00ff
        return pa.array([None if text is None else bytes.fromhex(text[2:]) for text in column.to_pylist()], pa.binary())
    if kind == _INSTANT:  # +00, without minutes, is not ISO 8601
        column = pc.replace_substring_regex(column, r"\+00$", "Z")
    # Of a chunked array some versions of Arrow give a chunked one.
    array = column.combine_chunks()
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
