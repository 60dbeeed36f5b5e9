"""Batches drawn on parameter-server workers, which have the data in their own memory.

A coordinator tells a worker which step to make, not which rows. So each worker holds the whole split as one element of
its dataset, and a step's function takes its rows out of it: by the order that every strategy uses, so that over all
workers each row comes once in a pass, however fast each of them is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from models.columns import record_dataset
from models.input_fn import Batch, Split, labelled
from models.order import Order

Table = Mapping[str, tf.Tensor]
Draw = Callable[[Table, tf.Tensor], Batch]


def table_dataset(split: Split) -> tf.data.Dataset:
    """The whole split again and again, {key: tensor [rows, ...]}; read once, by whoever iterates over it."""
    whole = record_dataset(split.files).batch(split.rows)
    # A cached element is handed out by reference: it costs nothing, however large it is.
    return whole.map(tf.autograph.experimental.do_not_convert(split.parse)).take(1).cache().repeat()


def training_draw(order: Order) -> Draw:
    """The batch of a step, from a table and the step, int64 []."""

    def draw(table: Table, step: tf.Tensor) -> Batch:
        rows = order.rows_of(step)
        return labelled({key: tf.gather(column, rows) for key, column in table.items()})

    return draw


def evaluation_draw(rows: int, steps: int) -> Draw:
    """The rows in order, parted into so many batches about equally large; after the last comes the first."""

    def draw(table: Table, step: tf.Tensor) -> Batch:
        number = step % steps
        first, end = number * rows // steps, (number + 1) * rows // steps
        return labelled({key: column[first:end] for key, column in table.items()})

    return draw
