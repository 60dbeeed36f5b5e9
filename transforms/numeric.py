"""A number, scaled."""

from __future__ import annotations

from collections.abc import Generator

import tensorflow as tf

from schemas.features import Numeric
from schemas.transformed import transformed_name
from transforms.column import Column
from transforms.statistics import Moments, MomentsOf

_FARTHEST = 1e6


def numeric(values: Column, spec: Numeric, name: str) -> Generator[MomentsOf, Moments, dict[str, tf.Tensor]]:
    """A number, scaled by statistics of the training split.

        x = log(1 + max(raw, 0)) with `log`, else raw
        z_score: (x - mean) / sqrt(variance)      min_max: (x - min) / (max - min)      none: x

    Statistics are those of x where the raw number is present and finite. An infinity takes the largest or smallest x
    of the training split. A missing number takes `fill` (a raw number, so that `log` and scale apply to it), by default
    the mean of x: 0 after z_score. A column that is constant in the training split becomes 0 by z_score and min_max.
    Numbers beyond the training split's are scaled too, up to a million deviations (or spans) away: products of larger
    ones would overflow in the model. All in float64 until the end, so that large whole numbers keep their digits.

    Args:
        values: float32 or int64 column.
        spec: scale, log, fill and missing_indicator.
        name: the feature's name.

    Returns:
        `NAME_xf`: float32 [batch, 1], the model's Dense(1); with `missing_indicator`, `NAME_missing_xf` as well, which
        is 1.0 where the number was missing.

    >>> spec = Numeric(kind="numeric", scale="min_max")
    >>> steps = numeric(Column(tf.constant([2.0, 4.0, float("nan")]), "float"), spec, "fare")
    >>> _ = next(steps)
    >>> try:
    ...     steps.send(Moments(mean=3.0, variance=1.0, minimum=2.0, maximum=4.0))
    ... except StopIteration as done:
    ...     done.value["fare_xf"].numpy().tolist()
    [[0.0], [1.0], [0.5]]
    """
    x = values.numbers
    if spec.log:
        x = tf.where(tf.math.is_inf(x), x, _logged(x))  # an infinity stays one, and out of the statistics
    moments = yield MomentsOf(x)
    x = tf.where(tf.math.is_inf(x), tf.clip_by_value(x, moments.minimum, moments.maximum), x)
    filling = moments.mean
    if spec.fill is not None:
        filling = tf.constant(spec.fill, tf.float64)
        filling = _logged(filling) if spec.log else filling
    x = tf.where(values.present, x, filling)
    if spec.scale == "z_score":
        x = _near(tf.math.divide_no_nan(x - moments.mean, tf.sqrt(moments.variance)))
    elif spec.scale == "min_max":
        x = _near(tf.math.divide_no_nan(x - moments.minimum, moments.maximum - moments.minimum))
    outputs = {transformed_name(name): tf.cast(x, tf.float32)}
    if spec.missing_indicator:
        outputs[transformed_name(f"{name}_missing")] = 1.0 - tf.cast(values.present, tf.float32)
    return outputs


def _near(x: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(x, -_FARTHEST, _FARTHEST)


def _logged(x: tf.Tensor) -> tf.Tensor:
    return tf.math.log1p(tf.maximum(x, tf.zeros([], tf.float64)))
