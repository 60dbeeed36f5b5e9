from __future__ import annotations

import pytest
from tfx.types import standard_artifacts
from tfx.types.channel import Channel

from components.anomaly_gate.component import AnomalyGate
from configs.settings import Allowed, Validation
from schemas.errors import SettingsError


def gate(validation: Validation) -> AnomalyGate:
    return AnomalyGate(
        examples=Channel(type=standard_artifacts.Examples),
        statistics=Channel(type=standard_artifacts.ExampleStatistics),
        schema=Channel(type=standard_artifacts.Schema),
        anomalies=Channel(type=standard_artifacts.ExampleAnomalies),
        validation=validation,
    )


def test_the_node_has_its_name_and_one_output():
    node = gate(Validation())
    assert node.id == "AnomalyGate"
    assert {name: channel.type_name for name, channel in node.outputs.items()} == {"gate": "GateReport"}


def test_the_settings_are_part_of_the_cache_key():
    assert Validation.model_validate_json(gate(Validation(samples=3)).exec_properties["validation"]).samples == 3


def test_a_misspelt_type_is_refused_before_anything_runs():
    with pytest.raises(SettingsError, match="SCHEMA_NEW_COLUMN"):
        gate(Validation(allow=(Allowed(feature="a", kinds=("SCHEMA_NEW_COLUM",)),)))
