from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from schemas.features import Timestamp
from schemas.transformed import Dense
from transforms.column import Column
from transforms.timestamp import timestamp

CYCLES = ("hour_of_day", "day_of_week", "day_of_month", "day_of_year")
EPOCH = datetime(1970, 1, 1)


def waves(*places):
    return [f(2 * math.pi * place) for place in places for f in (math.sin, math.cos)]


def expected(moment: datetime) -> list[float]:
    """From Python's own calendar."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    time = (moment - day) / timedelta(days=1)
    month = day.replace(day=1)
    next_month = (month + timedelta(days=32)).replace(day=1)
    year = day.replace(month=1, day=1)
    return waves(
        time,
        (moment.weekday() + time) / 7,
        (moment.day - 1 + time) / (next_month - month).days,
        ((day - year).days + time) / (year.replace(year=year.year + 1) - year).days,
    )


def eagerly(values, dtype="int", **spec):
    raw = tf.constant(values, tf.int64 if dtype == "int" else tf.string)
    spec = Timestamp(kind="timestamp", dtype=dtype, **{"cycles": CYCLES, **spec})
    return timestamp(Column(raw, dtype), spec, "x")["x_xf"].numpy()


MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9998, 12, 31))


def test_seconds(kinds):
    found = kinds.of("at_xf")
    # Thursday 1970-01-01; Wednesday 1969-12-31; 06:00 on Tuesday 2000-02-29, day 60 of 366.
    assert found[0] == pytest.approx(waves(0, 3 / 7, 0), abs=1e-6)
    assert found[1] == pytest.approx(waves(0, 2 / 7, 364 / 365), abs=1e-6)
    assert found[2] == pytest.approx(waves(0.25, 1.25 / 7, 59.25 / 366), abs=1e-6)


def test_missing_is_zero(kinds):
    assert kinds.of("at_xf")[3:] == [[0.0] * 6] * 3


def test_text(kinds):
    found = kinds.of("written_at_xf")
    assert found[0] == pytest.approx(waves(15 / 31, 0), abs=1e-6)
    assert found[1] == pytest.approx(waves(30.5 / 31, 0.5), abs=1e-6)


def test_unreadable_text_is_missing(kinds):
    assert kinds.of("written_at_xf")[2:] == [[0.0] * 4] * 4


def test_model_input(kinds):
    assert kinds.input("at_xf") == Dense("at_xf", 6)
    assert kinds.input("written_at_xf") == Dense("written_at_xf", 4)


@pytest.mark.slow
@given(MOMENTS)
def test_agrees_with_pythons_calendar(moment):
    microseconds = (moment - EPOCH) // timedelta(microseconds=1)
    np.testing.assert_allclose(eagerly([microseconds], unit="us")[0], expected(moment), atol=1e-6)


@pytest.mark.slow
@given(MOMENTS)
def test_text_agrees_with_pythons_calendar(moment):
    np.testing.assert_allclose(eagerly([moment.isoformat()], "string")[0], expected(moment), atol=1e-6)


@pytest.mark.slow
@given(MOMENTS.filter(lambda moment: 1 < moment.year < 9998), st.integers(-14 * 60, 14 * 60))
def test_offsets(moment, minutes):
    there = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    utc = there.astimezone(timezone.utc).replace(tzinfo=None)
    np.testing.assert_allclose(eagerly([there.isoformat()], "string")[0], expected(utc), atol=1e-6)


@pytest.mark.parametrize(
    "text", ["2022-05-16T08:30Z", "2022-05-16 08:30", "2022-05-16T08:30:00.000z", "2022-05-16T10:30+0200"]
)
def test_ways_of_writing(text):
    np.testing.assert_allclose(eagerly([text], "string")[0], expected(datetime(2022, 5, 16, 8, 30)), atol=1e-6)


@pytest.mark.parametrize(
    "text",
    ["2022-02-29", "2022-13-01", "2022-00-10", "2022-04-31", "22-01-01", "2022-01-01T24:00", "now", "1652689800"],
)
def test_what_is_no_moment_is_missing(text):
    assert not eagerly([text], "string").any()


@pytest.mark.slow
@given(st.text(max_size=30))
def test_any_text_is_taken(text):
    assert np.isfinite(eagerly([text.encode("utf-8", "surrogatepass")], "string")).all()


@pytest.mark.slow
@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["s", "ms", "us"]))
def test_any_number_is_taken(number, unit):
    assert (np.abs(eagerly([number], unit=unit)) <= 1 + 1e-6).all()


@pytest.mark.parametrize(("unit", "ticks"), [("s", 1), ("ms", 1_000), ("us", 1_000_000)])
def test_units(unit, ticks):
    np.testing.assert_allclose(
        eagerly([1_652_689_800 * ticks], unit=unit)[0], expected(datetime(2022, 5, 16, 8, 30)), atol=1e-6
    )
