"""The input pipeline: transformed TFRecords to batches of (features, label) or (features, label, weight).

With `cache` the rows are decoded once, kept in memory as columns, and each epoch draws its batches by index: a shuffle
of row numbers and one gather a batch cost far less than handling rows one by one. Without it the files are read again
every epoch, and rows are shuffled, still serialized, within `shuffle_buffer`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.columns import Columns, Parse, matching_files, parser, read_columns, record_dataset
from schemas.errors import TrainingError
from schemas.transformed import LABEL_KEY, WEIGHT_KEY


@dataclass(frozen=True)
class Split:
    """The rows of one split.

    Attributes:
        files: TFRecord files.
        spec: parsing spec of the transformed features, the label's and the weight's included.
        labels: the label of every row, [rows].
        columns: {key: array [rows, ...]} when the rows are kept in memory, else None.
    """

    files: tuple[str, ...]
    spec: Mapping[str, tf.io.FixedLenFeature]
    labels: npt.NDArray[np.generic] = field(repr=False)
    columns: Columns | None = field(default=None, repr=False)

    @classmethod
    def open(cls, patterns: list[str], spec: Mapping[str, tf.io.FixedLenFeature], *, cache: bool = True) -> Split:
        """Reads the split, or with `cache` off its labels only.

        Raises:
            TrainingError: no file, no row, or no label.
        """
        if LABEL_KEY not in spec:
            raise TrainingError(
                "The transformed examples have no label.",
                where="Transform",
                received=sorted(spec),
                fix=f"Return the label under {LABEL_KEY!r} in preprocessing_fn.",
            )
        files = tuple(matching_files(patterns))
        columns = read_columns(files, spec if cache else {LABEL_KEY: spec[LABEL_KEY]})
        labels = columns[LABEL_KEY].reshape(-1)
        if not len(labels):
            raise TrainingError(
                "A split has no examples.",
                where="Trainer",
                received=", ".join(files),
                fix="Give the split more hash buckets in data.splits, or more data.",
            )
        return cls(files, spec, labels, columns if cache else None)

    @property
    def rows(self) -> int:
        """Number of examples."""
        return len(self.labels)


def training_dataset(
    split: Split, batch_size: int, *, seed: int, shuffle_buffer: int = 100_000, first_epoch: int = 0
) -> tf.data.Dataset:
    """Endless batches of `batch_size`, shuffled anew each epoch; what does not fill a batch is left out of its epoch.

    The order depends on the seed, the epoch and the data only.

    Args:
        split: the rows.
        batch_size: examples a batch, over all replicas; at most the number of rows.
        seed: seed of the order.
        shuffle_buffer: rows held for shuffling where the split is not in memory.
        first_epoch: epochs that have been trained already, and are passed over.
    """
    done = first_epoch * (split.rows // batch_size)
    if split.columns is None:
        rows = record_dataset(split.files).shuffle(shuffle_buffer, seed=seed)
    else:
        rows = tf.data.Dataset.range(split.rows).shuffle(split.rows, seed=seed)
    return _batches(split, rows.batch(batch_size, drop_remainder=True).repeat().skip(done))


def evaluation_dataset(split: Split, batch_size: int) -> tf.data.Dataset:
    """Every row once, in order; the last batch may be smaller."""
    rows = record_dataset(split.files) if split.columns is None else tf.data.Dataset.range(split.rows)
    batches = _batches(split, rows.batch(batch_size))
    # Keras asks for the number of batches, which files do not tell.
    return batches.apply(tf.data.experimental.assert_cardinality(math.ceil(split.rows / batch_size)))


def _batches(split: Split, rows: tf.data.Dataset) -> tf.data.Dataset:
    """(features, label) or (features, label, weight) for batches of serialized examples or of row numbers."""
    load = parser(split.spec) if split.columns is None else _gatherer(split.columns)

    def batch_of(chosen: tf.Tensor) -> tuple[tf.Tensor | dict[str, tf.Tensor], ...]:
        features = load(chosen)
        label = tf.reshape(features.pop(LABEL_KEY), [-1, 1])
        if WEIGHT_KEY not in features:
            return features, label
        weight = tf.reshape(features.pop(WEIGHT_KEY), [-1, 1])
        return features, label, weight

    batches = rows.map(tf.autograph.experimental.do_not_convert(batch_of), num_parallel_calls=tf.data.AUTOTUNE)
    return batches.prefetch(tf.data.AUTOTUNE)


def _gatherer(columns: Columns) -> Parse:
    with tf.device("/cpu:0"):
        tensors = {key: tf.constant(values) for key, values in columns.items()}
    return lambda rows: {key: tf.gather(values, rows) for key, values in tensors.items()}
