from __future__ import annotations

import io

from rich.console import Console

from configs.schedule import Schedule
from runners.schedule.decision import Decision, Plan
from runners.schedule.plan_text import print_plan


def printed(plan: Plan, schedule: Schedule) -> list[str]:
    text = io.StringIO()
    print_plan(plan, schedule, Console(file=text, width=120), place="/data/{SPAN}.csv", dated=False, limit=1)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def test_where_spans_are_looked_for_is_said_when_there_is_none() -> None:
    assert printed(Plan(), Schedule(cron="30 6 * * *")) == ["No span is there yet: /data/{SPAN}.csv"]


def test_the_newest_spans_are_shown_and_that_nothing_starts_by_itself() -> None:
    decisions = (Decision(1, "done", "released version 1", end=1), Decision(2, "gap", "they are missing", end=4))
    assert printed(Plan(decisions), Schedule()) == [
        "Span    Version  Action  Why",
        "2 to 4           gap     they are missing",
        "and 1 older ones",
        "Nothing starts a training by itself: schedule.cron and schedule.triggers are not set.",
    ]
