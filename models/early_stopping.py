"""Early stopping whose state survives an interruption."""

from __future__ import annotations

import io
import logging
import os
from typing import Any

import numpy as np
import tensorflow as tf

from configs.training import STOPPED_FILE, EarlyStopping
from schemas.counted import counted
from schemas.errors import TrainingError

_LOG = logging.getLogger(__name__)


class BestWeights(tf.keras.callbacks.EarlyStopping):
    """Stops when the monitored metric no longer improves; ends with the weights of the best epoch in any case.

    Args:
        settings: metric, patience and least improvement.
        run_dir: folder that gets STOPPED_FILE, a sentence about it, when it stops the training.
    """

    def __init__(self, settings: EarlyStopping, run_dir: str) -> None:
        super().__init__(
            monitor=settings.monitor,
            patience=settings.patience,
            min_delta=settings.min_delta,
            restore_best_weights=True,
        )
        self._run_dir = run_dir
        self._resumed = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts anew, unless the training goes on."""
        if not self._resumed:
            super().on_train_begin(logs)

    def get_monitor_value(self, logs: dict[str, Any] | None) -> Any:
        """The metric of this epoch.

        Raises:
            TrainingError: there is no such metric.
        """
        if self.monitor not in (logs or {}):
            raise TrainingError(
                f"There is no metric {self.monitor!r} to stop early by.",
                where="training.early_stopping.monitor",
                received=self.monitor,
                fix=f"Choose one of: {', '.join(logs or {})}.",
            )
        return super().get_monitor_value(logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Says so when the training ends here."""
        super().on_epoch_end(epoch, logs)
        if self.stopped_epoch == epoch > 0:
            text = (
                f"Stopped early, after epoch {epoch + 1}: {self.monitor} has not improved for "
                f"{counted(self.wait, 'epoch')} (training.early_stopping.patience). "
                f"The weights are those of epoch {self.best_epoch + 1}."
            )
            _LOG.info("%s", text)
            tf.io.gfile.makedirs(self._run_dir)
            with tf.io.gfile.GFile(os.path.join(self._run_dir, STOPPED_FILE), "w") as file:
                file.write(text)

    def to_bytes(self) -> bytes:
        """Best value, best weights and patience used so far."""
        buffer = io.BytesIO()
        weights = self.best_weights or []
        arrays = {f"weight_{index}": weight for index, weight in enumerate(weights)}
        np.savez(buffer, best=self.best, wait=self.wait, best_epoch=self.best_epoch, **arrays)
        return buffer.getvalue()

    def from_bytes(self, state: bytes) -> None:
        """Takes up what `to_bytes` gave."""
        super().on_train_begin()
        with np.load(io.BytesIO(state)) as arrays:
            self.best, self.wait = float(arrays["best"]), int(arrays["wait"])
            self.best_epoch = int(arrays["best_epoch"])
            count = sum(1 for name in arrays.files if name.startswith("weight_"))
            self.best_weights = [arrays[f"weight_{index}"] for index in range(count)] or None
        self._resumed = True
