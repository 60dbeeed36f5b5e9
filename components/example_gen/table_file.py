"""Files that hold typed columns: Parquet, Arrow (Feather is the same), ORC and Avro.

Each has its rows in groups, which are read one at a time: Parquet's row groups, Arrow's record batches, ORC's stripes,
runs of Avro's blocks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.ipc

from components.example_gen.data_files import map_arrow, open_arrow, size_of
from components.example_gen.formats import FORMATS
from schemas.errors import DataError

TableSource = Literal["parquet", "arrow", "orc", "avro"]


@dataclass(frozen=True)
class Group:
    """Rows that are read together: how many they are, and about how many bytes they take in memory."""

    rows: int
    bytes: int


class TableFile:
    """A file of typed columns, open for reading.

    Args:
        path: the file.
        source: its format.

    Attributes:
        names: of the columns at the top.
        groups: in the order of the rows.

    Raises:
        DataError: it cannot be opened, or is no such file.
    """

    def __init__(self, path: str, source: TableSource) -> None:
        self.path, self._source = path, source
        with self._readable():
            opened = {
                "parquet": self._open_parquet,
                "arrow": self._open_arrow,
                "orc": self._open_orc,
                "avro": self._open_avro,
            }
            self.names, self.groups = opened[source]()

    def read(self, group: int, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a group, some at a time.

        Args:
            group: its number.
            columns: those that are wanted.
            rows: most of a batch.

        Raises:
            DataError: the file is damaged.
        """
        with self._readable():
            if self._source == "parquet":
                yield from self._file.iter_batches(rows, row_groups=[group], columns=list(columns))
                return
            if self._source == "arrow":
                batch = self._file.get_batch(group)
                whole = pa.RecordBatch.from_arrays([batch.column(self.names.index(name)) for name in columns], columns)
            elif self._source == "avro":
                whole = self._file.read(group, columns)
            else:
                whole = self._file.read_stripe(group, columns=list(columns))
            for first in range(0, whole.num_rows, rows):
                # A slice shares its buffers with the whole, and not all that is done with it heeds its offset.
                yield whole if rows >= whole.num_rows else whole.take(_numbers(first, whole.num_rows, rows))

    def _open_parquet(self) -> tuple[list[str], list[Group]]:
        from pyarrow import parquet  # slow to import, and most data are CSV

        self._file: Any = parquet.ParquetFile(open_arrow(self.path))
        metadata = self._file.metadata
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        return list(self._file.schema_arrow.names), [Group(one.num_rows, one.total_byte_size) for one in groups]

    def _open_arrow(self) -> tuple[list[str], list[Group]]:
        source = map_arrow(self.path)
        self._file = pa.ipc.open_file(source)
        # One column tells how many rows there are, and the others need not be unpacked for that.
        first = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=[0]))
        rows = [first.get_batch(number).num_rows for number in range(first.num_record_batches)]
        return list(self._file.schema.names), self._equal_groups(rows)

    def _open_orc(self) -> tuple[list[str], list[Group]]:
        from pyarrow import orc

        self._file = orc.ORCFile(open_arrow(self.path))
        names = list(self._file.schema.names)
        stripes = (self._file.read_stripe(number, columns=names[:1]) for number in range(self._file.nstripes))
        return names, self._equal_groups([stripe.num_rows for stripe in stripes])

    def _open_avro(self) -> tuple[list[str], list[Group]]:
        from components.example_gen.avro_file import AvroFile  # as above

        self._file = AvroFile(self.path)
        return self._file.names, [Group(run.records, run.bytes) for run in self._file.runs]

    def _equal_groups(self, rows: Sequence[int]) -> list[Group]:
        """Groups of so many rows, whose sizes the file does not tell."""
        size = size_of(self.path) // max(1, len(rows))
        return [Group(one, size) for one in rows]

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            told = str(error).splitlines()[0]
            if isinstance(error, PermissionError | FileNotFoundError):
                what, fix = "The data cannot be read.", "Check that the file is still there and its permissions."
            else:
                what = f"The data file is not {FORMATS[self._source]}, or is damaged."
                fix = f"Write it anew, or set data.source to what it is; {self._source} is what the settings say."
            raise DataError(what, where=self.path, received=told, fix=fix) from error


def _numbers(first: int, end: int, most: int) -> Any:
    return pa.array(range(first, min(first + most, end)), pa.int64())
