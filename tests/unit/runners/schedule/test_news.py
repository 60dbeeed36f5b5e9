from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from configs.load import load_settings
from runners.run_record import RunRecord
from runners.schedule.ledger import Ledger
from runners.schedule.news import News
from runners.schedule.span_history import span_histories

SETTINGS = """\
name: trips
output_dir: OUTPUT
data: {path: "data/{SPAN}.csv"}
features:
  fare: {kind: numeric}
label: {kind: binary, expression: tips > 1}
evaluation: {thresholds: {auc: {lower: 0.5}}}
schedule:
  max_retries: 1
  held_up_seconds: 600
  on_success: &hook {command: [sh, -c, 'echo "$STF_ID; $STF_SPAN; $STF_ERROR" >> OUTPUT/told']}
  on_failure: *hook
"""
NOW = datetime(2026, 11, 25, 6, 30, tzinfo=timezone.utc)
HELD = "trips/2026-11-25T06:30:00+00:00"


class Series:
    """What is told of runs that are made by hand, by schedulers of which each is started anew."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs, self.now = folder, [run(0)], NOW
        file = folder / "settings.yaml"
        file.write_text(SETTINGS.replace("OUTPUT", str(folder)))
        self._settings = load_settings([file], [], {})

    def news(self) -> News:
        return News(self._settings, Ledger.load(self.folder), self.folder, "Span {}".format, lambda _: None)

    def told(self) -> list[str]:
        """What is told when it is started once more."""
        known = span_histories(self.runs[::-1], {one.run_id: one.state for one in self.runs}, lambda _: False)
        self.news().tell_outcomes(known, self.now)
        return self.new()

    def new(self) -> list[str]:
        """What was told since it was last asked."""
        file = self.folder / "told"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


def run(span: int, state: str = "complete", run_id: str = "", **fields: Any) -> RunRecord:
    given = {"run_id": run_id or f"run-{span}", "started": NOW.isoformat(), "ended": NOW.isoformat(), "span": span}
    return RunRecord(pipeline="trips", state=state, **{"trigger": "cron", **given, **fields})  # type: ignore[arg-type]


@pytest.fixture
def series(tmp_path: Path) -> Series:
    """The scheduler was started before; it knows of one run."""
    made = Series(tmp_path)
    assert made.told() == []  # what was before the first start
    return made


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ({"release": 3}, "trips/run-1/released/1; 1; "),
        ({"reason": "not blessed: auc"}, "trips/run-1/not released/1; 1; not blessed: auc"),
        ({"state": "failed", "message": "Trainer: NaN"}, "trips/run-1/failed/1; 1; Trainer: NaN"),
        ({"state": "failed", "message": "?", "attempt": 2}, "trips/run-1/given up/2; 1; ?"),
        ({"state": "failed", "error": "DataError", "data": "x", "message": "!"}, "trips/run-1/refused/1; 1; !"),
        ({"last": "AnomalyGate"}, None),
        ({"state": "interrupted"}, None),
        ({"trigger": ""}, None),
    ],
)
def test_an_end_is_told_once_whatever_is_started_again(ended: Any, told: str | None, series: Series) -> None:
    series.runs.append(run(1, **ended))
    assert series.told() == ([told] if told else [])
    assert series.told() == []


def test_one_that_was_killed_before_it_remembered_tells_the_same_event_again(
    series: Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    series.runs.append(run(1, release=3))
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            series.told()
    assert series.new() == series.told() == ["trips/run-1/released/1; 1; "]
    assert series.told() == []


def test_a_run_of_a_machine_whose_clock_was_a_year_ahead_silences_no_other(series: Series) -> None:
    later = (NOW + timedelta(days=365)).isoformat()
    series.runs.append(run(1, started=later, ended=later, release=3))
    assert series.told() == ["trips/run-1/released/1; 1; "]
    series.runs.append(run(2, "failed", message="?"))
    assert series.told() == ["trips/run-2/failed/1; 2; ?"]
    assert series.told() == []


def test_each_attempt_is_an_event_of_its_own(series: Series) -> None:
    series.runs.append(run(1, "failed", message="?"))
    assert series.told() == ["trips/run-1/failed/1; 1; ?"]
    series.runs[-1] = run(1, "failed", message="?", attempt=2)
    assert series.told() == ["trips/run-1/given up/2; 1; ?"]


def test_a_training_of_a_done_span_that_fails_is_told_as_that(series: Series) -> None:
    series.runs.append(run(0, "failed", "again", trigger="backfill", message="?", attempt=2))
    assert series.told() == ["trips/again/given up/2; 0; ?"]


def test_a_hold_up_is_told_once_when_it_has_lasted_and_once_more_when_it_is_over(series: Series) -> None:
    assert series.news().held_up("The store is away.", NOW) == 600
    assert series.news().held_up("The store is away.", NOW + timedelta(seconds=599)) == 1
    assert series.new() == []
    for seconds in (600, 700):
        assert series.news().held_up("It is still away.", NOW + timedelta(seconds=seconds)) == math.inf
    assert series.new() == [f"{HELD}/held up/1; ; It is still away."]
    series.news().going_on()
    series.news().going_on()
    assert series.new() == [f"{HELD}/going on/1; ; "]


def test_a_short_hold_up_is_nobody_s_news(series: Series) -> None:
    series.news().held_up("The store is away.", NOW)
    series.news().going_on()
    assert series.news().held_up("The store is away.", NOW + timedelta(seconds=700)) == 600
    assert series.new() == []


def test_the_ledger_forgets_runs_that_are_no_news_any_more(series: Series) -> None:
    for month in range(1, 8):
        ended = (NOW + timedelta(days=30 * month)).isoformat()
        series.now = NOW + timedelta(days=30 * month)
        series.runs.append(run(month, started=ended, ended=ended, release=month))
        assert series.told() == [f"trips/run-{month}/released/1; {month}; "]
    kept = Ledger.load(series.folder).outcomes
    assert kept is not None
    assert set(kept) == {5, 6, 7}  # those of the last 90 days
    assert series.told() == []

    series.runs.append(run(3, "running", "again", started=ended, ended=""))
    assert series.told() == []  # that the old run has released something is no news because there is a new one
    series.runs[-1] = run(3, run_id="again", started=ended, ended=ended, release=8)
    assert series.told() == ["trips/again/released/1; 3; "]
    assert series.told() == []
