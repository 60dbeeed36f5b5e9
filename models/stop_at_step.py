"""The end of a training that is counted in steps."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class StopAtStep(tf.keras.callbacks.Callback):
    """Ends the training after a number of steps, also within an epoch.

    Args:
        steps: the number, over all epochs.
        steps_per_epoch: steps of an epoch.
    """

    def __init__(self, steps: int, steps_per_epoch: int) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self._steps, self._steps_per_epoch = steps, steps_per_epoch
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stops when the number is reached."""
        if self._epoch * self._steps_per_epoch + batch + 1 >= self._steps:
            self.model.stop_training = True
