from __future__ import annotations

import json
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.anomaly_gate.executor import Executor
from components.example_validator.executor import Executor as ExampleValidator
from configs.settings import Allowed, Validation
from pipeline_testing.given import give
from schemas.artifacts import GateReport
from schemas.errors import AnomalyError, DataError
from tests.unit.conftest import rows_of

SCHEMA = """
    feature { name: "fare" type: FLOAT presence { min_fraction: 0.5 } float_domain { min: 0 } }
    feature { name: "pay" type: BYTES domain: "pay" }
    string_domain { name: "pay" value: "Cash" value: "Card" }
"""
GOOD = {"fare": [1.0, 2.0, None], "pay": [b"Cash", b"Card", b"Cash"]}


class Run:
    """ExampleValidator and AnomalyGate on artifacts made from columns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spoiled = False
        self.gate = self.artifact(GateReport)
        self.anomalies = self.artifact(standard_artifacts.ExampleAnomalies)

    def artifact(self, kind):
        made = kind()
        made.uri = str(self.folder / kind.__name__)
        return made

    def __call__(self, splits, validation: Validation, rows: dict[str, int] | None = None) -> dict:
        by_rows = {split: rows_of(columns) for split, columns in splits.items()}
        inputs = {
            key: give(kind, value, self.folder / key, "")
            for key, kind, value in (
                ("examples", standard_artifacts.Examples, by_rows),
                ("statistics", standard_artifacts.ExampleStatistics, by_rows),
                ("schema", standard_artifacts.Schema, SCHEMA),
            )
        }
        for file in (self.folder / "examples").rglob("*.gz") if self.spoiled else ():
            file.write_bytes(b"not gzip")
        if rows is not None:
            inputs["examples"][0].set_string_custom_property("rows", json.dumps(rows))
        ExampleValidator().Do(inputs, {"anomalies": [self.anomalies]}, {})
        Executor().Do(
            {**inputs, "anomalies": [self.anomalies]},
            {"gate": [self.gate]},
            {"validation": validation.model_dump_json()},
        )
        return json.loads((Path(self.gate.uri) / "report.json").read_text())


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_good_data_pass_and_leave_a_report(run):
    report = run({"train": GOOD, "eval": GOOD}, Validation(), rows={"train": 3, "eval": 3})
    assert report == {"passed": True, "rows": {"train": 3, "eval": 3}, "anomalies": [], "unused_allow": []}


def test_a_new_category_stops_the_run_and_is_shown(run):
    bad = {**GOOD, "pay": [b"Cash", b"Beer", b"Cash"]}
    with pytest.raises(AnomalyError, match="1 anomaly") as caught:
        run({"train": GOOD, "eval": bad}, Validation(), rows={"train": 3, "eval": 3})
    assert "eval: pay: ENUM_TYPE_UNEXPECTED_STRING_VALUES" in str(caught.value)
    assert "1 of 3 rows (33.3 %): 'Beer' (row 2)" in str(caught.value)
    # What ExampleValidator found is still there, and no report of the gate.
    assert (Path(run.anomalies.uri) / "Split-eval" / "SchemaDiff.pb").stat().st_size > 0
    assert not Path(run.gate.uri).exists()


def test_missing_values_are_shown_by_their_rows(run):
    with pytest.raises(AnomalyError, match=r"2 of 3 rows \(66.7 %\): row 1, row 3"):
        run({"train": {**GOOD, "fare": [None, 1.0, None]}}, Validation())


def test_an_allowed_anomaly_passes_and_is_reported(run):
    allow = (Allowed(feature="pay", kinds=("ENUM_TYPE_UNEXPECTED_STRING_VALUES",)),)
    report = run({"train": {**GOOD, "pay": [b"Cash", b"Beer", b"Cash"]}}, Validation(allow=allow))
    assert report["passed"] is True
    assert [(entry["feature"], entry["judgement"]) for entry in report["anomalies"]] == [("pay", "allowed")]


def test_lost_rows_stop_the_run_whatever_is_allowed(run):
    with pytest.raises(DataError, match="Rows were lost") as caught:
        run({"train": GOOD}, Validation(fail_at="never"), rows={"train": 4})
    assert caught.value.received == "train: 4 written, 3 counted"


def test_examples_that_cannot_be_read_back_do_not_hide_the_anomaly(run):
    run.spoiled = True
    with pytest.raises(AnomalyError, match="pay: ENUM_TYPE_UNEXPECTED_STRING_VALUES"):
        run({"train": {**GOOD, "pay": [b"Cash", b"Beer", b"Cash"]}}, Validation())
