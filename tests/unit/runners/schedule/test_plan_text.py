from __future__ import annotations

import io

from rich.console import Console

from configs.schedule import Schedule
from runners.schedule.decision import Decision, Plan
from runners.schedule.plan_text import print_plan


def printed(plan: Plan, schedule: Schedule, *, dated: bool = False) -> list[str]:
    text = io.StringIO()
    print_plan(plan, schedule, Console(file=text, width=120), place="/data/{SPAN}.csv", dated=dated, limit=1)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def test_where_spans_are_looked_for_is_said_when_there_is_none() -> None:
    assert printed(Plan(), Schedule(cron="30 6 * * *")) == ["No span is there yet: /data/{SPAN}.csv"]


def test_the_newest_spans_are_shown_and_that_nothing_starts_by_itself() -> None:
    decisions = (Decision(1, "done", "released version 1", end=1), Decision(2, "gap", "they are missing", end=4))
    assert printed(Plan(decisions), Schedule()) == [
        "Span    Version  Action  Why",
        "2 to 4           gap     they are missing",
        "and 1 older ones",
        "gap: no data are there, and none are waited for; nothing is done about it, and windows have a gap there.",
        "Nothing starts a training by itself: schedule.cron and schedule.triggers are not set.",
    ]


def test_of_days_long_past_it_is_said_what_the_time_until_today_is() -> None:
    decisions = (Decision(1, "done", "released version 1", end=1), Decision(2, "gap", "they are missing", end=20783))
    lines = printed(Plan(decisions), Schedule(cron="30 6 * * *"), dated=True)
    assert lines[1].startswith("2 (1970-01-03) to 20783 (2026-11-26) ")
    assert lines[-1].endswith(
        "The last one is the time from the newest data until today; --now TIME plans as of another day."
    )
