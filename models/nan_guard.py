"""A stop for trainings that have gone astray."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import tensorflow as tf

from schemas.errors import TrainingError

_SECONDS = 5.0


class NanGuard(tf.keras.callbacks.Callback):
    """Ends the training when the loss is no longer a finite number, looking after each execution.

    Where parameter servers coordinate, a look waits for the workers, and so comes every few seconds only.

    Args:
        steps_per_epoch: steps of an epoch.
        first_step: steps that were made before.

    Raises:
        TrainingError: naming the step, or the steps among which it happened.
    """

    def __init__(self, steps_per_epoch: int, first_step: int = 0) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self._steps_per_epoch = steps_per_epoch
        self._epoch, self._seen, self._looked = 0, first_step, time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the mean loss of the epoch so far, which stays NaN once it is."""
        if isinstance(logs, tf.distribute.experimental.coordinator.RemoteValue):
            if time.monotonic() - self._looked < _SECONDS:
                return
            logs = logs.fetch()
            self._looked = time.monotonic()
        self._look(float(np.asarray((logs or {}).get("loss", 0.0))), self._epoch * self._steps_per_epoch + batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks once more."""
        self._look(float(np.asarray((logs or {}).get("loss", 0.0))), (epoch + 1) * self._steps_per_epoch)

    def _look(self, loss: float, step: int) -> None:
        first, self._seen = min(self._seen + 1, step), step
        if math.isfinite(loss):
            return
        raise TrainingError(
            "The training loss is not a finite number.",
            where=f"Trainer, step {step}" if first == step else f"Trainer, between step {first} and step {step}",
            received=loss,
            fix="Lower training.optimizer.learning_rate, set training.optimizer.clip_norm (1.0 is usual), "
            "or look for infinite values in the features.",
        )
