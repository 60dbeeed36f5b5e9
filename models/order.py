"""The order in which rows are trained on."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

_ROUNDS = 4  # of the cipher that permutes; TensorFlow's own default


@dataclass(frozen=True)
class Order:
    """Which rows each step of a training takes, as a function of the step.

    Rows are passed over again and again, each time in another order, and every row comes once in a pass. A batch takes
    the next rows, of the next pass where one is over: every batch is full, and no row is left out. Nothing is kept
    between two steps, so a training can go on at any step, and processes that count steps alike agree on the rows.

    The permutation of a pass is TensorFlow's RandomIndexShuffle, a block cipher on row numbers
    (https://www.tensorflow.org/api_docs/python/tf/random/experimental/index_shuffle).

    Attributes:
        rows: number of rows.
        batch_size: rows a step, over all replicas.
        seed: seed of the order.
    """

    rows: int
    batch_size: int
    seed: int

    def rows_of(self, step: tf.Tensor) -> tf.Tensor:
        """The rows of a step.

        Args:
            step: int64 [], counted from 0.

        Returns:
            int64 [batch_size], within 0 and rows - 1.
        """
        position = step * self.batch_size + tf.range(self.batch_size, dtype=tf.int64)
        turn = position // self.rows
        seed = tf.stack(
            [tf.fill([self.batch_size], tf.constant(self.seed, tf.int64)), turn, tf.zeros_like(turn)], axis=1
        )
        # The wrapper in tf.random does not take a seed for each element, which a batch across two passes needs.
        return tf.raw_ops.RandomIndexShuffle(
            index=position % self.rows,
            seed=tf.cast(seed, tf.uint32),
            max_index=tf.fill([self.batch_size], tf.constant(self.rows - 1, tf.int64)),
            rounds=_ROUNDS,
        )
