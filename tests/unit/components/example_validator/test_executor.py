from __future__ import annotations

import pytest
from tfx.types import standard_artifacts
from tfx.types.channel import Channel

from components.example_validator.component import ExampleValidator
from components.example_validator.executor import Executor
from pipeline_testing import read
from pipeline_testing.given import give

SCHEMA = 'feature { name: "x" type: FLOAT presence { min_fraction: 0.5 } value_count { max: 1 } }'


@pytest.fixture
def validated(tmp_path, statistics):
    """Kinds of anomalies by split, as they were written, and the artifact."""

    def validate(splits):
        counted = {split: statistics(columns) for split, columns in splits.items()}
        inputs = {
            "statistics": give(standard_artifacts.ExampleStatistics, counted, tmp_path / "statistics", ""),
            "schema": give(standard_artifacts.Schema, SCHEMA, tmp_path / "schema", ""),
        }
        anomalies = standard_artifacts.ExampleAnomalies()
        anomalies.uri = str(tmp_path / "anomalies")
        Executor().Do(inputs, {"anomalies": [anomalies]}, {})
        return {split: read.anomalies(anomalies, split).get("x", []) for split in splits}, anomalies

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
