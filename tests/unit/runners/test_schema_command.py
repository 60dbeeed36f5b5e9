from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from ml_metadata import proto
from tensorflow_metadata.proto.v0 import schema_pb2

from configs.settings import Settings
from runners import schema_command
from runners.commands.exit_codes import EXIT_DIFFERENT
from runners.metadata_store import metadata_connection
from schemas.curated import load_schema
from schemas.errors import RunError, SchemaError

CURATED = """# Reviewed.
feature {
  name: "fare"
  type: FLOAT
  presence { min_fraction: 1 }
  float_domain { min: 0 max: 100 }
}
feature {
  name: "pay"
  type: BYTES
  domain: "pay"
}
string_domain {
  name: "pay"
  value: "Cash"
}
"""
GOOD = {"fare": [1.0, 2.0], "pay": [b"Cash", b"Cash"]}
NEW_VALUE = {"fare": [1.0, 200.0], "pay": [b"Cash", b"Beer"]}


class Project:
    """Settings, a curated schema, and the metadata of runs that made statistics."""

    def __init__(self, folder: Path, statistics: Any) -> None:
        self.folder = folder
        self.curated = folder / "curated.pbtxt"
        self.curated.write_text(CURATED)
        self.statistics = statistics
        self.runs = 0

    def settings(self, schema: str | None = "curated.pbtxt") -> Settings:
        return Settings.model_validate(
            {
                "name": "taxi",
                "output_dir": str(self.folder / "out"),
                "data": {"path": "data.csv"},
                "schema": {"path": str(self.folder / schema) if schema else None},
                "features": {"fare": {"kind": "numeric"}, "pay": {"kind": "categorical"}},
                "label": {"kind": "binary", "expression": "tips > 1"},
                "evaluation": {"thresholds": {"auc": {"lower": 0.5}}},
            }
        )

    def run(self, columns: Any, state: int = proto.Execution.COMPLETE, node: str = "taxi.StatisticsGen") -> Path:
        """Writes statistics and what a run would have recorded about them."""
        self.runs += 1
        uri = self.folder / "out" / "artifacts" / "StatisticsGen" / str(self.runs)
        for split in ("train", "eval"):
            (uri / f"Split-{split}").mkdir(parents=True)
            found = self.statistics(columns)
            (uri / f"Split-{split}" / "FeatureStats.pb").write_bytes(found.SerializeToString())
        self.record(uri, state, node)
        return uri

    def record(self, uri: Path, state: int, node: str) -> None:
        with metadata_connection(self.settings()) as connection:
            store = connection.store
            artifact_type = store.put_artifact_type(proto.ArtifactType(name="ExampleStatistics"))
            execution_type = store.put_execution_type(proto.ExecutionType(name="StatisticsGen"))
            context_type = store.put_context_type(proto.ContextType(name="node"))
            store.put_execution(
                proto.Execution(type_id=execution_type, last_known_state=state),
                [
                    (
                        proto.Artifact(type_id=artifact_type, uri=str(uri)),
                        proto.Event(type=proto.Event.OUTPUT),
                    )
                ],
                [proto.Context(type_id=context_type, name=node)],
                reuse_context_if_already_exist=True,
            )


@pytest.fixture
def project(tmp_path, statistics) -> Project:
    return Project(tmp_path, statistics)


def test_infer_prints_the_schema_as_text(project, capsys):
    project.run(GOOD)
    assert schema_command.infer(project.settings()) == 0
    schema = text_format.Parse(capsys.readouterr().out, schema_pb2.Schema())
    assert [feature.name for feature in schema.feature] == ["fare", "pay"]


def test_infer_writes_a_file_that_diff_takes_as_curated(project, capsys):
    project.run(GOOD)
    assert schema_command.infer(project.settings(None), project.folder / "new.pbtxt") == 0
    assert f"path: {project.folder / 'new.pbtxt'}" in capsys.readouterr().out
    assert schema_command.diff(project.settings("new.pbtxt")) == 0


def test_infer_never_overwrites(project):
    project.run(GOOD)
    with pytest.raises(SchemaError, match="exists already"):
        schema_command.infer(project.settings(), project.curated)
    assert project.curated.read_text() == CURATED


@pytest.mark.parametrize("command", [schema_command.infer, schema_command.diff, schema_command.accept])
def test_without_a_run_the_error_says_to_run(project, command):
    with pytest.raises(RunError, match="scalable-tf run"):
        command(project.settings())
    assert not (project.folder / "out").exists()


def test_statistics_that_were_deleted_are_told(project):
    uri = project.run(GOOD)
    for file in uri.glob("*/*"):
        file.unlink()
    with pytest.raises(RunError, match="no longer there"):
        schema_command.diff(project.settings())


@pytest.mark.parametrize("command", [schema_command.diff, schema_command.accept])
def test_without_a_curated_schema_the_error_says_how_to_get_one(project, command):
    project.run(GOOD)
    with pytest.raises(SchemaError, match="schema infer -c FILE -o"):
        command(project.settings(None))


def test_diff_of_data_that_fit_is_empty(project, capsys):
    project.run(GOOD)
    assert schema_command.diff(project.settings()) == 0
    assert "No difference" in capsys.readouterr().out


def test_diff_tells_the_changes_and_the_anomalies_and_writes_nothing(project, capsys):
    project.run(NEW_VALUE)
    assert schema_command.diff(project.settings()) == EXIT_DIFFERENT
    out = capsys.readouterr().out
    assert "  fare: numbers 0.0 to 100.0 -> numbers 0.0 to 200.0\n" in out
    assert "  pay: values added: 'Beer'\n" in out
    assert "Anomalies in train:\n  fare: Unexpectedly high value: 200>100" in out
    assert project.curated.read_text() == CURATED


def test_the_newest_run_counts_and_so_does_a_cached_one(project):
    project.run(NEW_VALUE)
    old = project.run(GOOD)
    assert schema_command.diff(project.settings()) == 0
    project.run(NEW_VALUE)
    assert schema_command.diff(project.settings()) == EXIT_DIFFERENT
    project.record(old, proto.Execution.CACHED, "taxi.StatisticsGen")
    assert schema_command.diff(project.settings()) == 0


def test_failed_runs_and_other_pipelines_do_not_count(project):
    project.run(GOOD)
    project.run(NEW_VALUE, state=proto.Execution.FAILED)
    project.run(NEW_VALUE, node="other.StatisticsGen")
    assert schema_command.diff(project.settings()) == 0


def test_accept_takes_all_changes_and_diff_is_then_empty(project, capsys):
    project.run(NEW_VALUE)
    assert schema_command.accept(project.settings()) == 0
    assert "pay: values added: 'Beer'" in capsys.readouterr().out
    assert project.curated.read_text().startswith("# Reviewed.\n")
    assert schema_command.diff(project.settings()) == 0


def test_accept_of_one_feature_leaves_the_others(project, capsys):
    project.run(NEW_VALUE)
    assert schema_command.accept(project.settings(), ["pay"]) == 0
    fare, pay = load_schema(project.curated).feature
    assert (fare.float_domain.max, pay.domain) == (100.0, "pay")
    assert "Still an anomaly in train: fare" in capsys.readouterr().out


def test_accept_of_an_unchanged_feature_is_refused_with_the_nearest(project):
    project.run(NEW_VALUE)
    with pytest.raises(SchemaError, match="Did you mean pay"):
        schema_command.accept(project.settings(), ["payy"])
    assert project.curated.read_text() == CURATED


def test_accept_without_a_difference_does_not_touch_the_file(project):
    project.run(GOOD)
    before = project.curated.stat().st_mtime_ns
    assert schema_command.accept(project.settings()) == 0
    assert project.curated.stat().st_mtime_ns == before


def test_accept_into_a_read_only_package_says_to_copy(project):
    project.run(NEW_VALUE)
    project.curated.chmod(0o444)
    with pytest.raises(SchemaError, match="copy it into your project"):
        schema_command.accept(project.settings())
    assert project.curated.read_text() == CURATED
