"""Trainer: TFX's, whose run_fn is told where an interrupted training can be taken up."""

from __future__ import annotations

from tfx.components.trainer import component
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec

from components.trainer.executor import Executor


class Trainer(component.Trainer):
    """TFX's Trainer, inputs, outputs and parameters included, with our executor."""

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)
