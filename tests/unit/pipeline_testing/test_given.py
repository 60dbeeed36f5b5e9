from __future__ import annotations

from pathlib import Path

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx.types import standard_artifacts

from pipeline_testing import read
from pipeline_testing.given import give
from schemas.errors import RunError


def test_rows_become_examples_of_the_split_train(tmp_path: Path) -> None:
    (artifact,) = give(standard_artifacts.Examples, [{"fare": 1.5}], tmp_path / "x", "")
    assert artifact.split_names == '["train"]'
    assert artifact.get_string_custom_property("rows") == '{"train": 1}'
    assert read.examples(artifact) == [{"fare": 1.5}]


def test_rows_by_split(tmp_path: Path) -> None:
    (artifact,) = give(standard_artifacts.Examples, {"a": "x\n1", "b": "x\n2\n3"}, tmp_path / "x", "")
    assert [len(read.examples(artifact, split)) for split in read.splits(artifact)] == [1, 2]


def test_rows_become_statistics(tmp_path: Path) -> None:
    (artifact,) = give(standard_artifacts.ExampleStatistics, [{"fare": 1.0}, {"fare": 3.0}], tmp_path / "x", "")
    assert read.statistics(artifact).features[0].num_stats.mean == 2.0


@pytest.mark.parametrize("kind", ["message", "text", "file"])
def test_a_schema(tmp_path: Path, kind: str) -> None:
    schema = schema_pb2.Schema()
    schema.feature.add(name="fare")
    (tmp_path / "s.pbtxt").write_text('feature { name: "fare" }')
    given = {"message": schema, "text": 'feature { name: "fare" }', "file": tmp_path / "s.pbtxt"}[kind]
    (artifact,) = give(standard_artifacts.Schema, given, tmp_path / "x", "")
    assert read.schema(artifact) == schema


def test_anomalies(tmp_path: Path) -> None:
    anomalies = anomalies_pb2.Anomalies()
    anomalies.anomaly_info["fare"].reason.add(type=anomalies_pb2.AnomalyInfo.SCHEMA_NEW_COLUMN)
    (artifact,) = give(standard_artifacts.ExampleAnomalies, {"eval": anomalies}, tmp_path / "x", "")
    assert read.anomalies(artifact, "eval") == {"fare": ["SCHEMA_NEW_COLUMN"]}


def test_a_value(tmp_path: Path) -> None:
    (artifact,) = give(standard_artifacts.Integer, 3, tmp_path / "x", "")
    assert read.value(artifact) == 3


def test_a_folder_is_used_where_it_is(tmp_path: Path) -> None:
    (artifact,) = give(standard_artifacts.TransformGraph, tmp_path, tmp_path / "x", "")
    assert artifact.uri == str(tmp_path)


def test_an_artifact_of_another_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"(?s)type Examples belongs here.*Thing, input 'a'.*Received: Schema"):
        give(standard_artifacts.Examples, standard_artifacts.Schema(), tmp_path / "x", "Thing, input 'a'")


def test_what_cannot_be_one_is_refused_with_what_can(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"(?s)type Model can be made.*Fix: Give the path of a SavedModel"):
        give(standard_artifacts.Model, tmp_path, tmp_path / "x", "")


def test_a_split_that_is_not_there_is_named(tmp_path: Path) -> None:
    (artifact,) = give(standard_artifacts.Examples, [{"fare": 1.5}], tmp_path / "x", "")
    with pytest.raises(RunError, match=r"(?s)no such split.*Received: eval.*Splits: train"):
        read.examples(artifact, "eval")
