from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig
from tfx.types import standard_artifacts

from runners.run_record import run_records
from runners.schedule.served_metrics import SERVED_FILE
from runners.schedule.signals import signals
from runners.schedule.situation import Arrived, Situation
from runners.schedule.span_history import span_histories
from schemas.errors import SettingsError
from serving.releases import ReleaseStore
from serving.served_models import ServedModels, with_model
from tests.unit.runners.made_history import MadeHistory
from tests.unit.runners.made_settings import made_settings
from tests.unit.serving.conftest import make_provenance, make_source

TRIGGERS = "schedule: {triggers: {max_age_hours: 36, drift: true, min_metric: {auc: 0.7}}}\n"


@pytest.fixture
def history(tmp_path: Path) -> MadeHistory:
    """Span 1 is trained on and released; span 2 is ingested."""
    made = MadeHistory(tmp_path)
    examples = made.ingest("first", span=1)
    made.release("first", made.train("first", examples), examples)
    made.record("first", span=1)
    made.ingest("second", span=2)
    made.record("second", span=2, last="AnomalyGate")
    return made


def of(history: MadeHistory, now: datetime | None = None) -> dict[str, str]:
    settings = made_settings(history.folder, more=TRIGGERS)
    with history.metadata as metadata:
        records = run_records(metadata, "trips")
    known = span_histories(records, {one.run_id: one.state for one in records}, lambda _: False)
    arrived = {1: Arrived(), 2: Arrived()}
    return signals(settings, Situation(now or datetime.now(timezone.utc), arrived, known))


def gate(history: MadeHistory, kind: str) -> None:
    found = {"feature": "fare", "kind": kind, "description": "The distance is 0.4, above 0.1."}
    report = json.dumps({"passed": True, "anomalies": [found]})
    history.node("second", "AnomalyGate", {}, {"gate": standard_artifacts.String}, files={"report.json": report})


def test_nothing_fires_without_a_reason(history: MadeHistory) -> None:
    gate(history, "SCHEMA_NEW_COLUMN")
    assert of(history) == {}


def test_the_age_of_the_newest_release(history: MadeHistory) -> None:
    found = of(history, datetime.now(timezone.utc) + timedelta(hours=37))
    assert found == {"age": "release 1 (the newest) is 37.0 hours old"}


def test_the_age_is_that_of_the_stable_release_where_there_is_one(history: MadeHistory) -> None:
    root = history.output_dir / "releases"
    ReleaseStore(root, "trips").publish(make_source(history.folder / "newer"), make_provenance())
    config = with_model(ModelServerConfig(), "trips", "trips", labels={"stable": 1}, versions=[1])
    assert of(history, datetime.now(timezone.utc) + timedelta(hours=37))["age"].startswith("release 2 (the newest)")
    ServedModels(root).write(config)
    assert of(history, datetime.now(timezone.utc) + timedelta(hours=37))["age"].startswith("release 1 (stable)")
    (root / "trips/1/release.json").unlink()
    assert of(history, datetime.now(timezone.utc) + timedelta(hours=37))["age"].startswith("release 2 (the newest)")


def test_drift_that_the_gate_let_pass(history: MadeHistory) -> None:
    gate(history, "COMPARATOR_L_INFTY_HIGH")
    assert of(history) == {"drift": "it has drifted: fare: The distance is 0.4, above 0.1."}


@pytest.mark.parametrize(("auc", "fires"), [(0.69, True), (0.7, False)])
def test_a_released_model_that_is_worse_on_the_new_span(auc: float, fires: bool, history: MadeHistory) -> None:
    folder = history.output_dir / "logs/second"
    folder.mkdir(parents=True)
    (folder / SERVED_FILE).write_text(json.dumps({"release": 1, "metrics": {"auc": auc}, "error": ""}))
    assert of(history) == ({"metric": "release 1 has auc 0.6900 on it, below 0.7"} if fires else {})


def test_what_was_measured_of_a_release_that_is_not_served_any_more_fires_nothing(history: MadeHistory) -> None:
    folder = history.output_dir / "logs/second"
    folder.mkdir(parents=True)
    (folder / SERVED_FILE).write_text(json.dumps({"release": 1, "metrics": {"auc": 0.1}, "error": ""}))
    ReleaseStore(history.output_dir / "releases", "trips").publish(
        make_source(history.folder / "newer"), make_provenance()
    )
    assert of(history) == {}


def test_a_metric_that_there_is_not_is_told_and_a_release_that_could_not_be_measured_holds_nothing_up(
    history: MadeHistory,
) -> None:
    folder = history.output_dir / "logs/second"
    folder.mkdir(parents=True)
    (folder / SERVED_FILE).write_text(json.dumps({"release": 1, "metrics": {"AUC": 0.9, "loss": 0.2}, "error": ""}))
    with pytest.raises(SettingsError, match="no such metric") as caught:
        of(history)
    assert caught.value.fix == "Its metrics: AUC, loss."
    (folder / SERVED_FILE).write_text(json.dumps({"release": 1, "metrics": {}, "error": "killed"}))
    assert of(history) == {}
