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

from models.columns import Columns, matching_files, parsed_dataset, read_columns, record_dataset
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
        records = record_dataset(split.files).shuffle(shuffle_buffer, seed=seed).batch(batch_size, drop_remainder=True)
        batches = parsed_dataset(records.repeat().skip(done), split.spec)
    else:
        order = tf.data.Dataset.range(split.rows).shuffle(split.rows, seed=seed)
        batches = _gathered(order.batch(batch_size, drop_remainder=True).repeat().skip(done), split.columns)
    return _labelled(batches).prefetch(tf.data.AUTOTUNE)


def evaluation_dataset(split: Split, batch_size: int) -> tf.data.Dataset:
    """Every row once, in order; the last batch may be smaller."""
    if split.columns is None:
        batches = parsed_dataset(record_dataset(split.files).batch(batch_size), split.spec)
        # Keras asks for the number of batches, which files do not tell.
        batches = batches.apply(tf.data.experimental.assert_cardinality(math.ceil(split.rows / batch_size)))
    else:
        batches = _gathered(tf.data.Dataset.range(split.rows).batch(batch_size), split.columns)
    return _labelled(batches).prefetch(tf.data.AUTOTUNE)


def _gathered(indices: tf.data.Dataset, columns: Columns) -> tf.data.Dataset:
    with tf.device("/cpu:0"):
        tensors = {key: tf.constant(values) for key, values in columns.items()}

    def gather(rows: tf.Tensor) -> dict[str, tf.Tensor]:
        return {key: tf.gather(values, rows) for key, values in tensors.items()}

    return indices.map(tf.autograph.experimental.do_not_convert(gather), num_parallel_calls=tf.data.AUTOTUNE)


def _labelled(batches: tf.data.Dataset) -> tf.data.Dataset:
    def split_off(batch: dict[str, tf.Tensor]) -> tuple[tf.Tensor | dict[str, tf.Tensor], ...]:
        features = {key: value for key, value in batch.items() if key not in (LABEL_KEY, WEIGHT_KEY)}
        label = tf.reshape(batch[LABEL_KEY], [-1, 1])
        if WEIGHT_KEY not in batch:
            return features, label
        return features, label, tf.reshape(batch[WEIGHT_KEY], [-1, 1])

    return batches.map(tf.autograph.experimental.do_not_convert(split_off))
