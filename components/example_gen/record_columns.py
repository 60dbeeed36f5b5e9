"""tf.Examples as columns of the types that the feature table declares."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError
from tensorflow.core.example.example_pb2 import Example
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components.example_gen.labels import TypedColumn
from components.example_gen.record_blocks import RecordPiece
from schemas.errors import DataError
from schemas.features import Dtype

_STORED: dict[Dtype, str] = {"int": "int64_list", "float": "float_list", "string": "bytes_list"}
_ARROW: dict[Dtype, Any] = {"int": pa.int64(), "float": pa.float32(), "string": pa.binary()}
_SCHEMA: dict[Dtype, Any] = {"int": schema_pb2.INT, "float": schema_pb2.FLOAT, "string": schema_pb2.BYTES}
_WORDS: dict[Dtype, str] = {"int": "a whole number", "float": "a number", "string": "bytes"}
_SHOWN = 60


def read_record_columns(
    piece: RecordPiece, declared: Mapping[str, Dtype], texts: Collection[str], missing: Sequence[str]
) -> dict[str, TypedColumn]:
    """Decodes records.

    A number of the other kind is converted where the table's type holds it. A feature that a record lacks, or that is
    empty there, is missing; so are empty bytes and, as in CSV, the texts of `missing`. Features that the table does not
    name are left out, whatever they hold.

    Args:
        piece: the records.
        declared: the columns of the table with their types.
        texts: those of them that are UTF-8 text rather than bytes.
        missing: texts that stand for a missing value.

    Raises:
        DataError: a record is no tf.Example, or a feature holds another type or several values.
    """
    values = _decoded(piece.records, declared)
    if values is None:
        values = _one_by_one(piece, declared)
    absent = pa.array([text.encode() for text in {"", *missing}], pa.binary())
    columns: dict[str, TypedColumn] = {}
    for name, dtype in declared.items():
        column = values[name]
        if dtype == "string":
            column = pc.if_else(pc.is_in(column, absent), pa.scalar(None, pa.binary()), column)
            if name in texts:
                column = _text(piece, name, column)
        there = np.asarray(pc.is_valid(column))
        rows = pa.array(np.cumsum(there, dtype=np.int32) - np.int32(1), mask=~there)
        columns[name] = (dtype, pa.DictionaryArray.from_arrays(rows, column.drop_null()))
    return columns


def _decoded(records: list[bytes], declared: Mapping[str, Dtype]) -> dict[str, Any] | None:
    """All columns at once, or None where a record is not what is declared: `_one_by_one` finds out what it is."""
    features = [schema_pb2.Feature(name=name, type=_SCHEMA[dtype]) for name, dtype in declared.items()]
    schema = schema_pb2.Schema(feature=features)
    try:
        # A new one each time: after an error, a decoder would give the rows that it had begun with the next ones.
        batch = ExamplesToRecordBatchDecoder(schema.SerializeToString()).DecodeBatch(records)
    except (RuntimeError, ValueError):
        return None
    found: dict[str, Any] = {}
    for name, dtype in declared.items():
        lists = batch.column(batch.schema.get_field_index(name))
        lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), 0))
        if (lengths > 1).any():
            return None
        rows = pa.array(np.cumsum(lengths) - 1, mask=lengths == 0)
        found[name] = pc.list_flatten(lists).take(rows).cast(_ARROW[dtype])
    return found


def _one_by_one(piece: RecordPiece, declared: Mapping[str, Dtype]) -> dict[str, Any]:
    values: dict[str, list[Any]] = {name: [] for name in declared}
    for number, record in enumerate(piece.records, piece.first):
        try:
            features = Example.FromString(record).features.feature
        except DecodeError as error:
            raise DataError(
                "A record is not a tf.Example.",
                where=f"{piece.path}, record {number}",
                received=repr(record[:_SHOWN]),
                fix="Write each row as a serialized tf.train.Example.",
            ) from error
        for name, dtype in declared.items():
            stored = features.get(name)
            kind = None if stored is None else stored.WhichOneof("kind")
            held = [] if kind is None else list(getattr(stored, kind).value)
            values[name].append(_value(held, kind, dtype, f"{piece.path}, record {number}, feature {name!r}"))
    return {name: pa.array(column, _ARROW[declared[name]]) for name, column in values.items()}


def _value(held: list[Any], kind: str | None, dtype: Dtype, where: str) -> Any:
    if not held:
        return None
    if len(held) > 1:
        raise DataError(
            "A feature holds several values; a column has one at most.",
            where=where,
            received=f"{len(held)} values: {', '.join(map(repr, held[:3]))}, ...",
            fix="Write each of them as a feature of its own.",
        )
    value = held[0]
    if kind == _STORED[dtype]:
        return value
    if dtype == "float" and kind == "int64_list":
        return float(np.float32(value))
    if dtype == "int" and kind == "float_list" and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    raise DataError(
        f"A feature must hold {_WORDS[dtype]} and holds something else.",
        where=where,
        received=f"{str(kind).removesuffix('_list')} {value!r}"[:_SHOWN],
        fix="Write the type that the feature table reads, or give the feature that reads it another dtype.",
    )


def _text(piece: RecordPiece, name: str, column: Any) -> Any:
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        for number, value in enumerate(column.to_pylist(), piece.first):
            try:
                _ = None if value is None else value.decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    "A feature that is read as text is not UTF-8 text.",
                    where=f"{piece.path}, record {number}, feature {name!r}",
                    received=repr(value[:_SHOWN]),
                    fix="Write it in UTF-8.",
                ) from error
        raise
