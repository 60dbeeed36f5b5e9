"""StatisticsGen: examples in, statistics of each split out."""

from __future__ import annotations

from tfx.components.statistics_gen import component
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec

from components.statistics_gen.executor import Executor


class StatisticsGen(component.StatisticsGen):
    """TFX's StatisticsGen, inputs, outputs and parameters included, with our executor.

    Outputs:
        statistics: ExampleStatistics of each split, as TFX writes them.
    """

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)
