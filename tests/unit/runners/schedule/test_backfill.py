from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from configs.schedule import Schedule
from configs.window import Window
from runners.run_record import RunRecord
from runners.schedule.backfill import Backfill
from runners.schedule.decision import Plan
from runners.schedule.situation import Arrived, Situation
from runners.schedule.span_history import span_histories

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=timezone.utc)
SCHEDULE = Schedule(max_retries=1, backoff_seconds=100)


def run(span: int, state: str = "complete", run_id: str = "", **fields: Any) -> RunRecord:
    ended = (NOW - timedelta(seconds=fields.pop("ago", 3600))).isoformat()
    given = {"run_id": run_id or f"run-{span}", "started": ended, "ended": ended, "span": span, **fields}
    return RunRecord(pipeline="trips", state=state, **given)  # type: ignore[arg-type]


def situation(arrived: Iterable[int], *runs: RunRecord) -> Situation:
    newest_first = list(reversed(runs))
    known = span_histories(newest_first, {one.run_id: one.state for one in newest_first}, lambda _: False)
    return Situation(NOW, {span: Arrived() for span in arrived}, known)


def plan(
    arrived: Iterable[int],
    *,
    before: list[RunRecord],
    since: Iterable[RunRecord] = (),
    again: bool = False,
    **window: Any,
) -> Plan:
    """What is left to do of a way from 2 to 4, begun when `before` was known."""
    begun = situation(arrived, *before)
    way = Backfill(SCHEDULE, Window(**window), 2, 4, begun.histories, again)
    return way.plan(situation(arrived, *before, *since))


def actions(made: Plan) -> dict[int, str]:
    return {one.span: one.action for one in made.decisions}


def test_each_span_is_trained_on_in_order_whatever_is_newer() -> None:
    made = plan([1, 2, 3, 4, 5], before=[run(5)])
    assert [(one.span, one.action) for one in made.decisions] == [(2, "train"), (3, "train"), (4, "train")]
    assert {one.job.trigger for one in made.jobs if one.job} == {"backfill"}


def test_what_is_done_is_left_unless_it_is_to_be_done_again() -> None:
    assert actions(plan([2, 3, 4], before=[run(3)])) == {2: "train", 3: "done", 4: "train"}
    again = plan([2, 3, 4], before=[run(3)], again=True)
    assert actions(again) == {2: "train", 3: "train", 4: "train"}
    assert all(one.job is not None and one.job.again for one in again.jobs)
    done = plan([2, 3], before=[run(2)], since=[run(2, run_id="second")], again=True)
    assert actions(done) == {2: "done", 3: "train"}


def test_a_second_training_of_a_span_that_fails_is_tried_again_and_given_up() -> None:
    for attempt, action in ((1, "retry"), (2, "skipped")):
        failed = run(2, "failed", run_id="second", error="RunError", attempt=attempt)
        assert actions(plan([2], before=[run(2)], since=[failed], again=True)) == {2: action}


def test_what_was_refused_or_given_up_before_is_tried_once_more() -> None:
    before = [run(2, "failed", error="AnomalyError", data="x"), run(3, "failed", error="RunError", attempt=9)]
    assert actions(plan([2, 3], before=before)) == {2: "train", 3: "train"}
    refused = run(2, "failed", run_id="second", error="AnomalyError", data="x", message="1 anomaly")
    made = plan([2, 3], before=before, since=[refused])
    assert actions(made) == {2: "refused", 3: "train"}
    assert made.decisions[0].why == "1 anomaly (run second)"


def test_what_fails_on_the_way_is_tried_again_and_given_up_and_what_follows_waits() -> None:
    waiting = plan([2, 3], before=[], since=[run(2, "failed", error="RunError", ago=99)])
    assert actions(waiting) == {2: "wait", 3: "wait"}
    assert waiting.next_due == NOW + timedelta(seconds=1)
    again = plan([2, 3], before=[], since=[run(2, "failed", error="RunError", ago=100)])
    assert actions(again) == {2: "retry", 3: "train"}
    assert again.jobs[0].job is not None
    assert (again.jobs[0].job.run_id, again.jobs[0].job.attempt) == ("run-2", 2)
    given_up = plan([2, 3], before=[], since=[run(2, "failed", error="RunError", attempt=2)])
    assert actions(given_up) == {2: "skipped", 3: "train"}


def test_a_run_that_was_stopped_goes_on() -> None:
    made = plan([2, 3], before=[run(2, "interrupted")])
    assert actions(made) == {2: "resume", 3: "train"}


def test_a_window_begins_to_grow_with_the_first_span_of_the_way() -> None:
    made = plan([1, 2, 3, 4], before=[], spans=3, minimum=2)
    assert actions(made) == {2: "ingest", 3: "train", 4: "train"}
    assert made.decisions[0].why == "its window has 1 of the 2 spans that it needs"
    ingested = run(2, last="AnomalyGate")
    assert actions(plan([1, 2, 3, 4], before=[], since=[ingested], spans=3, minimum=2))[2] == "done"


def test_what_is_missing_is_a_gap() -> None:
    made = plan([2, 4], before=[])
    assert [(one.span, one.end, one.action) for one in made.decisions] == [
        (2, 2, "train"),
        (3, 3, "gap"),
        (4, 4, "train"),
    ]
