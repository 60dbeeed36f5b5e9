"""Examples in columns: Arrow files that stand beside TFRecord shards and hold the same rows in the same order.

    <uri>/Split-train/data_tfrecord-00000-of-00002.gz
    <uri>/Columns-train/data_tfrecord-00000-of-00002.arrow

What only knows TFRecords does not look there. What does is spared the decoding of examples, which costs more than most
of what is then done with them. The TFRecords stay what counts: where a shard has no such file, they are read.

A file is in Arrow's IPC file format (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format), compressed
with LZ4. Its columns are those that tfx_bsl's decoder makes of tf.Examples without a schema: large_list of int64,
float32 or large_binary; null where no row has a value of any type.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.ipc

from schemas.whole_file import WholeFile

_SPLIT = "Split-"
_COLUMNS = "Columns-"
_ENDING = ".arrow"


class ColumnFileWriter(WholeFile):
    """Writes the columns of a shard.

    Args:
        shard: path of the TFRecord shard, `<uri>/Split-NAME/SHARD`.
    """

    def __init__(self, shard: str) -> None:
        super().__init__(column_file(shard))
        self._writer: Any = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends rows; all batches of a file have the same columns."""
        self._open(batch.schema)
        self._writer.write_batch(batch)

    def _open(self, schema: pa.Schema) -> None:
        if self._writer is None:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            self._writer = pa.ipc.new_file(self._temporary, schema, options=options)

    def _finish(self) -> None:
        self._open(pa.schema([]))

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def column_file(shard: str) -> str:
    """Where the columns of a TFRecord shard are, if there are any."""
    folder, name = os.path.split(shard)
    uri, split = os.path.split(folder)
    return os.path.join(uri, _COLUMNS + split.removeprefix(_SPLIT), name.removesuffix(".gz") + _ENDING)


def shards(split_uri: str) -> list[str]:
    """The TFRecord shards of a split, in order; hidden files and those that start with `_` are none."""
    return sorted(os.path.join(split_uri, name) for name in os.listdir(split_uri) if name[0] not in "._")


def column_files(split_uri: str) -> list[str]:
    """The column files of a split in the order of its shards; none where any is missing or does not belong to a shard.

    Args:
        split_uri: `<uri>/Split-NAME`; of another file system than the local one it has none.
    """
    if "://" in split_uri or not os.path.isdir(split_uri):
        return []
    files = [column_file(shard) for shard in shards(split_uri)]
    folder = os.path.dirname(column_file(os.path.join(split_uri, "shard")))
    there = {name for name in os.listdir(folder) if name[0] != "."} if os.path.isdir(folder) else set()
    return files if there == {os.path.basename(path) for path in files} else []


def column_schema(path: str) -> pa.Schema:
    """Names and types of the columns of a file."""
    with pa.memory_map(path) as source:
        return pa.ipc.open_file(source).schema


def read_column_file(path: str, columns: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of one file, in batches as they were written: some MiB each.

    Args:
        path: from `column_files`.
        columns: those that are wanted; default: all. One that the file does not have is left out; where it has none of
            them, all are read, since the number of rows counts.
    """
    with pa.memory_map(path) as source:
        names = pa.ipc.open_file(source).schema.names
        chosen = [place for place, name in enumerate(names) if columns is None or name in columns]
        file = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=chosen))
        for number in range(file.num_record_batches):
            yield file.get_batch(number)
