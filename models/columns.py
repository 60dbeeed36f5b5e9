"""Examples read into memory, one array for each transformed column."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf

from schemas.column_files import column_file, column_schema, read_column_file
from schemas.errors import TrainingError

Parse = Callable[[tf.Tensor], dict[str, tf.Tensor]]
Columns = dict[str, npt.NDArray[np.generic]]
_ARROW = {tf.float32: pa.float32(), tf.int64: pa.int64(), tf.string: pa.large_binary()}
_ROWS_AT_ONCE = 8192
_BYTES_AT_ONCE = 16 << 20  # of pictures: several batches are made at a time
_ALIGNMENT = 64  # of TensorFlow's and of Arrow's buffers, in bytes
_FILES_AT_ONCE = 8  # a constant: by default the number of processors would decide the order of the records


class TooManyBytesError(Exception):
    """The rows take more memory than they may."""


def matching_files(patterns: Sequence[str]) -> list[str]:
    """Files that each pattern in turn matches, in name order; hidden ones and those that start with `_` are left out.

    Raises:
        TrainingError: nothing matches.
    """
    found = [path for pattern in patterns for path in sorted(tf.io.gfile.glob(pattern)) if _is_data(path)]
    if not found:
        raise TrainingError(
            "There are no examples to read.",
            where="Trainer",
            received=list(patterns),
            fix="Run the node that makes them first, and check data.splits: it must name train and eval.",
        )
    return found


def _is_data(path: str) -> bool:
    return path.rsplit("/", 1)[-1][0] not in "._"


def record_dataset(files: Sequence[str], files_at_once: int = _FILES_AT_ONCE) -> tf.data.Dataset:
    """Serialized tf.Examples of TFRecord files (gzipped where they end in .gz), always in one order.

    Args:
        files: all of them gzipped, or none.
        files_at_once: records of so many files alternate; 1: file after file.
    """
    compression = "GZIP" if files[0].endswith(".gz") else ""
    parallel = files_at_once if files_at_once > 1 else None
    return tf.data.TFRecordDataset(list(files), compression_type=compression, num_parallel_reads=parallel)


def count_records(file: str) -> int:
    """Records of one file, all of which is read."""
    sizes = record_dataset([file]).batch(_ROWS_AT_ONCE).map(lambda records: tf.size(records, tf.int64))
    return int(sizes.reduce(tf.constant(0, tf.int64), tf.add))


def parser(spec: Mapping[str, tf.io.FixedLenFeature]) -> Parse:
    """The function that turns serialized tf.Examples [batch] into {key: dense tensor [batch, ...]}."""
    return lambda serialized: tf.io.parse_example(serialized, dict(spec))


def read_columns(
    files: Sequence[str],
    spec: Mapping[str, tf.io.FixedLenFeature],
    most_bytes: float = math.inf,
    parse: Parse | None = None,
) -> Columns:
    """Every row of the files, as {key: array [rows, ...]} in the order of the files.

    The column files beside them are read instead where there are any and their columns are those that are wanted.

    Args:
        files: TFRecord files.
        spec: the features that are wanted.
        most_bytes: the most that the arrays may take.
        parse: makes the features of the records; default: `parser(spec)`.

    Raises:
        TooManyBytesError: they would take more.
    """
    stored = [column_file(file) for file in files]
    if parse is None and all(map(os.path.exists, stored)) and all(_holds(file, spec) for file in stored):
        return _stored_columns(stored, spec, most_bytes)
    at_once = max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // max(1, _row_bytes(spec))))
    make = tf.autograph.experimental.do_not_convert(shaped(parse, spec) if parse else parser(spec))
    parsed = record_dataset(files, 1).batch(at_once).map(make, num_parallel_calls=tf.data.AUTOTUNE)
    parts: dict[str, list[npt.NDArray[Any]]] = {key: [] for key in spec}
    used = 0
    for batch in parsed.as_numpy_iterator():
        used += sum(map(_bytes, batch.values()))
        _require(used, most_bytes)
        for key, values in batch.items():
            parts[key].append(values)
    return {key: _joined(parts[key], feature) for key, feature in spec.items()}


def shaped(parse: Parse, spec: Mapping[str, tf.io.FixedLenFeature]) -> Parse:
    """Of what a function makes of records, the wanted features with the shapes that `parser(spec)` would give them."""

    def wanted(records: tf.Tensor) -> dict[str, tf.Tensor]:
        columns = parse(records)
        return {key: tf.ensure_shape(columns[key], [records.shape[0], *feature.shape]) for key, feature in spec.items()}

    return wanted


def shared_tensor(values: npt.NDArray[Any]) -> tf.Tensor:
    """The tensor of an array: the same memory, where TensorFlow can take it as it is, else a copy."""
    if values.dtype.kind in "fiu" and values.size and values.flags.c_contiguous and not values.ctypes.data % _ALIGNMENT:
        return tf.experimental.dlpack.from_dlpack(values.__dlpack__())
    return tf.constant(values)


def _holds(file: str, spec: Mapping[str, tf.io.FixedLenFeature]) -> bool:
    """Whether a column file has these features, of these types."""
    types = {field.name: field.type for field in column_schema(file)}
    return all(types.get(key) == pa.large_list(_ARROW[feature.dtype]) for key, feature in spec.items()) or not types


def _stored_columns(files: Sequence[str], spec: Mapping[str, tf.io.FixedLenFeature], most_bytes: float) -> Columns:
    rows = sum(batch.num_rows for file in files for batch in read_column_file(file, [next(iter(spec))]))
    used = rows * _row_bytes(spec)
    _require(used, most_bytes)
    # Filled in place: joined batches would be in memory twice.
    columns = {key: _empty(rows, feature) for key, feature in spec.items()}
    first = 0
    for file in files:
        for batch in read_column_file(file, spec):
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                place = columns[name][first : first + batch.num_rows]
                place[...] = column.flatten().to_numpy(zero_copy_only=False).reshape(place.shape)
                used += _bytes(place) - place.nbytes
                _require(used, most_bytes)
            first += batch.num_rows
    return columns


def _empty(rows: int, feature: tf.io.FixedLenFeature) -> npt.NDArray[np.generic]:
    """An array to be filled, of numbers where TensorFlow can share it."""
    shape = (rows, *feature.shape)
    dtype = np.dtype(feature.dtype.as_numpy_dtype)
    if dtype.kind == "O" or 0 in shape:
        return np.empty(shape, dtype)
    return np.frombuffer(pa.allocate_buffer(math.prod(shape) * dtype.itemsize), dtype).reshape(shape)


def _joined(parts: list[npt.NDArray[Any]], feature: tf.io.FixedLenFeature) -> npt.NDArray[Any]:
    """The parts in one array; each is let go of once it is copied, so that the rows are not in memory twice."""
    whole = _empty(sum(map(len, parts)), feature)
    first = 0
    parts.reverse()
    while parts:
        part = parts.pop()
        whole[first : first + len(part)] = part
        first += len(part)
    return whole


def _row_bytes(spec: Mapping[str, tf.io.FixedLenFeature]) -> int:
    """What a row takes in arrays, without what strings hold."""
    return sum(math.prod(feature.shape) * np.dtype(feature.dtype.as_numpy_dtype).itemsize for feature in spec.values())


def _require(used: int, most_bytes: float) -> None:
    if used > most_bytes:
        raise TooManyBytesError


def _bytes(values: npt.NDArray[np.generic]) -> int:
    """What an array takes, its strings included."""
    return values.nbytes + (sum(map(sys.getsizeof, values.flat)) if values.dtype.kind == "O" else 0)
