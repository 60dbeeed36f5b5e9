"""Pusher: releases a blessed model as the next version."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.channel import BaseChannel, Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.system_executions import Deploy

from components.pusher import executor
from components.pusher.driver import Driver


class PusherSpec(ComponentSpec):
    """Inputs, outputs and parameters of Pusher."""

    PARAMETERS = {
        executor.RELEASES_DIR_KEY: ExecutionParameter(type=str),
        executor.MODEL_NAME_KEY: ExecutionParameter(type=str),
        executor.KEEP_KEY: ExecutionParameter(type=int),
        executor.PROVENANCE_KEY: ExecutionParameter(type=str),
        executor.SMOKE_CHECKED_KEY: ExecutionParameter(type=int),
    }
    INPUTS = {
        executor.MODEL_KEY: ChannelParameter(type=standard_artifacts.Model),
        executor.BLESSING_KEY: ChannelParameter(type=standard_artifacts.ModelBlessing),
        executor.EVALUATION_KEY: ChannelParameter(type=standard_artifacts.ModelEvaluation),
        executor.EXAMPLES_KEY: ChannelParameter(type=standard_artifacts.Examples),
        executor.SCHEMA_KEY: ChannelParameter(type=standard_artifacts.Schema),
        executor.INFRA_BLESSING_KEY: ChannelParameter(type=standard_artifacts.InfraBlessing, optional=True),
    }
    OUTPUTS = {executor.PUSHED_MODEL_KEY: ChannelParameter(type=standard_artifacts.PushedModel)}
    TYPE_ANNOTATION = Deploy


class Pusher(BaseComponent):
    """Releases the model to `<releases_dir>/<model_name>/<version>` when it is blessed.

    Outputs:
        pushed_model: PushedModel with the custom properties of TFX's Pusher: `pushed` (1 or 0), `pushed_destination`
            and `pushed_version`; where nothing was pushed, `reason` says why. The model itself is only in the release.

    Args:
        model: the candidate.
        blessing: Evaluator's blessing of it.
        evaluation: Evaluator's result, with metrics.json and blessing.json.
        examples: raw Examples that it was trained on.
        schema: the schema that they were held to.
        releases_dir: folder of all released models.
        model_name: name under which the model is served.
        keep: versions to keep; None: all.
        infra_blessing: SmokeCheck's, or that of TFX's InfraValidator: what it refuses is not released, and where it has
            the model with warm-up requests, that is what is released. Where it is given and none arrives, nothing is
            released.
        provenance: what the release records: `pipeline`, `classes` (names, where the model predicts classes), and all
            others are fingerprints, such as `code` and `settings`. It is part of the cache key, so it must hold nothing
            that differs between equal runs.
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = ExecutorClassSpec(executor.Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        *,
        model: BaseChannel,
        blessing: BaseChannel,
        evaluation: BaseChannel,
        examples: BaseChannel,
        schema: BaseChannel,
        releases_dir: str,
        model_name: str,
        keep: int | None,
        provenance: Mapping[str, str | Sequence[str]],
        infra_blessing: BaseChannel | None = None,
    ) -> None:
        arguments: dict[str, Any] = {
            executor.MODEL_KEY: model,
            executor.BLESSING_KEY: blessing,
            executor.EVALUATION_KEY: evaluation,
            executor.EXAMPLES_KEY: examples,
            executor.SCHEMA_KEY: schema,
            executor.RELEASES_DIR_KEY: releases_dir,
            executor.MODEL_NAME_KEY: model_name,
            executor.KEEP_KEY: keep or executor.KEEP_ALL,
            executor.PROVENANCE_KEY: json.dumps(dict(provenance), sort_keys=True),
            # TFX runs a node without an optional input that nobody made, or that is deleted by now.
            executor.SMOKE_CHECKED_KEY: int(infra_blessing is not None),
            executor.PUSHED_MODEL_KEY: Channel(type=standard_artifacts.PushedModel),
        }
        if infra_blessing is not None:
            arguments[executor.INFRA_BLESSING_KEY] = infra_blessing
        super().__init__(spec=PusherSpec(**arguments))
