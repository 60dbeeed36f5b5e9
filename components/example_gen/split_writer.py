"""One shard of one split: its TFRecords and, beside them, its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.labels import TypedColumn
from components.example_gen.tfrecord import ShardWriter
from components.example_gen.values import ValueType
from schemas.column_files import ColumnFileWriter

_ARROW: dict[ValueType, Any] = {"int": pa.int64(), "float": pa.float32(), "string": pa.large_binary()}


class SplitWriter:
    """Writes a shard in both forms; `discard`, or an error in the `with` block, leaves neither.

    Args:
        shard: path of the TFRecords.
    """

    def __init__(self, shard: str) -> None:
        self._records = ShardWriter(shard)
        self._columns = ColumnFileWriter(shard)
        self._opened = ExitStack()

    def write(self, examples: Sequence[bytes], columns: Mapping[str, TypedColumn]) -> None:
        """Appends rows.

        Args:
            examples: serialized tf.Examples.
            columns: what they hold, as `encode_examples` takes it.
        """
        if examples:
            self._records.write(examples)
            self._columns.write(record_batch(columns))

    def discard(self) -> None:
        """Makes the `with` block end without files."""
        self._records.discard()
        self._columns.discard()

    def __enter__(self) -> SplitWriter:
        self._opened.enter_context(self._columns)
        self._opened.enter_context(self._records)
        return self

    def __exit__(self, *error: Any) -> None:
        self._opened.__exit__(*error)


def record_batch(columns: Mapping[str, TypedColumn]) -> pa.RecordBatch:
    """Columns as tfx_bsl decodes them from the examples: a list for each row, empty where the value is missing.

    Args:
        columns: as `encode_examples` takes them.
    """
    names = sorted(columns, key=lambda name: name.encode())
    return pa.RecordBatch.from_arrays([_lists(*columns[name]) for name in names], names=names)


def _lists(kind: ValueType, values: Any) -> Any:
    if kind == "none":
        return pa.nulls(len(values))
    there = np.asarray(pc.is_valid(values))
    offsets = np.zeros(len(there) + 1, np.int64)
    np.cumsum(there, out=offsets[1:])
    known = values.dictionary.cast(_ARROW[kind]).take(values.indices.drop_null())
    return pa.LargeListArray.from_arrays(pa.array(offsets), known)
