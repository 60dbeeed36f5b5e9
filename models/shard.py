"""The part of the data that one process reads."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Shard:
    """Which of the processes that read this is, and how many replicas it feeds.

    Attributes:
        index: number of the process, from 0.
        count: processes that read.
        replicas: replicas that each of them feeds, one batch each a step.
    """

    index: int = 0
    count: int = 1
    replicas: int = 1

    @classmethod
    def of(cls, context: tf.distribute.InputContext) -> Shard:
        """The shard that a strategy's input function is asked for."""
        readers = context.num_input_pipelines
        return cls(context.input_pipeline_id, readers, max(1, context.num_replicas_in_sync // readers))

    @property
    def all_replicas(self) -> int:
        """Replicas of the whole training."""
        return self.count * self.replicas

    def part_of(self, batch: tf.Tensor) -> tf.Tensor:
        """This process's part of the rows of one step.

        Args:
            batch: int64 [batch_size], which `all_replicas` divides.

        Returns:
            int64 [replicas, batch_size / all_replicas].
        """
        return tf.reshape(batch, [self.count, self.replicas, -1])[self.index]

    def even_sizes(self, rows: int, steps: int) -> list[int]:
        """Sizes of this process's batches when it passes once over its every count-th row in so many steps.

        They differ by one at most, so that no replica of any process runs out of rows before another.

        Args:
            rows: rows of all processes.
            steps: steps, in each of which every replica takes one batch.
        """
        own = len(range(self.index, rows, self.count))
        batches = steps * self.replicas
        return [(number + 1) * own // batches - number * own // batches for number in range(batches)]


WHOLE = Shard()
"""All rows, for one replica."""
