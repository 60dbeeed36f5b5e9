"""The node: raw examples and a schema in, a transform graph and transformed examples out."""

from __future__ import annotations

from tfx.components.transform.component import Transform as TfxTransform
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec

from components.transform.executor import Executor


class Transform(TfxTransform):
    """TFX's component, inputs, outputs and parameters included, with our executor.

    Outputs:
        transform_graph: TransformGraph, as TFX writes it.
        transformed_examples: Examples with column files (`schemas.column_files`) beside the TFRecords.
    """

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)
