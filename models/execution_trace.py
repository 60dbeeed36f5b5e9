"""TensorFlow's own profile of a training."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

_LOG = logging.getLogger(__name__)

TRACED: ContextVar[bool] = ContextVar("traced", default=False)
"""Whether trainings in this context are traced. How a run is watched is no setting: it would have to retrain."""

TRACE_KEY = "trace"
"""The same in FnArgs' custom_config, for tasks of a cluster."""

_FIRST, _LAST = 2, 4


class ExecutionTrace(tf.keras.callbacks.Callback):
    """Traces executions 2 to 4 of this process, and what happens between them, for TensorBoard's profile plugin.

    In the first one the graphs are made. The trace lies in `plugins/profile` of the folder.

    Args:
        run_dir: folder of TensorBoard.
    """

    def __init__(self, run_dir: str) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self._run_dir = run_dir
        self._executions = 0
        self._is_on = False

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Begins when it is time."""
        self._executions += 1
        if self._executions == _FIRST:
            try:
                tf.profiler.experimental.start(self._run_dir)
                self._is_on = True
            except tf.errors.AlreadyExistsError:
                _LOG.warning("The training is not traced: another profile of this process is being made.")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Ends when it is time."""
        if self._executions == _LAST:
            self._stop()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Ends in any case."""
        self._stop()
        if self._executions < _FIRST:
            _LOG.warning(
                "The training is not traced: it made one execution only. A smaller training.steps_per_execution "
                "gives more."
            )

    def _stop(self) -> None:
        if self._is_on:
            self._is_on = False
            try:
                tf.profiler.experimental.stop()
            except tf.errors.OpError as error:  # the training is worth more than its trace
                _LOG.warning("The trace could not be written: %s", error)
