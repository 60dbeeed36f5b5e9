"""The node: examples, statistics, schema and anomalies in; a report out, or no run."""

from __future__ import annotations

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.channel import BaseChannel, Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.anomaly_gate.executor import (
    ANOMALIES_KEY,
    EXAMPLES_KEY,
    GATE_KEY,
    SCHEMA_KEY,
    STATISTICS_KEY,
    VALIDATION_KEY,
    Executor,
)
from components.anomaly_gate.judge import check_allowlist
from configs.settings import Validation
from schemas.artifacts import GateReport

OF_EXAMPLE_VALIDATOR = {"drift", "skew", "serving_path"}
"""Settings of the section that find anomalies; the gate judges what was found."""


class AnomalyGateSpec(ComponentSpec):
    """What goes in and out."""

    PARAMETERS = {VALIDATION_KEY: ExecutionParameter(type=str)}
    INPUTS = {
        EXAMPLES_KEY: ChannelParameter(type=standard_artifacts.Examples),
        STATISTICS_KEY: ChannelParameter(type=standard_artifacts.ExampleStatistics),
        SCHEMA_KEY: ChannelParameter(type=standard_artifacts.Schema),
        ANOMALIES_KEY: ChannelParameter(type=standard_artifacts.ExampleAnomalies),
    }
    OUTPUTS = {GATE_KEY: ChannelParameter(type=GateReport)}


class AnomalyGate(BaseComponent):
    """Stops the run when validation found anomalies at or above `validation.fail_at`, or when rows were lost.

    Nothing reads the output of this node, so Transform has to name it: `transform.add_upstream_node(gate)`. A run that
    it stops leaves no report, but the anomalies are in ExampleValidator's artifact, just as they were judged.

    Args:
        examples: from ExampleGen; the custom property `rows` says how many rows each split has.
        statistics: of those examples, from StatisticsGen.
        schema: the schema that ExampleValidator held the statistics to.
        anomalies: from our ExampleValidator.
        validation: the section of the settings.

    Raises:
        SettingsError: `validation.allow` names a type of anomaly that TFDV does not have.
    """

    SPEC_CLASS = AnomalyGateSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        statistics: BaseChannel,
        schema: BaseChannel,
        anomalies: BaseChannel,
        validation: Validation,
    ) -> None:
        check_allowlist(validation)
        super().__init__(
            spec=AnomalyGateSpec(
                **{
                    EXAMPLES_KEY: examples,
                    STATISTICS_KEY: statistics,
                    SCHEMA_KEY: schema,
                    ANOMALIES_KEY: anomalies,
                    VALIDATION_KEY: validation.model_dump_json(exclude=OF_EXAMPLE_VALIDATOR),
                    GATE_KEY: Channel(type=GateReport),
                }
            )
        )
