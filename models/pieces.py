"""A batch in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf


def pieces_of(batch: Any, count: int) -> Iterator[tuple[Any, float | tf.Tensor]]:
    """Parts a batch by rows into pieces about equally large.

    Args:
        batch: nested tensors of the same first dimension.
        count: number of pieces; fewer where there are fewer rows.

    Yields:
        Each piece, and its share of the rows. A size that is known when this is traced stays known, as XLA needs.
    """
    rows = tf.nest.flatten(batch)[0].shape[0]
    if rows is not None:
        count = min(count, rows)
    size = tf.shape(tf.nest.flatten(batch)[0])[0] if rows is None else rows
    for number in range(count):
        first, end = number * size // count, (number + 1) * size // count
        yield tf.nest.map_structure(lambda one, first=first, end=end: one[first:end], batch), (end - first) / size
