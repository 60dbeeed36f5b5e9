"""A number given to the model as it is."""

from __future__ import annotations

import tensorflow as tf

from schemas.features import Passthrough
from schemas.transformed import transformed_name
from transforms.column import Column


def passthrough(values: Column, spec: Passthrough, name: str) -> dict[str, tf.Tensor]:
    """A number given to the model as it is.

    A missing number takes `fill`, and so does an infinity, of which a model can make nothing.

    Args:
        values: float32 or int64 column.
        spec: fill.
        name: the feature's name.

    Returns:
        `NAME_xf`: float32 [batch, 1], the model's Dense(1).

    >>> spec = Passthrough(kind="passthrough", fill=-1.0)
    >>> passthrough(Column(tf.constant([2.5, float("nan")]), "float"), spec, "score")["score_xf"].numpy().tolist()
    [[2.5], [-1.0]]
    """
    x = tf.cast(values.values, tf.float32)
    usable = values.present & tf.math.is_finite(x)
    return {transformed_name(name): tf.where(usable, x, tf.constant(spec.fill, tf.float32))}
