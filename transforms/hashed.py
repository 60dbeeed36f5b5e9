"""A value hashed into a fixed number of buckets."""

from __future__ import annotations

import tensorflow as tf

from schemas.features import Hashed
from schemas.transformed import transformed_name
from transforms.column import Column, with_domain


def hashed(values: Column, spec: Hashed, name: str) -> dict[str, tf.Tensor]:
    """The bucket of a value by its hash; needs no statistics.

        id = fingerprint64(value) mod buckets; a whole number is hashed as its decimal digits

    The hash is the same on every machine and in every version (FarmHash fingerprint), so ids last. A missing value has
    an id of its own, the last.

    Args:
        values: string or int64 column.
        spec: buckets.
        name: the feature's name.

    Returns:
        `NAME_xf`: int64 [batch, 1], the model's Category with buckets + 1 ids.

    Source: Weinberger et al., Feature Hashing for Large Scale Multitask Learning, arXiv 0902.2206.

    >>> spec = Hashed(kind="hashed", buckets=10)
    >>> hashed(Column(tf.constant(["a", ""]), "string"), spec, "tract")["tract_xf"].numpy().tolist()
    [[9], [10]]
    """
    text = values.values if values.dtype == "string" else tf.strings.as_string(values.values)
    ids = tf.strings.to_hash_bucket_fast(text, spec.buckets)
    ids = tf.where(values.present, ids, tf.constant(spec.buckets, tf.int64))
    return {transformed_name(name): with_domain(ids, spec.buckets + 1)}
