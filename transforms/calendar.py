"""The calendar in TensorFlow: days to dates and ISO 8601 text to days, as operations that a SavedModel can hold.

The date algorithms are those of Howard Hinnant, https://howardhinnant.github.io/date_algorithms.html: years start in
March, so that the leap day is the last, and repeat every 400 years (an era of 146,097 days). Proleptic Gregorian
calendar, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

_ERA = 146_097
_EPOCH = 719_468  # Days from 0000-03-01 to 1970-01-01.
_MONTHS_FROM_MARCH = (31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28)
_JANUARY_AND_FEBRUARY = 59

_OFFSET = r"([+-]\d\d):(\d\d)\s*$"
_TIME = r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?"
_ZONE = r"(?:[Zz]|(?:\+|(-))((?:[01]\d|2[0-3])[0-5]\d))?"
_ISO = rf"^\s*(\d{{4}})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?:[Tt ]{_TIME}\s*{_ZONE})?\s*$"
_NEVER = "1970-01-01"


@dataclass(frozen=True, eq=False)
class Date:
    """A day in the calendar; int64 tensors of the shape of the days."""

    day: tf.Tensor
    """Of the month, from 1."""
    days_in_month: tf.Tensor
    day_of_year: tf.Tensor
    """From 0."""
    days_in_year: tf.Tensor


def civil(days: tf.Tensor) -> Date:
    """The dates of some days since 1970-01-01.

    Args:
        days: int64, any shape, within 5 * 10 ** 15 of 0.

    >>> civil(tf.constant([59], tf.int64)).day.numpy().tolist()  # 1970-03-01
    [1]
    """
    shifted = days + _EPOCH
    era = tf.math.floordiv(shifted, _ERA)
    day_of_era = shifted - era * _ERA
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_from_march = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_from_march + 2) // 153
    day = day_from_march - (153 * month_from_march + 2) // 5 + 1
    # January and February belong to the next civil year, whose leap day is the one at the end of this March year.
    early = month_from_march >= 10
    leap = _is_leap(year_of_era)
    leap_ahead = _is_leap(year_of_era + 1)
    february = tf.equal(month_from_march, 11)
    lengths = tf.gather(tf.constant(_MONTHS_FROM_MARCH, tf.int64), month_from_march)
    return Date(
        day=day,
        days_in_month=lengths + tf.where(february, leap_ahead, 0),
        day_of_year=tf.where(early, day_from_march - 306, day_from_march + _JANUARY_AND_FEBRUARY + leap),
        days_in_year=365 + tf.where(early, leap_ahead, leap),
    )


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
    text = tf.strings.regex_replace(text, _OFFSET, r"\1\2")
    matches = tf.strings.regex_full_match(text, _ISO)
    text = tf.where(matches, text, _NEVER)
    fields = tf.strings.regex_replace(text, _ISO, r"\1,\2,\3,0\4,0\5,0\6,\7,0\8")
    fields = tf.strings.regex_replace(fields, ",-,", ",-1,")
    defaults = [tf.constant([default], kind) for default, kind in _DEFAULTS]
    year, month, day, hour, minute, second, sign, offset = tf.io.decode_csv(fields, defaults)
    days = _days(year, month, day)
    readable = matches & tf.equal(civil(days).day, day)  # Not so for 30 February.
    ahead = sign * (offset // 100 * 60 + offset % 100)
    seconds = tf.cast((hour * 60 + minute - ahead) * 60, tf.float64) + second
    carried = tf.floor(seconds / 86_400.0)
    days = tf.where(readable, days + tf.cast(carried, tf.int64), 0)
    return days, tf.where(readable, seconds / 86_400.0 - carried, 0.0), readable


_DEFAULTS = (*((0, tf.int64),) * 5, (0.0, tf.float64), (1, tf.int64), (0, tf.int64))


def _days(year: tf.Tensor, month: tf.Tensor, day: tf.Tensor) -> tf.Tensor:
    from_march = tf.where(month > 2, month - 3, month + 9)
    year = tf.where(month > 2, year, year - 1)
    era = tf.math.floordiv(year, 400)
    year_of_era = year - era * 400
    day_from_march = (153 * from_march + 2) // 5 + day - 1
    return era * _ERA + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_from_march - _EPOCH


def _is_leap(year: tf.Tensor) -> tf.Tensor:
    """1 for a leap year, else 0; a year of the era will do, since 400 years repeat."""
    by_four, by_hundred, by_all = (tf.equal(year % divisor, 0) for divisor in (4, 100, 400))
    return tf.cast(by_four & ~by_hundred | by_all, tf.int64)
