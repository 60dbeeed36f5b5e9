"""Backups from which an interrupted training goes on."""

from __future__ import annotations

import logging
import time
from typing import Any

import tensorflow as tf

from models.early_stopping import BestWeights

_LOG = logging.getLogger(__name__)


class Backup(tf.keras.callbacks.Callback):
    """Saves model, optimizer, epoch and early stopping's state after epochs; removes them when training ends.

    It stands in for Keras's BackupAndRestore, which forgets early stopping's best weights, starts the order of rows
    again and refuses OneDeviceStrategy: a training that goes on here ends as one that was not interrupted.

    Args:
        directory: folder of the backup, which must outlive the process.
        seconds: least time between two backups; 0 saves at each epoch.
        stopping: the early stopping to save with it, if there is one.
    """

    def __init__(self, directory: str, seconds: float = 0.0, stopping: BestWeights | None = None) -> None:
        super().__init__()
        self._directory = directory
        self._seconds = seconds
        self._epoch = tf.Variable(0, dtype=tf.int64)
        self._stopping = _StoppingState(stopping)
        self._manager: tf.train.CheckpointManager | None = None
        self._saved_at = time.monotonic()

    def resume(self, model: tf.keras.Model) -> int:
        """Takes up the latest backup.

        Args:
            model: the compiled model, its variables and its optimizer's made.

        Returns:
            The epoch to start with; 0 where there is no backup.
        """
        checkpoint = tf.train.Checkpoint(
            model=model, optimizer=model.optimizer, epoch=self._epoch, stopping=self._stopping
        )
        self._manager = tf.train.CheckpointManager(checkpoint, self._directory, max_to_keep=1)
        if self._manager.latest_checkpoint:
            checkpoint.restore(self._manager.latest_checkpoint).assert_existing_objects_matched()
            _LOG.info(
                "Training goes on at epoch %d, from %s", int(self._epoch.numpy()) + 1, self._manager.latest_checkpoint
            )
        return int(self._epoch.numpy())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves when it is time."""
        # Of a training that is over there is nothing to take up: an older backup ends in the same place.
        over = self.model.stop_training
        if self._manager is None or over or time.monotonic() - self._saved_at < self._seconds:
            return
        self._epoch.assign(epoch + 1)
        self._manager.save()
        self._saved_at = time.monotonic()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Removes the backup: what is trained is in the model."""
        if tf.io.gfile.exists(self._directory):
            tf.io.gfile.rmtree(self._directory)


class _StoppingState(tf.train.experimental.PythonState):
    """Early stopping as a checkpoint sees it."""

    def __init__(self, stopping: BestWeights | None) -> None:
        super().__init__()
        self._stopping = stopping

    def serialize(self) -> bytes:
        return self._stopping.to_bytes() if self._stopping is not None else b""

    def deserialize(self, state: bytes) -> None:
        if self._stopping is not None and state:
            self._stopping.from_bytes(state)
