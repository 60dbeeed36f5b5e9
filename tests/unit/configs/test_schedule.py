from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from configs.load import load_settings
from configs.schedule import Schedule
from configs.secret import check_secrets
from configs.show import show
from schemas.errors import SettingsError

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("schedule.cron=61 * * * *", r"(?s)schedule.cron must be a cron expression .* bad minute.*Received: '61"),
        ("schedule.cron=daily", r"(?s)schedule.cron must be a cron expression .* wrong number of fields"),
        ("schedule.cron=0 0 30 2 *", r"(?s)schedule.cron must be a cron expression .* bad day-of-month"),
        ("schedule.time_zone=Europe/Belin", r"(?s)must be the name of a time zone.*Did you mean 'Europe/Berlin'"),
        ("schedule.time_zone=Moon", r"(?s)must be the name of a time zone.*UTC, Europe/Berlin"),
        ("schedule.time_zone=../etc", r"must be the name of a time zone"),
        ("schedule.max_retries=-1", r"schedule.max_retries must be"),
        ("schedule.triger={}", r"(?s)Did you mean 'triggers'"),
        ("schedule.on_failure.webhook=slack", r"(?s)schedule.on_failure.webhook must be the URL of a webhook"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_is_right(override: str, message: str, write: Write) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings([write()], [override], {})


def test_pauses_double_up_to_the_longest() -> None:
    schedule = Schedule(backoff_seconds=10, max_backoff_seconds=35)
    assert [schedule.backoff(attempt) for attempt in (1, 2, 3, 4, 10_000)] == [10, 20, 35, 35, 35]


def test_all_behind_the_host_of_a_webhook_is_secret(write: Write) -> None:
    text = 'schedule: {on_failure: {webhook: "https://hooks.example/services/T0/B0/xyz"}}\n'
    settings = load_settings([write(text)], [], {})
    webhook = settings.schedule.on_failure.webhook
    assert webhook is not None
    assert webhook.reveal({}) == "https://hooks.example/services/T0/B0/xyz"
    assert webhook.host == "hooks.example"
    for shown in (show(settings), repr(settings), str(settings.dump())):
        assert "hooks.example" in shown
        assert "xyz" not in shown


@pytest.mark.parametrize(
    ("text", "host"), [("https://hooks.example/services/${KEY}", "hooks.example"), ("${KEY}", "${KEY}")]
)
def test_variables_of_a_webhook_are_read_when_it_is_called(text: str, host: str, write: Write) -> None:
    settings = load_settings([write()], [f"schedule.on_failure.webhook={text}"], {})
    webhook = settings.schedule.on_failure.webhook
    assert webhook is not None
    assert (webhook, webhook.host, webhook.environment()) == (text, host, {})
    assert webhook.reveal({"KEY": "xyz"}) == text.replace("${KEY}", "xyz")
    with pytest.raises(SettingsError, match="KEY is not set"):
        check_secrets(settings, {})


def test_a_schedule_with_nothing_in_it_starts_nothing() -> None:
    assert not Schedule().is_set
    assert Schedule(cron="0 0 * * *").is_set
    assert Schedule.model_validate({"triggers": {"max_age_hours": 24}}).is_set
