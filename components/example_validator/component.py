"""The node: statistics and schema in, anomalies out."""

from __future__ import annotations

from tfx.components.example_validator.component import ExampleValidator as TfxExampleValidator
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.channel import BaseChannel, Channel
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.types.standard_component_specs import ExampleValidatorSpec as TfxSpec
from tfx.utils import json_utils

from components.example_validator.comparators import Comparisons
from components.example_validator.executor import COMPARISONS_KEY, DATED_KEY, PREVIOUS_KEY, SERVING_KEY, Executor


class ExampleValidatorSpec(TfxSpec):
    """As TFX's, and what the statistics may be compared with."""

    PARAMETERS = {
        **TfxSpec.PARAMETERS,
        COMPARISONS_KEY: ExecutionParameter(type=str, optional=True),
        DATED_KEY: ExecutionParameter(type=int, optional=True),
    }
    INPUTS = {
        **TfxSpec.INPUTS,
        PREVIOUS_KEY: ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
        SERVING_KEY: ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
    }
    OUTPUTS = TfxSpec.OUTPUTS


class ExampleValidator(TfxExampleValidator):
    """TFX's component with our executor, which also measures drift and skew.

    Outputs:
        anomalies: ExampleAnomalies of each split, as TFX writes them. AnomalyGate judges just these, so what stops a
            run stays in the store and on disk.

    Args:
        statistics: of the run's data.
        schema: what they are held to; its comparators say how far they may be from others.
        previous_statistics: of the span before; there may be none.
        serving_statistics: of rows that predictions were made for, one split.
        comparisons: thresholds beside those of the schema.
        dated: whether spans are days since 1970-01-01, so that messages give dates.
    """

    SPEC_CLASS = ExampleValidatorSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        statistics: BaseChannel,
        schema: BaseChannel,
        *,
        previous_statistics: BaseChannel | None = None,
        serving_statistics: BaseChannel | None = None,
        comparisons: Comparisons | None = None,
        dated: bool = False,
    ) -> None:
        is_compared = previous_statistics is not None or serving_statistics is not None
        spec = ExampleValidatorSpec(
            statistics=statistics,
            schema=schema,
            exclude_splits=json_utils.dumps([]),
            anomalies=Channel(type=standard_artifacts.ExampleAnomalies),
            **{
                PREVIOUS_KEY: previous_statistics,
                SERVING_KEY: serving_statistics,
                COMPARISONS_KEY: (comparisons or Comparisons()).to_json() if is_compared else None,
                DATED_KEY: int(dated) if is_compared else None,
            },
        )
        BaseComponent.__init__(self, spec=spec)
