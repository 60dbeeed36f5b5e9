"""The weight of each example."""

from __future__ import annotations

import tensorflow as tf

from schemas.transformed import WEIGHT_KEY
from transforms.column import Column


def weight(values: Column) -> dict[str, tf.Tensor]:
    """How much each example counts in the loss and in weighted metrics.

    A missing or infinite weight is 1, a negative one 0.

    Args:
        values: float32 or int64 column.

    Returns:
        `WEIGHT_KEY`: float32 [batch, 1]; not an input of the model.

    >>> weight(Column(tf.constant([2.0, float("nan"), -1.0]), "float"))[WEIGHT_KEY].numpy().tolist()
    [[2.0], [1.0], [0.0]]
    """
    x = tf.cast(values.values, tf.float32)
    usable = values.present & tf.math.is_finite(x)
    return {WEIGHT_KEY: tf.maximum(tf.where(usable, x, tf.ones([], tf.float32)), 0.0)}
