"""SmokeCheck: has a model server load the candidate, and compares its answers with the model's own."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.channel import BaseChannel, Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.smoke_check import executor
from components.smoke_check.driver import Driver
from configs.smoke_check import SmokeCheck as SmokeCheckSettings

OF_PIPELINE = {"enabled"}
"""Settings of the section that decide whether there is such a node."""


class SmokeCheckSpec(ComponentSpec):
    """Inputs, outputs and parameters of SmokeCheck."""

    PARAMETERS = {
        executor.SETTINGS_KEY: ExecutionParameter(type=str),
        executor.SPLIT_KEY: ExecutionParameter(type=str),
        executor.COLUMNS_KEY: ExecutionParameter(type=str),
        executor.MODEL_NAME_KEY: ExecutionParameter(type=str),
    }
    INPUTS = {
        executor.MODEL_KEY: ChannelParameter(type=standard_artifacts.Model),
        executor.EXAMPLES_KEY: ChannelParameter(type=standard_artifacts.Examples),
        executor.MODEL_BLESSING_KEY: ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
    }
    OUTPUTS = {executor.BLESSING_KEY: ChannelParameter(type=standard_artifacts.InfraBlessing)}


class SmokeCheck(BaseComponent):
    """Asks a model server for real rows, by REST and gRPC, before the model is released.

    Outputs:
        blessing: InfraBlessing with the custom properties of TFX's InfraValidator, so that TFX's Pusher takes it, too:
            `blessed` (1 or 0) and, where there is a copy of the model with warm-up requests in it, `has_model` (1). Its
            `reason` says why a model was refused. In its folder are `report.json`, and what the server has printed.

    Args:
        model: the candidate.
        examples: raw Examples.
        settings: the section of the settings.
        split: of which rows are asked for.
        columns: raw columns that requests have.
        model_name: name under which the model is served.
        model_blessing: the Evaluator's; a model that it refuses is not checked.
    """

    SPEC_CLASS = SmokeCheckSpec
    EXECUTOR_SPEC = ExecutorClassSpec(executor.Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        *,
        model: BaseChannel,
        examples: BaseChannel,
        settings: SmokeCheckSettings,
        split: str,
        columns: Collection[str],
        model_name: str,
        model_blessing: BaseChannel | None = None,
    ) -> None:
        arguments: dict[str, Any] = {
            executor.MODEL_KEY: model,
            executor.EXAMPLES_KEY: examples,
            executor.SETTINGS_KEY: settings.model_dump_json(exclude=OF_PIPELINE),
            executor.SPLIT_KEY: split,
            executor.COLUMNS_KEY: json.dumps(sorted(columns)),
            executor.MODEL_NAME_KEY: model_name,
            executor.BLESSING_KEY: Channel(type=standard_artifacts.InfraBlessing),
        }
        if model_blessing is not None:
            arguments[executor.MODEL_BLESSING_KEY] = model_blessing
        super().__init__(spec=SmokeCheckSpec(**arguments))
