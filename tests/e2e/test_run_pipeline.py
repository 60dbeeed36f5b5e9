"""The fixture run_pipeline on a whole pipeline: a trained model, its cache, its record, and a run that is stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.settings import CuratedSchema, Settings
from pipeline_testing import read
from pipeline_testing.pipeline_run import PipelineRun
from pipeline_testing.run_pipeline import RunPipeline
from pipeline_testing.serving_equals_training import ServingEqualsTraining
from schemas.errors import AnomalyError, RunError

pytestmark = pytest.mark.filterwarnings("ignore")  # raised by TFX, Beam and TFMA inside

SETTINGS = Settings.model_validate(
    {
        "name": "small",
        "output_dir": "unused",
        "data": {"path": "unused"},
        "features": {
            "fare": {"kind": "numeric", "log": True, "missing_indicator": True},
            "Company Name": {"kind": "categorical"},
            "hour": {"kind": "integer", "size": 24},
        },
        "label": {"kind": "binary", "expression": "tips > 1"},
        "training": {"epochs": 1, "batch_size": 16},
        "evaluation": {"thresholds": {"auc": {"lower": 0.0}}},
        "smoke_check": {"enabled": False},
    }
)
ROWS = [
    {
        "fare": None if n % 8 == 3 else 0.25 * n,
        "Company Name": (None, "a", "b", "größe, quoted")[n % 4],
        "hour": None if n % 9 == 5 else n % 24,
        "tips": float(n % 5),
    }
    for n in range(80)
]


@pytest.fixture(scope="module")
def first(run_pipeline: RunPipeline) -> PipelineRun:
    return run_pipeline(SETTINGS, ROWS)


def test_it_ends_in_a_release_with_metrics(first: PipelineRun) -> None:
    nodes = list(first)
    assert (nodes[0], nodes[-1]) == ("ExampleGen", "Pusher")
    assert first.release is not None
    assert first.release.metrics["Overall"] == first.metrics["Overall"]
    assert first.blessing.blessed
    assert first.anomalies == {"eval": {}, "train": {}}


def test_every_row_is_an_example(first: PipelineRun) -> None:
    examples = first["ExampleGen"]["examples"]
    found = [row for split in read.splits(examples) for row in read.examples(examples, split)]
    assert sorted(map(str, found)) == sorted(str(dict(sorted(row.items()))) for row in ROWS)


def test_the_model_serves_as_it_was_trained(
    first: PipelineRun, assert_serving_equals_training: ServingEqualsTraining
) -> None:
    assert_serving_equals_training(first)


def test_the_same_rows_in_the_same_folder_come_from_the_cache(first: PipelineRun, run_pipeline: RunPipeline) -> None:
    second = run_pipeline(SETTINGS, ROWS, output_dir=first.output_dir)
    assert set(second) - set(second.cached) == {"LatestBlessed"}


def test_the_trainer_transforms_what_is_not_materialized(first: PipelineRun, run_pipeline: RunPipeline) -> None:
    transform = SETTINGS.transform.model_copy(update={"materialize": False})
    second = run_pipeline(SETTINGS.model_copy(update={"transform": transform}), ROWS)
    assert set(second["Transform"]) == {"transform_graph"}
    assert second.metrics == first.metrics


def test_a_recorded_training_is_evaluated_without_training(
    first: PipelineRun, run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    first["Trainer"].record(tmp_path)
    second = run_pipeline(SETTINGS, ROWS, stubs={"Trainer": tmp_path}, to="Evaluator")
    assert list(second) == ["ExampleGen", "Trainer", "LatestBlessed", "Evaluator"]
    assert second.metrics == first.metrics


def test_what_came_before_the_failure_can_be_read(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    (tmp_path / "schema.pbtxt").write_text('feature { name: "fare" type: FLOAT float_domain { max: 10 } }')
    settings = SETTINGS.model_copy(update={"curated_schema": CuratedSchema(path=str(tmp_path / "schema.pbtxt"))})
    with pytest.raises(AnomalyError):
        run_pipeline(settings, ROWS, to="AnomalyGate")
    run = run_pipeline(settings, ROWS, to=["Transform"], check=False)
    assert isinstance(run.error, AnomalyError)
    assert run.anomalies["train"]["fare"] == ["FLOAT_TYPE_BIG_FLOAT"]
    with pytest.raises(RunError, match=r"(?s)gave nothing.*node Transform.*stopped by"):
        run["Transform"]
