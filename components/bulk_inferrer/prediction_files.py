"""Files of predictions, which exist whole or not at all: Parquet, CSV, and gzipped TFRecords of tf.Example."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from components.example_gen.tfrecord import ShardWriter
from configs.inference import PredictionFormat
from schemas.whole_file import WholeFile

_SUFFIXES: dict[PredictionFormat, str] = {"parquet": ".parquet", "csv": ".csv", "tfrecord": ".tfrecord.gz"}


def file_name(index: int, count: int, form: PredictionFormat) -> str:
    """Name of a file: `predictions-00000-of-00003.parquet`."""
    return f"predictions-{index:05d}-of-{count:05d}{_SUFFIXES[form]}"


def prediction_file(path: str, schema: pa.Schema, form: PredictionFormat) -> _TableFile | _RecordFile:
    """Opens a file for writing; one without rows has its columns all the same, but for TFRecords.

    Args:
        path: where it will be.
        schema: of its rows.
        form: its format.
    """
    if form == "tfrecord":
        return _RecordFile(path)
    return _TableFile(path, schema if form == "parquet" else _as_texts(schema), form)


class _TableFile(WholeFile):
    """Parquet; or CSV with a header, quoted where need be, lists as JSON, and nothing for a missing value."""

    def __init__(self, path: str, schema: pa.Schema, form: PredictionFormat) -> None:
        super().__init__(path)
        self._schema = schema
        writer = pa.parquet.ParquetWriter if form == "parquet" else pa.csv.CSVWriter
        self._writer: Any = writer(self._temporary, schema)

    def write(self, batch: pa.RecordBatch) -> None:
        columns = [
            column if column.type == field.type else _json(column)
            for column, field in zip(batch.columns, self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))

    def _finish(self) -> None:
        pass

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class _RecordFile(ShardWriter):
    """tf.Examples: each column a feature of its name, which has no value where it is missing."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._encoder = RecordBatchToExamplesEncoder()

    def write(self, batch: pa.RecordBatch) -> None:  # rows, rather than records
        lists = [_lists(column) for column in batch.columns]
        super().write(self._encoder.encode(pa.RecordBatch.from_arrays(lists, names=batch.schema.names)))


def _as_texts(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, pa.string()) if pa.types.is_list(field.type) else field for field in schema])


def _json(column: Any) -> Any:
    """A list column as JSON arrays; numbers in the fewest digits that give them back."""
    values = column.flatten()
    if pa.types.is_string(values.type):
        texts = pa.array([_quoted(value) for value in values.to_pylist()], pa.string())
    else:
        texts = values.cast(pa.string())
    joined = pc.binary_join(pa.ListArray.from_arrays(_offsets(column), texts), ", ")
    return pc.binary_join_element_wise("[", joined, "]", "")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _lists(column: Any) -> Any:
    """A column as tf.Examples hold it: large lists of int64, float32 or bytes; null where there is no value."""
    if pa.types.is_list(column.type):
        return pa.LargeListArray.from_arrays(_offsets(column).cast(pa.int64()), _stored(column.flatten()))
    there = np.asarray(pc.is_valid(column))
    offsets = np.zeros(len(there) + 1, np.int64)
    np.cumsum(there, out=offsets[1:])
    # Without a list, rather than with an empty one, the feature takes the default of whoever reads it.
    return pa.LargeListArray.from_arrays(pa.array(offsets, mask=np.append(~there, False)), _stored(column.drop_null()))


def _offsets(column: Any) -> Any:
    return pc.subtract(column.offsets, column.offsets[0])


def _stored(values: Any) -> Any:
    if pa.types.is_string(values.type):
        return values.cast(pa.large_binary())
    return values.cast(pa.float32() if pa.types.is_floating(values.type) else pa.int64())
