"""How often a candidate is in a batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf


class LogFrequency(tf.keras.layers.Layer):
    """The logarithm of each candidate's share of the training rows, counted before training.

        log q_j = log(max(count_j, 1) / sum of all counts)

    Source: Yi et al. 2019, https://doi.org/10.1145/3298689.3346996, section 4; the paper estimates q while it streams.

    Args:
        size: number of ids.

    Call arguments:
        ids: int64 [batch, 1].

    Returns:
        float32 [batch, 1]; 0 before `adapt`.
    """

    def __init__(self, size: int, **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        # A variable, so that it is where the embedding tables are, split as they are, and in the checkpoints.
        self.table = self.add_weight("table", (size, 1), initializer="zeros", trainable=False)

    def adapt(self, counts: npt.NDArray[np.int64]) -> None:
        """Takes the counts of all ids, [size]."""
        shares = np.maximum(counts, 1) / counts.sum()
        self.table.assign(np.log(shares).astype(np.float32)[:, np.newaxis])

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """Looks them up."""
        return tf.reshape(tf.nn.embedding_lookup(self.table, ids), [-1, 1])
