"""Files that hold typed columns: Parquet, Arrow (Feather is the same), ORC and Avro.

Each has its rows in groups, which are read one at a time: Parquet's row groups, Arrow's record batches, ORC's stripes,
runs of Avro's blocks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import pyarrow as pa
import pyarrow.ipc

from components.example_gen.data_files import map_arrow, open_arrow, open_data
from components.example_gen.formats import FORMATS
from components.example_gen.row_group import RowGroup
from schemas.errors import DataError

TableSource = Literal["parquet", "arrow", "orc", "avro"]


class TableFile:
    """A file of typed columns, open for reading.

    Args:
        path: the file, of which only what describes it is read.
        source: its format.

    Attributes:
        names: of the columns at the top.

    Raises:
        DataError: it cannot be opened, or is no such file.
    """

    def __init__(self, path: str, source: TableSource) -> None:
        self.path, self._source = path, source
        with self._readable(), contextlib.ExitStack() as stack:
            opened = {"arrow": map_arrow, "avro": open_data}.get(source, open_arrow)
            self._raw: Any = stack.enter_context(contextlib.closing(opened(path)))
            self._file, self.names = self._open()
            stack.pop_all()

    def __enter__(self) -> TableFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def find_groups(self) -> list[RowGroup]:
        """The groups, in the order of the rows. Only Parquet tells them; else a column, of Avro all, is read for that.

        Raises:
            DataError: the file is damaged.
        """
        with self._readable():
            if self._source == "parquet":
                metadata = self._file.metadata
                groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
                return [RowGroup(number, one.num_rows, one.total_byte_size) for number, one in enumerate(groups)]
            if self._source == "avro":
                found: list[RowGroup] = self._file.find_groups()
                return found
            if self._source == "arrow":
                # One column tells how many rows there are, and the others need not be unpacked for that.
                first = pa.ipc.open_file(self._raw, options=pa.ipc.IpcReadOptions(included_fields=[0]))
                rows = [first.get_batch(number).num_rows for number in range(first.num_record_batches)]
            else:
                stripes = range(self._file.nstripes)
                rows = [self._file.read_stripe(number, columns=self.names[:1]).num_rows for number in stripes]
            size = self._raw.size() // max(1, len(rows))  # neither tells the sizes of groups
            return [RowGroup(number, one, size) for number, one in enumerate(rows)]

    def read(self, group: RowGroup, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a group, some at a time.

        Args:
            group: one of `find_groups`.
            columns: those that are wanted.
            rows: most of a batch.

        Raises:
            DataError: the file is damaged.
        """
        with self._readable():
            if self._source == "parquet":
                yield from self._file.iter_batches(rows, row_groups=[group.start], columns=list(columns))
                return
            if self._source == "arrow":
                batch = self._file.get_batch(group.start)
                whole = pa.RecordBatch.from_arrays([batch.column(self.names.index(name)) for name in columns], columns)
            elif self._source == "avro":
                whole = self._file.read(group, columns)
            else:
                whole = self._file.read_stripe(group.start, columns=list(columns))
            for first in range(0, whole.num_rows, rows):
                # A slice shares its buffers with the whole, and not all that is done with it heeds its offset.
                yield whole if rows >= whole.num_rows else whole.take(_numbers(first, whole.num_rows, rows))

    def _open(self) -> tuple[Any, list[str]]:
        """Its reader, and the names of its columns."""
        if self._source == "arrow":
            reader = pa.ipc.open_file(self._raw)
            return reader, list(reader.schema.names)
        # The others are slow to import, and most data are CSV.
        if self._source == "parquet":
            from pyarrow import parquet

            file = parquet.ParquetFile(self._raw)
            return file, list(file.schema_arrow.names)
        if self._source == "orc":
            from pyarrow import orc

            file = orc.ORCFile(self._raw)
            return file, list(file.schema.names)
        from components.example_gen.avro_file import AvroFile

        avro = AvroFile(self._raw, self.path)
        return avro, avro.names

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
