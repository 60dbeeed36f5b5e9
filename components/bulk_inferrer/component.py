"""BulkInferrer: predictions of a model for all rows of examples."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.types import standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.types.channel import BaseChannel, Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.bulk_inferrer.executor import INFERENCE_KEY, MODEL_NAME_KEY, RELEASES_DIR_KEY, Executor
from configs.inference import Inference
from schemas.features import Dtype


class BulkInferrerSpec(ComponentSpec):
    """Inputs, outputs and parameters of BulkInferrer."""

    PARAMETERS = {
        INFERENCE_KEY: ExecutionParameter(type=str),
        RELEASES_DIR_KEY: ExecutionParameter(type=str),
        MODEL_NAME_KEY: ExecutionParameter(type=str),
    }
    INPUTS = {
        keys.EXAMPLES_KEY: ChannelParameter(type=standard_artifacts.Examples),
        # The executor says what to do where there is none.
        keys.MODEL_KEY: ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS = {keys.INFERENCE_RESULT_KEY: ChannelParameter(type=standard_artifacts.InferenceResult)}


class BulkInferrer(BaseBeamComponent):
    """Asks a signature of the model for predictions, whole batches at a time, in one stage on any engine of Beam.

    TFX's own BulkInferrer writes a PredictionLog for each row: the whole example, and the outputs as tensor protos, in
    any order. Here a row of the result is the id of the row, the columns that are wanted beside it, and the prediction.

    Outputs:
        inference_result: InferenceResult: a file for each shard of the examples, its rows in their order, and the
            `Manifest` of `components.bulk_inferrer.manifest`. Custom properties: `rows`, `span`.

    Args:
        examples: of InferenceExampleGen.
        model: the channel may turn out empty; then the run ends with an error that says so.
        inference: the signature, its outputs and the format; its other settings are not looked at.
        columns: raw columns that the examples have for the model.
        id_columns: raw columns that are copied, with their types.
        named: columns that a lone output `predictions` becomes, from `schemas.prediction_columns`.
        classes: names of the classes, of a model that predicts classes.
        releases_dir: folder of all released models, in which the model is looked for.
        model_name: name under which it is released.
    """

    SPEC_CLASS = BulkInferrerSpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(
        self,
        *,
        examples: BaseChannel,
        model: BaseChannel,
        inference: Inference,
        columns: Collection[str],
        id_columns: Mapping[str, Dtype],
        named: Sequence[str],
        classes: Sequence[str],
        releases_dir: str,
        model_name: str,
    ) -> None:
        options = {
            "signature": inference.signature,
            "outputs": list(inference.outputs),
            "format": inference.format,
            "columns": sorted(columns),
            "id_columns": dict(id_columns),
            "named": list(named),
            "classes": list(classes),
        }
        arguments: dict[str, Any] = {
            keys.EXAMPLES_KEY: examples,
            keys.MODEL_KEY: model,
            INFERENCE_KEY: json.dumps(options),
            RELEASES_DIR_KEY: releases_dir,
            MODEL_NAME_KEY: model_name,
            keys.INFERENCE_RESULT_KEY: Channel(type=standard_artifacts.InferenceResult),
        }
        super().__init__(spec=BulkInferrerSpec(**arguments))
