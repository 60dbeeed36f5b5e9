"""The calendar in TensorFlow: days to dates and ISO 8601 text to days, as operations that a SavedModel can hold.

The date algorithms are those of Howard Hinnant, https://howardhinnant.github.io/date_algorithms.html: years start in
March, so that the leap day is the last, and repeat every 400 years (an era of 146,097 days). Proleptic Gregorian
calendar, UTC.
"""

from __future__ import annotations

from functools import cached_property

import tensorflow as tf

from schemas.iso_8601 import ISO_8601

_ERA = 146_097
_EPOCH = 719_468  # Days from 0000-03-01 to 1970-01-01.
_NEW_YEAR_ONE = 719_162  # Days from 0001-01-01 to 1970-01-01.
_JANUARY_FROM_MARCH = 306  # Days from 1 March to 1 January.

_FIELDS = r"\1,\2,\3,0\4,0\5,0\6,\7,0\8,0\9"
_DEFAULTS = (*((0, tf.int64),) * 5, (0.0, tf.float64), (1, tf.int64), *((0, tf.int64),) * 2)
_NEVER = "1970-01-01"


class Date:
    """Places of days in the calendar, each computed when it is asked for; int64 tensors of the shape of the days.

    Args:
        days: int64, days since 1970-01-01, any shape, within 10 ** 15 of 0.

    >>> Date(tf.constant([59], tf.int64)).day_of_month.numpy().tolist()  # 1970-03-01
    [1]
    """

    def __init__(self, days: tf.Tensor) -> None:
        self._days = days
        shifted = days + _EPOCH
        era = shifted // _ERA
        day_of_era = shifted - era * _ERA
        year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
        self._day_from_march = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
        self._march_year = year_of_era + era * 400

    @cached_property
    def day_of_month(self) -> tf.Tensor:
        """From 1."""
        return self._day_from_march - _month_start(self._month_from_march) + 1

    @cached_property
    def days_in_month(self) -> tf.Tensor:
        """28 to 31."""
        month = self._month_from_march
        # The year that started in March ends with February.
        leap = _new_year(self._march_year + 2) - _new_year(self._march_year + 1) - 365
        lengths = _month_start(month + 1) - _month_start(month)
        return tf.where(tf.equal(month, 11), 28 + leap, lengths)

    @cached_property
    def day_of_year(self) -> tf.Tensor:
        """From 0."""
        return self._days - self._new_years[0]

    @cached_property
    def days_in_year(self) -> tf.Tensor:
        """365 or 366."""
        this, following = self._new_years
        return following - this

    @cached_property
    def _month_from_march(self) -> tf.Tensor:
        return (5 * self._day_from_march + 2) // 153

    @cached_property
    def _new_years(self) -> list[tf.Tensor]:
        """The new year's days before and after."""
        year = self._march_year + tf.cast(self._day_from_march >= _JANUARY_FROM_MARCH, tf.int64)
        return tf.unstack(_new_year(tf.stack([year, year + 1])))


def parsed(text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The moments that ISO 8601 texts name.

    Args:
        text: string, any shape: YYYY-MM-DD, optionally T or a space and hh:mm, :ss, a fraction, and Z or an offset such
            as +02:00. Without an offset it is UTC.

    Returns:
        Days since 1970-01-01 (int64), fraction of the day in [0, 1) (float64), and whether the text could be read.

    >>> days, time, readable = parsed(tf.constant(["1970-01-02T06:00:00Z", "soon"]))
    >>> days.numpy().tolist(), time.numpy().tolist(), readable.numpy().tolist()
    ([1, 0], [0.25, 0.0], [True, False])
    """
    matches = tf.strings.regex_full_match(text, ISO_8601)
    fields = tf.strings.regex_replace(tf.where(matches, text, _NEVER), ISO_8601, _FIELDS)
    fields = tf.strings.regex_replace(fields, ",-,", ",-1,")
    defaults = [tf.constant([default], dtype) for default, dtype in _DEFAULTS]
    year, month, day, hour, minute, second, sign, hours, minutes = tf.io.decode_csv(fields, defaults)
    days = _day_number(year, month, day)
    readable = matches & tf.equal(Date(days).day_of_month, day)  # Not so for 30 February.
    ahead = sign * (hours * 60 + minutes)
    seconds = tf.cast((hour * 60 + minute - ahead) * 60, tf.float64) + second
    carried = tf.floor(seconds / 86_400.0)
    days = tf.where(readable, days + tf.cast(carried, tf.int64), 0)
    return days, tf.where(readable, seconds / 86_400.0 - carried, 0.0), readable


def _day_number(year: tf.Tensor, month: tf.Tensor, day: tf.Tensor) -> tf.Tensor:
    late = month > 2
    year = tf.where(late, year, year - 1)
    era = year // 400
    year_of_era = year - era * 400
    day_from_march = _month_start(tf.where(late, month - 3, month + 9)) + day - 1
    return era * _ERA + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_from_march - _EPOCH


def _month_start(month_from_march: tf.Tensor) -> tf.Tensor:
    return (153 * month_from_march + 2) // 5


def _new_year(year: tf.Tensor) -> tf.Tensor:
    """Days from 1970-01-01 to 1 January of a year."""
    before = year - 1
    return 365 * before + before // 4 - before // 100 + before // 400 - _NEW_YEAR_ONE
