"""Transformed examples read into memory, one array for each column."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf

from schemas.column_files import column_file, column_schema, read_column_file
from schemas.errors import TrainingError

Parse = Callable[[tf.Tensor], dict[str, tf.Tensor]]
Columns = dict[str, npt.NDArray[np.generic]]
_ARROW = {tf.float32: pa.float32(), tf.int64: pa.int64(), tf.string: pa.large_binary()}
_PARSED_AT_ONCE = 8192
_FILES_AT_ONCE = 8  # a constant: by default the number of processors would decide the order of the records


def matching_files(patterns: Sequence[str]) -> list[str]:
    """Files that the patterns match, in name order; hidden ones and those that start with `_` are left out.

    Raises:
        TrainingError: nothing matches.
    """
    found = sorted(
        path for pattern in patterns for path in tf.io.gfile.glob(pattern) if path.rsplit("/", 1)[-1][0] not in "._"
    )
    if not found:
        raise TrainingError(
            "There are no transformed examples to read.",
            where="Trainer",
            received=list(patterns),
            fix="Run the Transform node first, and check data.splits: it must name train and eval.",
        )
    return found


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
    sizes = record_dataset([file]).batch(_PARSED_AT_ONCE).map(lambda records: tf.size(records, tf.int64))
    return int(sizes.reduce(tf.constant(0, tf.int64), tf.add))


def parser(spec: Mapping[str, tf.io.FixedLenFeature]) -> Parse:
    """The function that turns serialized tf.Examples [batch] into {key: dense tensor [batch, ...]}."""
    return lambda serialized: tf.io.parse_example(serialized, dict(spec))


def read_columns(files: Sequence[str], spec: Mapping[str, tf.io.FixedLenFeature]) -> Columns:
    """Every row of the files, as {key: array [rows, ...]} in the order of the files.

    The column files beside them are read instead where there are any.
    """
    stored = [column_file(file) for file in files]
    if all(map(os.path.exists, stored)) and all(_holds(file, spec) for file in stored):
        batches = [batch for file in stored for batch in _stored(file, spec)]
    else:
        parse = tf.autograph.experimental.do_not_convert(parser(spec))
        parsed = record_dataset(files, 1).batch(_PARSED_AT_ONCE).map(parse, num_parallel_calls=tf.data.AUTOTUNE)
        batches = list(parsed.as_numpy_iterator())
    if not batches:
        return {key: np.empty((0, *feature.shape), feature.dtype.as_numpy_dtype) for key, feature in spec.items()}
    # Each batch lets go of a column once it is joined, so that the rows are not in memory twice.
    return {key: np.concatenate([batch.pop(key) for batch in batches]) for key in spec}


def _holds(file: str, spec: Mapping[str, tf.io.FixedLenFeature]) -> bool:
    """Whether a column file has these features, of these types."""
    types = {field.name: field.type for field in column_schema(file)}
    return all(types.get(key) == pa.large_list(_ARROW[feature.dtype]) for key, feature in spec.items()) or not types


def _stored(file: str, spec: Mapping[str, tf.io.FixedLenFeature]) -> Iterator[Columns]:
    for batch in read_column_file(file, spec):
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        yield {
            key: columns[key].flatten().to_numpy(zero_copy_only=False).reshape(batch.num_rows, *feature.shape)
            for key, feature in spec.items()
        }
