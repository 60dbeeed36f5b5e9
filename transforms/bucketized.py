"""A number turned into the index of its bucket."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import tensorflow as tf

from schemas.features import Bucketized
from schemas.transformed import transformed_name
from transforms.column import Column, with_domain
from transforms.statistics import QuantilesOf


def bucketized(values: Column, spec: Bucketized, name: str) -> Generator[QuantilesOf, tf.Tensor, dict[str, tf.Tensor]]:
    """The index of the bucket that a number falls into.

        id = number of boundaries <= x, so boundaries[id - 1] <= x < boundaries[id]

    Boundaries are given, or quantiles of the present, finite numbers of the training split (each rank within 0.001 of
    the rows). Where many numbers are equal, boundaries repeat and the buckets between them stay empty: ids keep their
    meaning and the number of buckets does not depend on the data. Infinities fall into the first and the last bucket
    of numbers. A missing number has a bucket of its own, the last id.

    Args:
        values: float32 or int64 column.
        spec: buckets or boundaries.
        name: the feature's name.

    Returns:
        `NAME_xf`: int64 [batch, 1], the model's Category with one more id than there are buckets.

    Source: Zhang and Wang, A Fast Algorithm for Approximate Quantiles in High Speed Data Streams, SSDBM 2007.

    >>> spec = Bucketized(kind="bucketized", boundaries=(1.0, 10.0))
    >>> steps = bucketized(Column(tf.constant([0.5, 1.0, 99.0, float("nan")]), "float"), spec, "fare")
    >>> try:
    ...     next(steps)
    ... except StopIteration as done:
    ...     done.value["fare_xf"].numpy().tolist()
    [[0], [1], [2], [3]]
    """
    x = values.numbers
    if spec.boundaries is not None:
        count = len(spec.boundaries)
        # A float column holds the float32 nearest to a number: 0.1 in the data must reach the boundary 0.1.
        rounded = np.array(spec.boundaries, np.float32 if values.dtype == "float" else np.float64)
        boundaries = tf.constant(rounded, tf.float64)
    else:
        count = (spec.buckets or 1) - 1
        boundaries = yield QuantilesOf(x, count + 1)
    row, boundaries = tf.reshape(x, [1, -1]), tf.reshape(boundaries, [1, -1])
    ids = tf.raw_ops.UpperBound(sorted_inputs=boundaries, values=row, out_type=tf.int64)
    ids = tf.where(values.present, tf.reshape(ids, [-1, 1]), tf.constant(count + 1, tf.int64))
    return {transformed_name(name): with_domain(ids, count + 2)}
