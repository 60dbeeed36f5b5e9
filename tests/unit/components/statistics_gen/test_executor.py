"""The artifact that StatisticsGen gives, beside the one of TFX's own executor."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.statistics_gen.component import StatisticsGen as TfxStatisticsGen
from tfx.components.statistics_gen.executor import Executor as TfxExecutor
from tfx.components.statistics_gen.stats_artifact_utils import load_statistics
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, standard_artifacts

from components.statistics_gen.component import StatisticsGen
from components.statistics_gen.executor import Executor
from configs.engine import Engine
from pipeline_testing.examples import write
from runners.engines import beam_pipeline
from tests.unit.components.statistics_gen.comparing import assert_same

ROWS = [
    {"fare": 12.5, "company": "Dispatch", "trips": 3, "tags": ["a", "b"], "never": None},
    {"fare": None, "company": b"\xff\xfe", "trips": 4, "tags": None, "never": None},
    {"fare": float("nan"), "company": "Dispatch", "trips": 3, "tags": ["b"], "never": None},
]


@pytest.fixture
def examples(tmp_path: Path) -> Any:
    """A split in two shards, a small one, and an empty one."""
    found = standard_artifacts.Examples()
    found.uri, found.span = str(tmp_path / "examples"), 4
    found.split_names = artifact_utils.encode_split_names(["train", "eval", "none"])
    folder = tmp_path / "examples" / "Split-train"
    write(ROWS * 40, folder)
    next(folder.iterdir()).rename(folder / "data_tfrecord-00000-of-00002.gz")
    write(ROWS[:1] * 7, tmp_path / "second")
    shutil.move(next((tmp_path / "second").iterdir()), folder / "data_tfrecord-00001-of-00002.gz")
    write(ROWS, folder.with_name("Split-eval"))
    write([], folder.with_name("Split-none"))
    return found


def run(executor: type[BaseBeamExecutor], examples: Any, folder: Path, *, kind: Any = "inline", **given: Any) -> Any:
    """The ExampleStatistics artifact."""
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(folder)
    context = BaseBeamExecutor.Context(
        tmp_dir=str(folder / "tmp"), unique_id="1", make_beam_pipeline_fn=beam_pipeline(Engine(kind=kind))
    )
    inputs = {"examples": [examples], **({"schema": [given.pop("schema")]} if "schema" in given else {})}
    executor(context).Do(inputs, {"statistics": [statistics]}, {"exclude_splits": "[]", **given})
    return statistics


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["inline", "direct"])
def test_the_artifact_is_tfx_s(examples: Any, tmp_path: Path, kind: str) -> None:
    ours = run(Executor, examples, tmp_path / "ours", kind=kind)
    theirs = run(TfxExecutor, examples, tmp_path / "theirs")
    assert str(ours).replace("/ours", "/theirs") == str(theirs)
    assert files(tmp_path / "ours") == files(tmp_path / "theirs")
    for split in ("train", "eval", "none"):
        assert_same(load_statistics(ours, split).proto(), load_statistics(theirs, split).proto())


def test_excluded_splits_are_left_out(examples: Any, tmp_path: Path) -> None:
    statistics = run(Executor, examples, tmp_path / "ours", exclude_splits='["train", "none"]')
    assert artifact_utils.decode_split_names(statistics.split_names) == ["eval"]
    assert files(tmp_path / "ours") == {"Split-eval/FeatureStats.pb"}


def test_a_schema_is_taken_into_account(examples: Any, tmp_path: Path) -> None:
    schema = standard_artifacts.Schema()
    schema.uri = str(tmp_path / "schema")
    written = schema_pb2.Schema(feature=[schema_pb2.Feature(name="trips", type=schema_pb2.INT)])
    written.feature[0].int_domain.is_categorical = True
    (tmp_path / "schema").mkdir()
    tfdv.write_schema_text(written, f"{schema.uri}/schema.pbtxt")
    found = run(Executor, examples, tmp_path / "ours", schema=schema, exclude_splits='["train", "none"]')
    (trips,) = (
        one for one in load_statistics(found, "eval").proto().datasets[0].features if one.path.step == ["trips"]
    )
    assert [(top.value, top.frequency) for top in trips.string_stats.top_values] == [("3", 2), ("4", 1)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"stats_options_json": tfdv.StatsOptions(feature_allowlist=["fare"]).to_json()}, "feature_allowlist"),
        ({"sample_rate_by_split": '{"eval": 0.99}'}, "sample_rate_by_split"),
    ],
)
def test_what_batches_cannot_do_is_left_to_tfx(
    examples: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, properties: dict[str, Any], reason: str
) -> None:
    caplog.set_level("INFO", "absl")
    statistics = run(Executor, examples, tmp_path / "ours", exclude_splits='["train", "none"]', **properties)
    assert f"TFX's own executor makes these statistics, because of: {reason}." in caplog.messages
    assert load_statistics(statistics, "eval").proto().datasets


def test_two_schemas_are_refused_as_tfx_does(examples: Any, tmp_path: Path) -> None:
    schema = standard_artifacts.Schema()
    schema.uri = str(tmp_path)
    options = tfdv.StatsOptions(schema=schema_pb2.Schema(feature=[schema_pb2.Feature(name="trips")]))
    with pytest.raises(ValueError, match="A schema was provided as an input"):
        run(Executor, examples, tmp_path / "ours", schema=schema, stats_options_json=options.to_json())


def test_the_component_has_tfx_s_interface(run_component: Callable[..., Any]) -> None:
    assert StatisticsGen.SPEC_CLASS is TfxStatisticsGen.SPEC_CLASS
    found = run_component(StatisticsGen, examples=ROWS, exclude_splits=["none"])["statistics"]
    split, *_ = artifact_utils.decode_split_names(found.split_names)
    assert load_statistics(found, split).proto().datasets[0].num_examples == 3
