"""Exchanges of numbers among the processes of a Horovod job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import tensorflow as tf

Value = Any
"""A tf.Tensor, or tf.IndexedSlices: the gradient of rows that were looked up."""


class HorovodExchange:
    """Sums, gathers and broadcasts over all processes.

    Horovod brings together what has the same name in each process, in whatever order it comes, and allows a name only
    one exchange at a time. So every exchange of a graph has a name of its own, counted alike in all processes, which
    trace the same functions; and `turn` lets no step begin its exchanges before those of the step before are over,
    which a loop within a graph would otherwise do.

    Args:
        hvd: the module horovod.tensorflow, initialized; it is an extra, so that nothing here imports it.
        packed: exchange each gradient as soon as it is there, in packs that Horovod makes; else all of them at once.
    """

    def __init__(self, hvd: Any, packed: bool = False) -> None:
        self._hvd, self._packed = hvd, packed
        self._numbers = count()
        self._turns = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._in_turn: list[tf.Tensor] = []

    @contextmanager
    def turn(self) -> Iterator[None]:
        """What is exchanged within comes after what was exchanged in earlier turns."""
        before, self._in_turn = self._in_turn, []
        try:
            yield
            if not tf.executing_eagerly():
                graph = tf.compat.v1.get_default_graph()
                with tf.control_dependencies([one for one in self._in_turn if one.graph is graph]):
                    self._turns.assign_add(1, read_value=False)
        finally:
            self._in_turn = before

    def all_reduce(self, operation: tf.distribute.ReduceOp, values: Sequence[Value]) -> list[Value]:
        """Sums or means over all processes.

        Args:
            operation: sum or mean.
            values: of the same shapes and types in each process; slices may be of any number.

        Returns:
            The results, in the order of the values. Slices are those of all processes, one after the other.
        """
        results = dict(enumerate(values))
        dense = [key for key, value in results.items() if not isinstance(value, tf.IndexedSlices)]
        groups = [[key] for key in dense] if self._packed else [dense] if dense else []
        for group in groups:
            results.update(zip(group, self._sums([results[key] for key in group]), strict=True))
        for key, value in results.items():
            if isinstance(value, tf.IndexedSlices):
                results[key] = self._gathered_slices(value)
        if operation == tf.distribute.ReduceOp.MEAN:
            results = {key: _divided(value, self._hvd.size()) for key, value in results.items()}
        return [results[key] for key in range(len(values))]

    def all_gather(self, value: tf.Tensor) -> tf.Tensor:
        """The rows of all processes, in the order of their ranks."""
        return self._exchanged(lambda name: self._hvd.allgather(value, name=name, ignore_name_scope=True))

    def broadcast(self, value: tf.Tensor) -> tf.Tensor:
        """The value that the first process has."""
        return self._exchanged(lambda name: self._hvd.broadcast(value, 0, name=name, ignore_name_scope=True))

    def _sums(self, values: list[tf.Tensor]) -> list[tf.Tensor]:
        return self._exchanged(
            lambda name: self._hvd.grouped_allreduce(values, op=self._hvd.Sum, name=name, ignore_name_scope=True)
        )

    def _gathered_slices(self, slices: tf.IndexedSlices) -> tf.IndexedSlices:
        return tf.IndexedSlices(self.all_gather(slices.values), self.all_gather(slices.indices), slices.dense_shape)

    def _exchanged(self, exchange: Callable[[str], Any]) -> Any:
        if tf.executing_eagerly():
            return exchange("exchange")  # one is over before the next begins
        with tf.control_dependencies([self._turns.read_value()]):
            result = exchange(f"exchange_{next(self._numbers)}")
        self._in_turn += tf.nest.flatten(result)
        return result


def _divided(value: Value, size: int) -> Value:
    if isinstance(value, tf.IndexedSlices):
        return tf.IndexedSlices(value.values / size, value.indices, value.dense_shape)
    return tf.cast(value / size, value.dtype)
