"""A stop for trainings that have gone astray."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from schemas.errors import TrainingError


class NanGuard(tf.keras.callbacks.Callback):
    """Ends the training when the loss is no longer a finite number, looking after each execution.

    Args:
        steps_per_execution: steps between two looks; default 1.

    Raises:
        TrainingError: naming the step, or the steps among which it happened.
    """

    def __init__(self, steps_per_execution: int = 1) -> None:
        super().__init__()
        self._several = steps_per_execution

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the mean loss of the epoch so far, which stays NaN once it is."""
        loss = float(np.asarray((logs or {}).get("loss", 0.0)))
        if math.isfinite(loss):
            return
        last = int(self.model.optimizer.iterations.numpy())
        first = max(1, last - self._several + 1)
        raise TrainingError(
            "The training loss is not a finite number.",
            where=f"Trainer, step {last}" if first == last else f"Trainer, between step {first} and step {last}",
            received=loss,
            fix="Lower training.optimizer.learning_rate, set training.optimizer.clip_norm (1.0 is usual), "
            "or look for infinite values in the features.",
        )
