from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schedule import Schedule
from runners.schedule.ticks import end_of_day, last_tick, next_tick, next_ticks

UTC = timezone.utc
BERLIN = Schedule(cron="30 2 * * *", time_zone="Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_the_time_itself_is_the_last_tick_and_not_the_next() -> None:
    schedule = Schedule(cron="30 6 * * *")
    now = at("2026-11-25T06:30:00+00:00")
    assert last_tick(schedule, now) == now
    assert next_tick(schedule, now) == at("2026-11-26T06:30:00+00:00")
    assert last_tick(schedule, now - timedelta(seconds=1)) == at("2026-11-24T06:30:00+00:00")


def test_times_are_those_of_the_zone() -> None:
    assert next_tick(BERLIN, at("2026-07-01T12:00:00+00:00")) == at("2026-07-02T02:30:00+02:00")
    assert next_tick(BERLIN, at("2026-12-01T12:00:00+00:00")) == at("2026-12-02T02:30:00+01:00")


def test_a_time_that_the_clocks_leave_out_comes_when_they_are_past_it() -> None:
    # On 29 March 2026 the clock goes from 02:00 to 03:00.
    before = at("2026-03-28T12:00:00+01:00")
    assert next_ticks(BERLIN, before, 2) == [at("2026-03-29T03:00:00+02:00"), at("2026-03-30T02:30:00+02:00")]
    assert last_tick(BERLIN, at("2026-03-29T03:10:00+02:00")) == at("2026-03-29T03:00:00+02:00")


def test_a_time_that_comes_twice_counts_once() -> None:
    # On 25 October 2026 the clock goes from 03:00 back to 02:00.
    before = at("2026-10-24T12:00:00+02:00")
    assert next_ticks(BERLIN, before, 2) == [at("2026-10-25T02:30:00+02:00"), at("2026-10-26T02:30:00+01:00")]
    assert last_tick(BERLIN, at("2026-10-25T02:45:00+01:00")) == at("2026-10-25T02:30:00+02:00")


def test_without_a_cron_expression_there_are_none() -> None:
    assert next_tick(Schedule(), at("2026-01-01T00:00:00+00:00")) is None
    assert last_tick(Schedule(), at("2026-01-01T00:00:00+00:00")) is None


@pytest.mark.parametrize("cron", ["30 2 * * *", "*/20 * * * *", "0 */6 * * *", "15 3 * * MON", "30 1,2 * * *"])
@settings(max_examples=30)
@given(minutes=st.integers(0, 365 * 24 * 60), zone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]))
def test_no_tick_lies_between_the_last_one_and_the_next(cron: str, minutes: int, zone: str) -> None:
    schedule = Schedule(cron=cron, time_zone=zone)
    now = at("2026-01-01T00:00:00+00:00") + timedelta(minutes=minutes)
    last, following = last_tick(schedule, now), next_tick(schedule, now)
    assert last is not None
    assert following is not None
    assert last <= now < following
    assert next_tick(schedule, last) == following


def test_a_day_ends_in_the_zone() -> None:
    # 20782 days after 1970-01-01 is 25 November 2026.
    assert end_of_day(BERLIN, 20782) == at("2026-11-26T00:00:00+01:00")
