"""The end of a training that is counted in steps."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class StopAtStep(tf.keras.callbacks.Callback):
    """Ends the training after a number of steps, also within an epoch.

    Args:
        steps: the number; the optimizer counts, so that a training that was interrupted stops at the same step.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = steps

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stops when the number is reached."""
        if int(self.model.optimizer.iterations.numpy()) >= self._steps:
            self.model.stop_training = True
