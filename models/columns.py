"""Transformed examples read into memory, one array for each column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from schemas.errors import TrainingError

Parse = Callable[[tf.Tensor], dict[str, tf.Tensor]]
Columns = dict[str, npt.NDArray[np.generic]]
_PARSED_AT_ONCE = 8192
_READ_AHEAD = 2
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


def record_dataset(files: Sequence[str]) -> tf.data.Dataset:
    """Serialized tf.Examples of TFRecord files (gzipped where they end in .gz), always in one order."""
    compression = "GZIP" if files[0].endswith(".gz") else ""
    return tf.data.TFRecordDataset(list(files), compression_type=compression, num_parallel_reads=_FILES_AT_ONCE)


def count_records(file: str) -> int:
    """Records of one file, all of which is read."""
    sizes = record_dataset([file]).batch(_PARSED_AT_ONCE).map(lambda records: tf.size(records, tf.int64))
    return int(sizes.reduce(tf.constant(0, tf.int64), tf.add))


def parser(spec: Mapping[str, tf.io.FixedLenFeature]) -> Parse:
    """The function that turns serialized tf.Examples [batch] into {key: dense tensor [batch, ...]}."""
    return lambda serialized: tf.io.parse_example(serialized, dict(spec))


def read_columns(files: Sequence[str], spec: Mapping[str, tf.io.FixedLenFeature]) -> Columns:
    """Every row of the files, as {key: array [rows, ...]} in the order of the files."""
    parse = parser(spec)
    # Parsed here and not in the data set, whose functions have to be traced: that takes longer than some 10,000 rows.
    records = record_dataset(files).batch(_PARSED_AT_ONCE).prefetch(_READ_AHEAD)
    batches = [{key: column.numpy() for key, column in parse(batch).items()} for batch in records]
    if not batches:
        return {key: np.empty((0, *feature.shape), feature.dtype.as_numpy_dtype) for key, feature in spec.items()}
    # Each batch lets go of a column once it is joined, so that the rows are not in memory twice.
    return {key: np.concatenate([batch.pop(key) for batch in batches]) for key in spec}
