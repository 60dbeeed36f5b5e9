from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from rich.console import Console

from configs.load import load_settings
from configs.settings import Settings
from runners.run_record import RunRecord
from runners.schedule.daemon import schedule_lock
from runners.schedule.plan import make_plan
from runners.schedule.situation import Arrived, Situation
from runners.schedule.span_history import span_histories
from runners.schedule.status import SpanStatus, Status, print_status, status
from serving.change_request import ChangeRequest
from serving.labels import Labels
from tests.unit.serving.conftest import make_provenance, make_source

SETTINGS = """\
name: trips
output_dir: OUTPUT
data: {path: "data/{SPAN}.csv"}
features:
  fare: {kind: numeric}
label: {kind: binary, expression: tips > 1}
evaluation: {thresholds: {auc: {lower: 0.5}}}
schedule: {cron: 30 6 * * *}
"""
NOW = datetime(2026, 11, 25, 7, 0, tzinfo=timezone.utc)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "settings.yaml"
    file.write_text(SETTINGS.replace("OUTPUT", str(tmp_path / "output")))
    return load_settings([file], [], {})


def of(settings: Settings) -> Status:
    when = "2026-11-25T06:40:00+00:00"
    runs = [
        RunRecord("second", "trips", "failed", when, when, span=5, message="Trainer: no", error="RunError", attempt=9),
        RunRecord("first", "trips", "complete", when, when, span=1, trigger="cron", reason="not blessed: auc"),
    ]
    histories = span_histories(runs, {one.run_id: one.state for one in runs}, lambda _: False)
    situation = Situation(NOW, {1: Arrived(), 5: Arrived(), 6: Arrived()}, histories, NOW)
    return status(settings, situation, make_plan(settings.schedule, settings.window, situation))


def test_spans_with_their_runs_the_next_time_and_who_is_at_work(settings: Settings, tmp_path: Path) -> None:
    with schedule_lock(tmp_path / "output/schedule"):
        found = of(settings)
    assert found.daemon is not None
    assert found.daemon.startswith("process ")
    assert (found.release, found.next_tick) == (None, "2026-11-26T06:30:00+00:00")
    assert found.spans == [
        SpanStatus(1, 1, "trained", "first", "cron", 1, why="not blessed: auc"),
        SpanStatus(2, 4, "missing", why="they are missing"),
        SpanStatus(5, 5, "given up", "second", "", 9, why="Trainer: no"),
        SpanStatus(6, 6, "new", why="until 2026-11-26 06:30 UTC"),
    ]


def test_each_span_has_a_state_and_a_reason(settings: Settings) -> None:
    """1 is released, 2 late, 3 refused, 4 at work, 5 new; of 6, two names."""
    when = "2026-11-25T06:40:00+00:00"
    runs = [
        RunRecord("d", "trips", "running", when, span=4),
        RunRecord("c", "trips", "failed", when, when, span=3, message="AnomalyGate: no", error="DataError", data="x"),
        RunRecord("b", "trips", "complete", when, when, span=2, last="AnomalyGate"),
        RunRecord("a", "trips", "complete", when, when, span=1, release=7),
    ]
    histories = span_histories(runs, {one.run_id: one.state for one in runs}, lambda _: False)
    arrived = {span: Arrived() for span in range(1, 6)} | {6: Arrived(conflict="two names stand for one span: 6, 06")}
    situation = Situation(NOW, arrived, histories, NOW - timedelta(days=1))
    found = status(settings, situation, make_plan(settings.schedule, settings.window, situation))
    assert {one.span: (one.state, one.why) for one in found.spans} == {
        1: ("trained", "released version 7"),
        2: ("ingested", "span 5 is newer"),
        3: ("refused", "AnomalyGate: no"),
        4: ("running", "run d is at it"),
        5: ("new", "behind span 4, which is waited for"),
        6: ("refused", "two names stand for one span: 6, 06"),
    }


def test_the_served_release_is_told_with_its_label(settings: Settings, tmp_path: Path) -> None:
    labels = Labels(tmp_path / "output/releases", "trips")
    for number in range(2):
        labels.store.publish(make_source(tmp_path / f"model-{number}", b"%d" % number), make_provenance())
    assert (of(settings).release, of(settings).label) == (2, "")
    labels.promote(1, ChangeRequest("ann", "vm"))
    found, text = of(settings), io.StringIO()
    assert (found.release, found.label) == (1, "stable")
    print_status(found, settings, Console(file=text, width=120), dated=False, limit=2)
    assert f"Served release: 1 (stable), of {found.released}" in text.getvalue()


def test_nobody_at_work(settings: Settings) -> None:
    text = io.StringIO()
    print_status(of(settings), settings, Console(file=text, width=120), dated=False, limit=2)
    assert "Nobody works this schedule off now." in text.getvalue()
    assert "2 to 4" not in text.getvalue()
    assert "and 2 older ones" in text.getvalue()
