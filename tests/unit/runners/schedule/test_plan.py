from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from configs.schedule import Schedule
from configs.window import Window
from runners.run_record import RunRecord
from runners.schedule.decision import Decision, Plan
from runners.schedule.plan import make_plan
from runners.schedule.situation import Arrived, Situation
from runners.schedule.span_history import SpanHistory, span_histories

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=timezone.utc)
DAY = 20782  # 2026-11-25
DAILY = Schedule(cron="30 6 * * *")


def run(span: int, state: str = "complete", **fields: Any) -> RunRecord:
    ended = fields.pop("ended", NOW - timedelta(hours=1)).isoformat()
    if state == "complete" and "last" not in fields:
        fields.setdefault("release", 1)
    given = {"run_id": f"run-{span}", "started": ended, "ended": ended, "span": span, **fields}
    return RunRecord(pipeline="trips", state=state, **given)  # type: ignore[arg-type]


def histories(*runs: RunRecord, changed: bool = False) -> dict[int, SpanHistory]:
    newest_first = list(reversed(runs))
    return span_histories(newest_first, {one.run_id: one.state for one in newest_first}, lambda _: changed)


def plan(
    arrived: Mapping[int, Arrived] | list[int],
    *runs: RunRecord,
    schedule: Schedule = DAILY,
    window: Window | None = None,
    changed: bool = False,
    **situation: Any,
) -> Plan:
    found = arrived if isinstance(arrived, Mapping) else {span: Arrived() for span in arrived}
    known = histories(*runs, changed=changed)
    given = {"now": NOW, "passed": NOW - timedelta(minutes=1), **situation}
    return make_plan(schedule, window or Window(), Situation(arrived=found, histories=known, **given))


def actions(made: Plan) -> dict[int, str]:
    return {one.span: one.action for one in made.decisions}


def only(made: Plan, span: int) -> Decision:
    (found,) = (one for one in made.decisions if one.span == span)
    return found


def test_the_newest_span_is_trained_on_when_it_is_time() -> None:
    made = plan([1, 2, 3], run(1))
    assert actions(made) == {1: "done", 2: "skipped", 3: "train"}
    (decision,) = made.jobs
    assert decision.job is not None
    assert (decision.job.trigger, decision.job.tick, decision.job.attempt) == ("cron", "2026-11-25T06:30:00+00:00", 1)
    assert only(made, 1).why == "released version 1"
    assert only(made, 2).why == "span 3 is newer"


def test_before_its_time_it_waits() -> None:
    made = plan([1, 2], run(1), passed=NOW)
    assert only(made, 2).action == "wait"
    assert only(made, 2).why == "until 2026-11-26 06:30 UTC"
    assert made.next_tick == NOW + timedelta(days=1)
    assert made.jobs == ()


def test_catch_up_all_trains_on_each_in_order() -> None:
    made = plan([1, 2, 3], run(1), schedule=Schedule(cron="30 6 * * *", catch_up="all"))
    assert [(one.span, one.action) for one in made.jobs] == [(2, "train"), (3, "train")]


@pytest.mark.parametrize(("catch_up", "action"), [("none", "wait"), ("latest", "train"), ("all", "train")])
def test_a_time_that_passed_before_the_first_start(catch_up: Any, action: str) -> None:
    schedule = Schedule(cron="30 6 * * *", catch_up=catch_up)
    assert actions(plan([1], schedule=schedule, passed=None)) == {1: action}


def test_a_pass_by_hand_needs_no_time() -> None:
    made = plan([1], schedule=Schedule(), by_hand=True)
    assert made.jobs[0].job is not None
    assert made.jobs[0].job.trigger == "manual"


def test_without_times_a_new_span_is_trained_on_at_once() -> None:
    made = plan([1], schedule=Schedule.model_validate({"triggers": {"new_span": True}}))
    assert actions(made) == {1: "train"}
    assert made.watching
    made = plan([1], schedule=Schedule())
    assert made.jobs == ()
    assert only(made, 1).why == "until it is asked for: no time and no trigger is set"


def test_a_signal_starts_a_training() -> None:
    made = plan([1, 2], run(1), passed=NOW, signals={"age": "release 1 is 30.0 hours old"})
    assert made.jobs[0].job is not None
    assert (made.jobs[0].job.trigger, made.jobs[0].why) == ("age", "release 1 is 30.0 hours old")


def test_a_training_that_released_nothing_is_done_too() -> None:
    made = plan([1], run(1, release=0, reason="not blessed: Overall: auc is 0.5, must be at least 0.6"))
    assert actions(made) == {1: "done"}
    assert only(made, 1).why == "not blessed: Overall: auc is 0.5, must be at least 0.6"


def test_a_newer_version_of_a_done_span_is_said() -> None:
    made = plan({1: Arrived(version=2)}, run(1, version=1))
    assert only(made, 1).why == "released version 1; version 2 of its data has come since"


def test_what_the_window_of_the_newest_span_reads_is_ingested_first() -> None:
    made = plan([1, 2, 3, 4, 5], window=Window(spans=3, minimum=2))
    assert actions(made) == {1: "skipped", 2: "skipped", 3: "ingest", 4: "ingest", 5: "train"}
    assert [one.job and one.job.last for one in made.jobs] == ["AnomalyGate", "AnomalyGate", ""]


def test_below_the_minimum_spans_are_only_ingested() -> None:
    made = plan([1, 2], window=Window(spans=3, minimum=3))
    assert actions(made) == {1: "ingest", 2: "ingest"}
    assert only(made, 2).why == "its window has 2 of the 3 spans that it needs"


def test_a_span_that_is_ingested_is_not_ingested_again() -> None:
    made = plan([1, 2, 3], run(1, last="AnomalyGate"), run(2, last="AnomalyGate"), window=Window(spans=3, minimum=3))
    assert actions(made) == {1: "done", 2: "done", 3: "train"}


@pytest.mark.parametrize(("max_gaps", "action"), [(0, "ingest"), (1, "train")])
def test_gaps_of_the_window_count(max_gaps: int, action: str) -> None:
    window = Window(spans=3, minimum=2, max_gaps=max_gaps)
    made = plan([1, 3], run(1, last="AnomalyGate"), window=window)
    assert actions(made) == {1: "done", 2: "gap", 3: action}


def test_a_refused_span_is_a_gap_of_a_growing_window() -> None:
    refused = run(2, "failed", error="AnomalyError", data="x", message="AnomalyGate: 1 anomaly")
    made = plan([1, 2, 3], run(1), refused, window=Window(spans="all"))
    assert actions(made) == {1: "done", 2: "refused", 3: "ingest"}
    assert only(made, 3).why == "its window has 1 gap, where 0 may be"


def test_a_span_whose_training_failed_for_good_is_no_gap() -> None:
    failed = run(2, "failed", error="TrainingError", attempt=9, message="Trainer: The loss is no longer finite.")
    made = plan([1, 2, 3], run(1), failed, window=Window(spans=3))
    assert actions(made) == {1: "done", 2: "skipped", 3: "train"}


def test_what_comes_late_is_ingested_where_a_window_still_needs_it() -> None:
    made = plan([1, 2, 3], run(1), run(3), window=Window(spans=3, minimum=1, max_gaps=1))
    assert actions(made) == {1: "done", 2: "ingest", 3: "done"}
    assert only(made, 2).why == "it came after span 3 was trained on"
    assert actions(plan([1, 2, 3], run(1), run(3)))[2] == "skipped"


def test_what_a_window_lacks_is_no_fault_of_the_span() -> None:
    lacking = run(2, "failed", error="DataError", data="x", message="SpanWindow: The window has 2 gaps")
    found = histories(run(1), lacking)[2]
    assert (found.progress, found.ingested) == ("failed", True)


def test_refused_data_are_let_be_until_they_change() -> None:
    refused = run(1, "failed", error="AnomalyError", data="x", message="AnomalyGate: 1 anomaly")
    assert actions(plan([1], refused)) == {1: "refused"}
    assert only(plan([1], refused), 1).why == "AnomalyGate: 1 anomaly (run run-1)"
    assert actions(plan([1], refused, changed=True)) == {1: "train"}


def test_an_error_before_the_data_were_found_is_no_refusal() -> None:
    unanswered = run(1, "failed", error="DataError", message="ExampleGen: The store does not answer.")
    assert actions(plan([1], unanswered)) == {1: "retry"}


def test_failures_are_tried_again_after_pauses_that_double() -> None:
    schedule = Schedule(cron="30 6 * * *", backoff_seconds=100, max_retries=2)

    def at(attempt: int, seconds: float) -> Decision:
        failed = run(
            1, "failed", error="RunError", attempt=attempt, ended=NOW - timedelta(seconds=seconds), message="?"
        )
        return only(plan([1], failed, schedule=schedule, passed=NOW), 1)

    assert at(1, 99).action == "wait"
    assert at(1, 99).due == NOW + timedelta(seconds=1)
    again = at(1, 100)
    assert again.action == "retry"
    assert again.job is not None
    assert (again.job.run_id, again.job.attempt) == ("run-1", 2)
    assert at(2, 199).action == "wait"
    assert at(2, 200).action == "retry"
    assert (at(3, 10_000).action, at(3, 10_000).why) == ("skipped", "given up: attempt 3 failed: ? (run run-1)")


def test_what_comes_after_a_retry_waits_for_it() -> None:
    failed = run(1, "failed", error="RunError", last="AnomalyGate", ended=NOW)
    made = plan([1, 2], failed, window=Window(spans=2))
    assert actions(made) == {1: "wait", 2: "wait"}
    assert only(made, 2).why == "behind span 1, which is waited for"


def test_a_failed_training_is_let_be_for_a_newer_span() -> None:
    failed = run(2, "failed", error="TrainingError")
    assert actions(plan([1, 2, 3], run(1), failed)) == {1: "done", 2: "skipped", 3: "train"}
    every = Schedule(cron="30 6 * * *", catch_up="all")
    assert actions(plan([1, 2, 3], run(1), failed, schedule=every)) == {1: "done", 2: "retry", 3: "train"}


@pytest.mark.parametrize("state", ["interrupted", "died"])
def test_a_run_that_was_stopped_goes_on_first(state: str) -> None:
    stopped = run(1, "interrupted", attempt=2, trigger="cron", tick="2026-11-24T06:30:00+00:00")
    known = span_histories([stopped], {"run-1": state}, lambda _: False)
    made = make_plan(DAILY, Window(), Situation(NOW, {1: Arrived(), 2: Arrived()}, known, NOW))
    assert actions(made) == {1: "resume", 2: "wait"}
    job = made.jobs[0].job
    assert job is not None
    assert (job.run_id, job.attempt, job.tick) == ("run-1", 2, "2026-11-24T06:30:00+00:00")


def test_a_missing_number_may_come_some_time_after_the_next_one() -> None:
    schedule = Schedule(cron="30 6 * * *", lateness_seconds=3600)
    early, late = NOW - timedelta(seconds=3599), NOW - timedelta(seconds=3600)
    waiting = plan({1: Arrived(), 3: Arrived(seen=early)}, run(1), schedule=schedule)
    assert actions(waiting) == {1: "done", 2: "wait", 3: "wait"}
    assert only(waiting, 2).due == NOW + timedelta(seconds=1)
    assert waiting.watching
    assert actions(plan({1: Arrived(), 3: Arrived(seen=late)}, run(1), schedule=schedule)) == {
        1: "done",
        2: "gap",
        3: "train",
    }


def test_days_are_expected_at_the_time_after_their_end() -> None:
    schedule = Schedule(cron="30 6 * * *", lateness_seconds=7200)
    made = plan([DAY - 3], run(DAY - 3), schedule=schedule, dated=True)
    # The 23rd was due on the 24th at 06:30; the 24th just now.
    assert [(one.span, one.end, one.action) for one in made.decisions] == [
        (DAY - 3, DAY - 3, "done"),
        (DAY - 2, DAY - 2, "gap"),
        (DAY - 1, DAY - 1, "wait"),
    ]
    assert made.decisions[-1].due == NOW + timedelta(hours=2)
    assert made.decisions[-1].why == "it may come until 2026-11-25 08:30 UTC"


def test_what_comes_within_the_lateness_belongs_to_the_time_before() -> None:
    schedule = Schedule(cron="30 6 * * *", lateness_seconds=7200)
    later = NOW + timedelta(hours=1)
    made = plan([DAY - 1], schedule=schedule, dated=True, now=later, passed=NOW + timedelta(minutes=59))
    assert actions(made) == {DAY - 1: "train"}
    too_late = NOW + timedelta(hours=3)
    made = plan([DAY - 1], schedule=schedule, dated=True, now=too_late, passed=NOW + timedelta(minutes=59))
    assert actions(made) == {DAY - 1: "wait"}


def test_many_missing_spans_are_one_gap() -> None:
    made = plan([1, 1_000_000_000], run(1))
    assert [(one.span, one.end, one.action) for one in made.decisions] == [
        (1, 1, "done"),
        (2, 999_999_999, "gap"),
        (1_000_000_000, 1_000_000_000, "train"),
    ]


def test_weekly_spans_have_no_gaps_between() -> None:
    made = plan([7, 14, 28], run(7), window=Window(step=7))
    assert actions(made) == {7: "done", 14: "skipped", 21: "gap", 28: "train"}


def test_drift_is_looked_for_in_spans_as_they_come() -> None:
    schedule = Schedule.model_validate({"cron": "30 6 * * *", "triggers": {"drift": True}})
    made = plan([1, 2], run(1), schedule=schedule, passed=NOW)
    assert actions(made) == {1: "done", 2: "ingest"}
    ingested = run(2, last="AnomalyGate")
    assert actions(plan([1, 2], run(1), ingested, schedule=schedule, passed=NOW)) == {1: "done", 2: "wait"}
    drifted = plan([1, 2], run(1), ingested, schedule=schedule, passed=NOW, signals={"drift": "it has drifted: fare"})
    assert actions(drifted) == {1: "done", 2: "train"}


def test_two_names_for_one_span_are_refused() -> None:
    made = plan({1: Arrived(conflict="two names stand for one span: 1.csv, 01.csv")})
    assert (actions(made), made.decisions[0].why) == ({1: "refused"}, "two names stand for one span: 1.csv, 01.csv")


def test_a_user_s_own_run_of_a_span_is_waited_for() -> None:
    made = plan([1, 2], run(1, "running"), schedule=Schedule(cron="30 6 * * *", catch_up="all"))
    assert actions(made) == {1: "wait", 2: "wait"}


def test_a_run_that_somebody_else_walks_is_waited_for_and_not_for_ever() -> None:
    made = plan([1], run(1, "running", orchestrator="kubeflow"))
    assert actions(made) == {1: "wait"}
    assert only(made, 1).why == "run run-1 is at it, on kubeflow; it counts as failed after a week"


def test_while_somebody_is_at_a_newer_span_an_older_one_is_not_trained_on() -> None:
    made = plan([1, 2], run(2, "running", orchestrator="kubeflow"))
    assert actions(made) == {1: "skipped", 2: "wait"}
    assert only(made, 1).why == "span 2 is newer"


@pytest.mark.parametrize("state", ["failed", "interrupted", "died"])
def test_a_run_of_an_orchestrator_is_not_gone_on_with(state: str) -> None:
    theirs = run(1, state, orchestrator="kubeflow", trigger="cron", message="Trainer: ?")
    known = span_histories([theirs], {"run-1": state}, lambda _: False)
    made = make_plan(DAILY, Window(), Situation(NOW, {1: Arrived()}, known, NOW))
    assert actions(made) == {1: "retry"}
    job = made.jobs[0].job
    assert job is not None
    assert (job.run_id, job.attempt, job.trigger) == ("", 2, "cron")


def test_what_an_orchestrator_s_run_gave_counts() -> None:
    refused = run(2, "failed", error="AnomalyError", data="x", message="AnomalyGate: ?", orchestrator="kubeflow")
    made = plan([1, 2], run(1, orchestrator="kubeflow"), refused)
    assert actions(made) == {1: "done", 2: "refused"}


def test_a_user_s_run_of_a_few_nodes_is_none_of_the_schedule_s() -> None:
    assert actions(plan([1], run(1, last="StatisticsGen"))) == {1: "train"}
    assert actions(plan([1], run(1), run(1, "failed", run_id="second", last="ExampleGen"))) == {1: "done"}


def test_a_span_that_is_ingested_and_whose_data_are_gone() -> None:
    made = plan([], run(1, last="AnomalyGate"))
    assert (only(made, 1).action, only(made, 1).why) == ("done", "ingested; its data are gone")


def test_data_that_are_gone() -> None:
    made = plan([2], run(1, "failed", error="RunError"), run(2), changed=True)
    assert actions(made) == {1: "gap", 2: "done"}
