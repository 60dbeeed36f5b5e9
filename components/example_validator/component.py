"""The node: statistics and schema in, anomalies out."""

from __future__ import annotations

from tfx.components.example_validator.component import ExampleValidator as TfxExampleValidator
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec

from components.example_validator.executor import Executor


class ExampleValidator(TfxExampleValidator):
    """TFX's component with our executor.

    Outputs:
        anomalies: ExampleAnomalies of each split, as TFX writes them. AnomalyGate judges just these, so what stops a
            run stays in the store and on disk.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)
