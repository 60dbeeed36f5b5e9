from __future__ import annotations

import json
from pathlib import Path

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.types import standard_artifacts
from tfx.types.channel import Channel

from components.example_validator.component import ExampleValidator
from components.example_validator.executor import Executor

SCHEMA = 'feature { name: "x" type: FLOAT presence { min_fraction: 0.5 } value_count { max: 1 } }'


@pytest.fixture
def validated(tmp_path, statistics):
    """Kinds of anomalies by split, as they were written, and the artifact."""

    def validate(splits):
        made = {}
        for kind in (
            standard_artifacts.ExampleStatistics,
            standard_artifacts.Schema,
            standard_artifacts.ExampleAnomalies,
        ):
            made[kind.__name__] = kind()
            made[kind.__name__].uri = str(tmp_path / kind.__name__)
        counted, schema, anomalies = made.values()
        counted.split_names = json.dumps(list(splits))
        Path(schema.uri).mkdir()
        (Path(schema.uri) / "schema.pbtxt").write_text(SCHEMA)
        for split, columns in splits.items():
            (Path(counted.uri) / f"Split-{split}").mkdir(parents=True)
            (Path(counted.uri) / f"Split-{split}" / "FeatureStats.pb").write_bytes(
                statistics(columns).SerializeToString()
            )
        Executor().Do({"statistics": [counted], "schema": [schema]}, {"anomalies": [anomalies]}, {})
        found = {}
        for split in splits:
            content = (Path(anomalies.uri) / f"Split-{split}" / "SchemaDiff.pb").read_bytes()
            found[split] = [
                anomalies_pb2.AnomalyInfo.Type.Name(reason.type)
                for info in anomalies_pb2.Anomalies.FromString(content).anomaly_info.values()
                for reason in info.reason
            ]
        return found, anomalies

    return validate


def test_empty_lists_are_judged_as_missing_values_in_what_is_written(validated):
    found, anomalies = validated({"train": {"x": [1.0, 2.0, []]}, "eval": {"x": [1.0, [], []]}})
    assert found == {"train": [], "eval": ["FEATURE_TYPE_LOW_FRACTION_PRESENT"]}
    assert anomalies.get_json_value_custom_property("blessed") == {"train": 1, "eval": 0}


def test_other_anomalies_are_tfxs(validated):
    found, _ = validated({"train": {"x": [b"much"]}})
    assert found == {"train": ["UNEXPECTED_DATA_TYPE"]}


def test_the_node_has_the_name_of_tfxs():
    node = ExampleValidator(
        statistics=Channel(type=standard_artifacts.ExampleStatistics), schema=Channel(type=standard_artifacts.Schema)
    )
    assert node.id == "ExampleValidator"
    assert node.executor_spec.executor_class is Executor
