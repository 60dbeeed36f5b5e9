"""The cross of two or more features, hashed."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from schemas.features import Cross
from schemas.transformed import transformed_name
from transforms.column import with_domain


def cross(values: Sequence[tf.Tensor], spec: Cross, name: str) -> dict[str, tf.Tensor]:
    """The bucket of a combination of ids.

        id = fingerprint64("a,b,...") mod buckets, of the ids a, b, ... of the crossed features

    What the parts do with missing and unknown values holds here too, since their ids are crossed.

    Args:
        values: the transformed features that are crossed, each int64 [batch, 1].
        spec: of and buckets.
        name: the feature's name.

    Returns:
        `NAME_xf`: int64 [batch, 1], the model's Category with `buckets` ids.

    Source: Cheng et al., Wide & Deep Learning for Recommender Systems, arXiv 1606.07792, section 3.1.

    >>> spec = Cross(kind="cross", of=("day", "hour"), buckets=100)
    >>> ids = [tf.constant([[1]], tf.int64), tf.constant([[8]], tf.int64)]
    >>> cross(ids, spec, "day_hour")["day_hour_xf"].shape.as_list()
    [1, 1]
    """
    joined = tf.strings.join([tf.strings.as_string(part) for part in values], ",")
    ids = tf.strings.to_hash_bucket_fast(joined, spec.buckets)
    return {transformed_name(name): with_domain(ids, spec.buckets)}
