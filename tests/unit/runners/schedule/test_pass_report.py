from __future__ import annotations

from datetime import datetime, timezone

from configs.schedule import Schedule
from runners.schedule.decision import Decision, Plan
from runners.schedule.pass_report import pass_report

SCHEDULE = Schedule(cron="30 6 * * *")
NEXT = datetime(2026, 11, 26, 6, 30, tzinfo=timezone.utc)
DONE = Decision(1, "done", "released version 1", end=1)
GAP = Decision(2, "gap", "they are missing", end=4)
WAIT = Decision(5, "wait", "until 2026-11-26 06:30 UTC", end=5)


def lines(plan: Plan, made: int = 0, released: tuple[str, ...] = (), failures: tuple[str, ...] = ()) -> list[str]:
    told = {"place": "/data/{SPAN}.csv", "dated": False, "made": made, "released": released, "failures": failures}
    return [*pass_report(plan, SCHEDULE, **told)]


def test_a_pass_that_has_made_nothing_says_why_of_each_span_and_when_it_will_be_time() -> None:
    assert lines(Plan((DONE, GAP, WAIT), next_tick=NEXT)) == [
        "Nothing to do: no span is due.",
        "  span 1: done: released version 1",
        "  span 2 to 4: gap: they are missing",
        "  span 5: wait: until 2026-11-26 06:30 UTC",
        "Next time: 2026-11-26 06:30 UTC.",
    ]


def test_without_data() -> None:
    assert lines(Plan()) == ["Nothing to do: no span is there: /data/{SPAN}.csv"]


def test_after_runs_only_what_is_waited_for_is_named() -> None:
    assert lines(Plan((DONE, WAIT)), made=2) == [
        "Nothing more to do now; runs in this pass: 2.",
        "  span 5: wait: until 2026-11-26 06:30 UTC",
    ]


def test_why_the_exit_code_is_not_0_although_a_model_was_released() -> None:
    refused, released = "Span 2: refused: AnomalyGate: no (run b).", "Span 1: released version 1 (run a)."
    assert lines(Plan((DONE,)), made=2, released=(released,), failures=(refused,)) == [
        "Nothing more to do now; runs in this pass: 2.",
        "Exit code 1: 1 did not end well, although others were released.",
        f"  not well: {refused}",
        f"  released: {released}",
    ]
    assert lines(Plan((DONE,)), made=1, failures=(refused,))[1:] == [
        "Exit code 1: 1 did not end well.",
        f"  not well: {refused}",
    ]


def test_of_a_long_history_the_newest_are_named() -> None:
    decisions = tuple(Decision(span, "done", "", end=span) for span in range(35))
    told = lines(Plan(decisions))
    assert told[1] == "  span 5: done: "
    assert told[-1] == "  and 5 older ones"
