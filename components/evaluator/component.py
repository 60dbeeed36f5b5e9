"""Evaluator: computes metrics, compares with the latest blessed model, and blesses or refuses the model."""

from __future__ import annotations

from typing import Any

from tensorflow_model_analysis.proto.config_pb2 import EvalConfig
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.types import standard_artifacts, standard_component_specs
from tfx.types.channel import BaseChannel, Channel
from tfx.types.component_spec import ExecutionParameter
from tfx.utils import json_utils

from components.evaluator.executor import FORCE_BLESS_KEY, LABEL_KEY, Executor


class EvaluatorSpec(standard_component_specs.EvaluatorSpec):
    """TFX's Evaluator and two parameters more."""

    PARAMETERS = {
        **standard_component_specs.EvaluatorSpec.PARAMETERS,
        FORCE_BLESS_KEY: ExecutionParameter(type=str, optional=True),
        LABEL_KEY: ExecutionParameter(type=str),
    }


class Evaluator(BaseBeamComponent):
    """Evaluates a model on the examples' eval split.

    Outputs:
        evaluation: ModelEvaluation: TFMA's result (`tfma.load_eval_result`), `metrics.json` and `blessing.json`.
        blessing: ModelBlessing, as TFX writes it; its custom property `baseline` is the baseline's URI or `none`,
            `forced` the reason for a forced blessing, and `label` the parameter.

    Args:
        examples: raw Examples.
        model: the candidate.
        eval_config: from `pipeline.evaluation`; it holds at least one threshold.
        label: fingerprint of the label that the model predicts; LatestBlessed looks for it.
        baseline_model: the latest blessed model; the channel may turn out empty, which is the first run.
        force_bless: a reason for blessing the model although thresholds fail; empty: the thresholds decide.
        split: the split that is evaluated.
    """

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        model: BaseChannel,
        eval_config: EvalConfig,
        label: str,
        baseline_model: BaseChannel | None = None,
        force_bless: str = "",
        split: str = "eval",
    ) -> None:
        arguments: dict[str, Any] = {
            standard_component_specs.EXAMPLES_KEY: examples,
            standard_component_specs.MODEL_KEY: model,
            standard_component_specs.BASELINE_MODEL_KEY: baseline_model,
            standard_component_specs.EVAL_CONFIG_KEY: eval_config,
            # TFX reads the two lists as JSON text, also when they are not given.
            standard_component_specs.EXAMPLE_SPLITS_KEY: json_utils.dumps([split]),
            standard_component_specs.FAIRNESS_INDICATOR_THRESHOLDS_KEY: json_utils.dumps(None),
            standard_component_specs.EVALUATION_KEY: Channel(type=standard_artifacts.ModelEvaluation),
            standard_component_specs.BLESSING_KEY: Channel(type=standard_artifacts.ModelBlessing),
            FORCE_BLESS_KEY: force_bless,
            LABEL_KEY: label,
        }
        super().__init__(spec=EvaluatorSpec(**arguments))
