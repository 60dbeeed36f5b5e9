"""A small whole number used as a category as it is."""

from __future__ import annotations

import tensorflow as tf

from schemas.features import Integer
from schemas.transformed import transformed_name
from transforms.column import Column, with_domain


def integer(values: Column, spec: Integer, name: str) -> dict[str, tf.Tensor]:
    """A small whole number, itself the id.

        id = x for 0 <= x < size, else size; a missing number is size as well

    Args:
        values: int64 column.
        spec: size.
        name: the feature's name.

    Returns:
        `NAME_xf`: int64 [batch, 1], the model's Category with size + 1 ids.

    >>> spec = Integer(kind="integer", size=24)
    >>> integer(Column(tf.constant([0, 23, 24, -1], tf.int64), "int"), spec, "hour")["hour_xf"].numpy().tolist()
    [[0], [23], [24], [24]]
    """
    x = values.filled(spec.size)
    ids = tf.where((x >= 0) & (x < spec.size), x, tf.constant(spec.size, tf.int64))
    return {transformed_name(name): with_domain(ids, spec.size + 1)}
