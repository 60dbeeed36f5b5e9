"""The end of a training that is counted in steps."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class StopAtStep(tf.keras.callbacks.Callback):
    """Ends the training after a number of steps, also within an epoch, and shortens the last execution for that.

    Args:
        steps: the number, over all epochs.
        steps_per_epoch: steps of an epoch.
        first_step: steps that have been trained already.
    """

    def __init__(self, steps: int, steps_per_epoch: int, first_step: int = 0) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self._steps, self._steps_per_epoch, self._first_step = steps, steps_per_epoch, first_step
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch
        self._made(max(epoch * self._steps_per_epoch, self._first_step))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stops when the number is reached."""
        self._made(self._epoch * self._steps_per_epoch + batch + 1)

    def _made(self, steps: int) -> None:
        left = self._steps - steps
        if left <= 0:
            self.model.stop_training = True
        elif left < int(self.model._steps_per_execution.numpy()):
            self.model._steps_per_execution.assign(left)  # Keras reads it before each execution
