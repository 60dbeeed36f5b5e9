"""What the custom loop tells between two epochs."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

import numpy as np
import tensorflow as tf

from models.custom_step import GRADIENT_NORM, LOSS
from models.plan import Plan

_LOG = logging.getLogger(__name__)


class StepLog(tf.keras.callbacks.Callback):
    """Logs loss, learning rate, norm of the gradients and examples a second every so many steps, for TensorBoard too.

    Loss and norm, before clipping, are those of the newest step.

    Args:
        every: least steps between two lines.
        plan: steps and batch.
        first_step: steps that were made before.
        run_dir: folder of TensorBoard; default: for the log only.
    """

    def __init__(self, every: int, plan: Plan, first_step: int = 0, run_dir: str | None = None) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self._every, self._plan = every, plan
        self._epoch, self._logged, self._since = 0, first_step, time.monotonic()
        self._writer = None
        if run_dir is not None and tf.distribute.get_strategy().extended.should_save_summary:
            self._writer = tf.summary.create_file_writer(os.path.join(run_dir, "train"))

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Logs when it is time."""
        step = self._epoch * self._plan.steps_per_epoch + batch + 1
        if step // self._every == self._logged // self._every:
            return
        found = logs.fetch() if hasattr(logs, "fetch") else logs  # from a worker
        values = {
            "loss": float(np.asarray(found[LOSS])),
            "learning_rate": float(tf.convert_to_tensor(self.model.optimizer.learning_rate)),  # a copy on each device
            "gradient_norm": float(np.asarray(found[GRADIENT_NORM])),
        }
        now = time.monotonic()
        values["examples_per_second"] = (step - self._logged) * self._plan.batch_size / max(now - self._since, 1e-9)
        self._logged, self._since = step, now
        _LOG.info("Step %d: %s", step, ", ".join(f"{name} {value:.4g}" for name, value in values.items()))
        if self._writer is not None:
            with self._writer.as_default(step):
                for name, value in values.items():
                    tf.summary.scalar(name, value)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the file."""
        if self._writer is not None:
            self._writer.close()
