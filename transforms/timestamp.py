"""A moment in time as its place in each cycle."""

from __future__ import annotations

import math

import tensorflow as tf

from schemas.features import Timestamp
from schemas.transformed import transformed_name
from transforms.calendar import Date, parsed
from transforms.column import Column

_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000}
_DAY = 86_400
_DAYS_TO_MONDAY = 3  # 1970-01-01 was a Thursday.


def timestamp(values: Column, spec: Timestamp, name: str) -> dict[str, tf.Tensor]:
    """A moment (UTC) as sine and cosine of its place in each cycle, so that the end of a cycle is next to its start.

        sin(2 pi p), cos(2 pi p) for each cycle, p in [0, 1):
        hour_of_day   time of day / 24 h                  day_of_week   (days since Monday + time of day) / 7
        day_of_month  (day - 1 + time of day) / length    day_of_year   (day - 1 + time of day) / length

    with the month's and the year's own length, so that leap years are right. A missing or unreadable moment gives
    zeros, which no moment does. Moments before 1970 are fine.

    Args:
        values: int64 column, `unit` since 1970-01-01T00:00Z, or string column with ISO 8601: 2022-05-16,
            2022-05-16T08:30, 2022-05-16 08:30:00.25Z, 2022-05-16T08:30:00+02:00.
        spec: unit and cycles.
        name: the feature's name.

    Returns:
        `NAME_xf`: float32 [batch, 2 * cycles], the model's Dense; sine before cosine, cycles in the order given.

    Source: Howard Hinnant, chrono-Compatible Low-Level Date Algorithms,
    https://howardhinnant.github.io/date_algorithms.html

    >>> spec = Timestamp(kind="timestamp", cycles=("hour_of_day",))
    >>> noon = timestamp(Column(tf.constant([6 * 3600], tf.int64), "int"), spec, "at")["at_xf"]
    >>> [round(x, 6) for x in noon.numpy()[0].tolist()]
    [1.0, 0.0]
    """
    if values.dtype == "string":
        days, time, readable = parsed(values.values)
        present = values.present & readable
    else:
        day = _DAY * _TICKS[spec.unit]
        days = values.values // day
        time = tf.cast(values.values - days * day, tf.float64) / day
        present = values.present
    date = Date(days)
    places = []
    for cycle in spec.cycles:
        if cycle == "hour_of_day":
            places.append(time)
        elif cycle == "day_of_week":
            places.append((_float((days + _DAYS_TO_MONDAY) % 7) + time) / 7.0)
        elif cycle == "day_of_month":
            places.append((_float(date.day_of_month - 1) + time) / _float(date.days_in_month))
        else:
            places.append((_float(date.day_of_year) + time) / _float(date.days_in_year))
    angles = tf.concat(places, axis=1) * (2.0 * math.pi)
    pairs = tf.stack([tf.sin(angles), tf.cos(angles)], axis=2)
    waves = tf.reshape(pairs, [-1, 2 * len(spec.cycles)])
    return {transformed_name(name): tf.cast(tf.where(present, waves, tf.zeros([], tf.float64)), tf.float32)}


def _float(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(x, tf.float64)
