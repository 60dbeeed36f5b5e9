"""What watches a training."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import tensorflow as tf

from configs.settings import Training
from schemas.errors import TrainingError


class NanGuard(tf.keras.callbacks.Callback):
    """Ends the training when the loss is no longer a finite number.

    Raises:
        TrainingError: naming the step.
    """

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the loss after each execution (`training.steps_per_execution` steps)."""
        loss = float(np.asarray((logs or {}).get("loss", 0.0)))
        if math.isfinite(loss):
            return
        step = int(self.model.optimizer.iterations.numpy())
        raise TrainingError(
            "The training loss is not a finite number.",
            where=f"Trainer, step {step}",
            received=loss,
            fix="Lower training.optimizer.learning_rate, set training.optimizer.clip_norm (1.0 is usual), "
            "or look for infinite values in the features.",
        )


class StopAtStep(tf.keras.callbacks.Callback):
    """Ends the training after a number of steps, also within an epoch.

    Args:
        steps: the number of steps.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = steps

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts with the optimizer, so that a training that was interrupted stops at the same step."""
        if int(self.model.optimizer.iterations.numpy()) >= self._steps:
            self.model.stop_training = True


def make_callbacks(
    settings: Training, run_dir: str, backup_dir: str | None = None
) -> list[tf.keras.callbacks.Callback]:
    """The callbacks of the settings.

    Args:
        settings: which of them.
        run_dir: folder of the execution's logs; TensorBoard reads it.
        backup_dir: folder of the backup; default: `backup` in run_dir.
    """
    found: list[tf.keras.callbacks.Callback] = [NanGuard()]
    if settings.steps is not None:
        found.append(StopAtStep(settings.steps))
    if settings.early_stopping is not None:
        found.append(
            tf.keras.callbacks.EarlyStopping(
                monitor=settings.early_stopping.monitor,
                patience=settings.early_stopping.patience,
                min_delta=settings.early_stopping.min_delta,
                restore_best_weights=True,
            )
        )
    if settings.tensorboard:
        found.append(tf.keras.callbacks.TensorBoard(run_dir, write_graph=False, profile_batch=0))
    if settings.backup:
        found.append(tf.keras.callbacks.BackupAndRestore(backup_dir or os.path.join(run_dir, "backup")))
    return found
