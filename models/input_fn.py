"""The input pipeline: TFRecords to batches of (features, label) or (features, label, weight).

Where they fit, the rows are decoded once, kept in memory as columns, and each step draws its batch by row numbers,
which `models.order` computes: one gather costs far less than handling rows one by one. Else the files are read again
in every pass, and rows are shuffled, still serialized, within `shuffle_buffer`.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.columns import (
    Columns,
    Parse,
    TooManyBytesError,
    count_records,
    matching_files,
    parser,
    read_columns,
    record_dataset,
    shaped,
    shared_tensor,
)
from models.file_shards import file_shards
from models.order import Order
from models.shard import WHOLE, Shard
from schemas.errors import TrainingError
from schemas.transformed import LABEL_KEY, WEIGHT_KEY

Batch = tuple[dict[str, tf.Tensor], tf.Tensor] | tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]

_LOG = logging.getLogger(__name__)
_ENDLESS = 2**62


@dataclass(frozen=True)
class Split:
    """The rows of one split.

    Attributes:
        files: TFRecord files.
        spec: parsing spec of the transformed features, the label's and the weight's included.
        labels: the label of every row, [rows].
        columns: {key: array [rows, ...]} when the rows are kept in memory, else None.
        transform: makes the features of the records where these are raw; None: they hold the features.
    """

    files: tuple[str, ...]
    spec: Mapping[str, tf.io.FixedLenFeature]
    labels: npt.NDArray[np.generic] = field(repr=False)
    columns: Columns | None = field(default=None, repr=False)
    transform: Parse | None = field(default=None, repr=False)

    @classmethod
    def open(
        cls,
        patterns: list[str],
        spec: Mapping[str, tf.io.FixedLenFeature],
        *,
        cache: bool = True,
        cache_bytes: float = math.inf,
        transform: Parse | None = None,
    ) -> Split:
        """Reads the split, or its labels only.

        Args:
            patterns: of its TFRecord files.
            spec: parsing spec of the transformed features, the label's and the weight's included.
            cache: keep the rows in memory ...
            cache_bytes: ... where they take no more than that.
            transform: makes the features of the records where these are raw.

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
        columns: Columns | None = None
        if cache:
            try:
                columns = read_columns(files, spec, cache_bytes, transform)
            except TooManyBytesError:
                _LOG.warning(
                    "The decoded rows of %s take more than training.cache_bytes, %s: files are read in every pass",
                    os.path.dirname(files[0]), cache_bytes,
                )  # fmt: skip
        labels = (columns or read_columns(files, {LABEL_KEY: spec[LABEL_KEY]}, parse=transform))[LABEL_KEY].reshape(-1)
        if not len(labels):
            raise TrainingError(
                "A split has no examples.",
                where="Trainer",
                received=", ".join(files),
                fix="Give the split more hash buckets in data.splits, or more data.",
            )
        return cls(files, spec, labels, columns, transform)

    @property
    def rows(self) -> int:
        """Number of examples."""
        return len(self.labels)

    @property
    def parse(self) -> Parse:
        """Turns records into features."""
        return shaped(self.transform, self.spec) if self.transform else parser(self.spec)

    def read(self, keys: Sequence[str]) -> Columns:
        """Some columns of every row, whatever memory they take."""
        return self.columns or read_columns(self.files, {key: self.spec[key] for key in keys}, parse=self.transform)


def training_dataset(
    split: Split,
    batch_size: int,
    *,
    seed: int,
    shuffle_buffer: int = 100_000,
    first_step: int = 0,
    shard: Shard = WHOLE,
) -> tf.data.Dataset:
    """Endless full batches, in an order that depends on the seed and the data only.

    In memory the order is that of `models.order`. From files, each pass shuffles within `shuffle_buffer`; of several
    processes each reads files of its own where they share out evenly, else every n-th row of all files.

    Args:
        split: the rows.
        batch_size: examples a step, over all replicas; at most the number of rows.
        seed: seed of the order.
        shuffle_buffer: rows held for shuffling where the split is not in memory.
        first_step: steps that have been trained already, and are passed over.
        shard: the part of each step that is wanted, one batch after the other for its replicas; default: all of it.
    """
    if split.columns is None:
        records = _shard_of_records(split, shard).shuffle(shuffle_buffer, seed=seed).repeat()
        rows = records.batch(batch_size // shard.all_replicas, drop_remainder=True).skip(first_step * shard.replicas)
    else:
        order = Order(split.rows, batch_size, seed)
        part = tf.autograph.experimental.do_not_convert(lambda step: shard.part_of(order.rows_of(step)))
        rows = tf.data.Dataset.range(first_step, _ENDLESS).map(part).unbatch()
    return _batches(split, rows)


def evaluation_dataset(
    split: Split, batch_size: int, *, steps: int | None = None, shard: Shard | None = None
) -> tf.data.Dataset:
    """Every row once, in order; the last batch may be smaller.

    Args:
        split: the rows.
        batch_size: rows a batch.
        steps: steps of a pass where several replicas share it; batches then are about equally large, and pass follows
            pass, so that no process is done before another.
        shard: the part that is wanted; default: all of it.
    """
    rows = record_dataset(split.files) if split.columns is None else tf.data.Dataset.range(split.rows)
    if shard is None or steps is None:
        batches = _batches(split, rows.batch(batch_size))
        # Keras asks for the number of batches, which files do not tell.
        return batches.apply(tf.data.experimental.assert_cardinality(math.ceil(split.rows / batch_size)))
    sizes = shard.even_sizes(split.rows, steps)
    return _batches(split, rows.shard(shard.count, shard.index).batch(batch_size).rebatch(sizes).repeat())


def labelled(features: dict[str, tf.Tensor]) -> Batch:
    """(features, label) or (features, label, weight) of one batch; label and weight are [batch, 1]."""
    label = tf.reshape(features.pop(LABEL_KEY), [-1, 1])
    if WEIGHT_KEY not in features:
        return features, label
    return features, label, tf.reshape(features.pop(WEIGHT_KEY), [-1, 1])


def _shard_of_records(split: Split, shard: Shard) -> tf.data.Dataset:
    if shard.count == 1:
        return record_dataset(split.files)
    shares = file_shards([count_records(file) for file in split.files], shard.count)
    if shares is None:
        _LOG.info("Sharding by row: %d files do not share out evenly among %d readers", len(split.files), shard.count)
        return record_dataset(split.files).shard(shard.count, shard.index)
    _LOG.info("Sharding by file: %d files among %d readers", len(split.files), shard.count)
    return record_dataset([split.files[number] for number in shares[shard.index]])


def _batches(split: Split, rows: tf.data.Dataset) -> tf.data.Dataset:
    """Labelled batches for batches of serialized examples or of row numbers."""
    load = split.parse if split.columns is None else _gatherer(split.columns)

    def batch_of(chosen: tf.Tensor) -> Batch:
        return labelled(load(chosen))

    batches = rows.map(tf.autograph.experimental.do_not_convert(batch_of), num_parallel_calls=tf.data.AUTOTUNE)
    return batches.prefetch(tf.data.AUTOTUNE)


def _gatherer(columns: Columns) -> Parse:
    with tf.device("/cpu:0"):
        tensors = {key: shared_tensor(values) for key, values in columns.items()}
    return lambda rows: {key: tf.gather(values, rows) for key, values in tensors.items()}
