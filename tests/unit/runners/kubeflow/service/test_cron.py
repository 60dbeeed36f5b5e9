"""Cron expressions as KFP's server takes them."""

from __future__ import annotations

import datetime

import pytest

from runners.kubeflow.service.cron import Schedule, interval_seconds, kfp_cron, moment
from schemas.errors import SettingsError

UTC = datetime.timezone.utc


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 3 * * *", "0 0 3 * * *"),
        ("30 0 3 * * *", "30 0 3 * * *"),
        ("*/15 8-18 * * mon-fri", "0 */15 8-18 * * mon-fri"),
        ("0 3 * * 7", "0 0 3 * * 0"),
        ("0 3 * * 5-7", "0 0 3 * * 5-6,0"),
        ("0 3 1,15 JAN *", "0 0 3 1,15 JAN *"),
        ("@daily", "0 0 0 * * *"),
        ("  0   3 * *  * ", "0 0 3 * * *"),
    ],
)
def test_an_expression_gets_six_fields(expression: str, expected: str) -> None:
    assert kfp_cron(expression) == expected


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("", "five fields, or six"),
        ("0 3 * *", "five fields, or six"),
        ("0 24 * * *", "The hour of the cron expression is wrong. It goes from 0 to 23."),
        ("60 3 * * *", "The minute"),
        ("0 3 0 * *", "The day of the month"),
        ("0 3 L * *", "The day of the month"),
        ("0 3 * 13 *", "The month"),
        ("0 3 * * 8", "The day of the week"),
        ("0 3 * * mon#2", "The day of the week"),
        ("*/0 3 * * *", "The minute"),
        ("5-1 3 * * *", "The minute"),
        ("0 3 30 2 *", "There is no such day"),
    ],
)
def test_what_the_server_would_refuse_or_never_start(expression: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        kfp_cron(expression)


def test_the_next_starts_are_in_utc_and_within_the_times() -> None:
    noon = datetime.datetime(2027, 1, 31, 12, tzinfo=UTC)
    schedule = Schedule("30 0 3 * * *", end=noon + datetime.timedelta(days=2))

    assert schedule.next_starts(noon, 5) == [
        datetime.datetime(2027, 2, 1, 3, 0, 30, tzinfo=UTC),
        datetime.datetime(2027, 2, 2, 3, 0, 30, tzinfo=UTC),
    ]


def test_an_interval_says_nothing_of_its_next_starts() -> None:
    assert Schedule("", 60).next_starts(datetime.datetime.now(UTC), 3) == []


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("12h", 43200), ("1d", 86400)])
def test_intervals(text: str, seconds: int) -> None:
    assert interval_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "1w", "soon"])
def test_what_is_no_interval(text: str) -> None:
    with pytest.raises(SettingsError, match="It is no interval"):
        interval_seconds(text)


def test_moments_are_in_utc_unless_they_say_otherwise() -> None:
    three = datetime.datetime(2027, 1, 31, 3, tzinfo=UTC)

    assert moment("2027-01-31T03:00", "--start") == three
    assert moment("2027-01-31T03:00:00Z", "--start") == three
    assert moment("2027-01-31T05:00+02:00", "--start") == three
    with pytest.raises(SettingsError, match="It is no time"):
        moment("tomorrow", "--start")
