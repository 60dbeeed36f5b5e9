"""Backups from which an interrupted training goes on."""

from __future__ import annotations

import logging
import tempfile
import time
from typing import Any

import tensorflow as tf

from configs.training import Training
from models.agreement import Agreement
from models.backup_identity import BackupIdentity
from models.early_stopping import BestWeights
from models.finite import require_finite
from models.input_fn import Split
from models.plan import Plan
from models.preemption import Preempted, Preemption

_LOG = logging.getLogger(__name__)


class Backup(tf.keras.callbacks.Callback):
    """Saves model, optimizer, step and early stopping's state, after executions and after epochs.

    It stands in for Keras's BackupAndRestore, which forgets early stopping's best weights, starts the order of rows
    again and refuses OneDeviceStrategy: a training that goes on here ends as one that was not interrupted. All
    processes of a training save at the same step; the chief's files count. A save replaces an older one only when it is
    whole.

    Args:
        directory: folder of the backups, which must outlive the process, and which all processes share.
        settings: how often to save, and how many to keep.
        plan: batches and steps.
        stopping: the early stopping to save with it, if there is one.
        preemption: a wish to end, which is looked at after each execution.

    Raises:
        Preempted: the wish has come to one of the processes, and the state is saved.
        TrainingError: the weights are no longer finite; the backups that there are stay.
    """

    def __init__(
        self,
        directory: str,
        settings: Training,
        plan: Plan,
        stopping: BestWeights | None = None,
        preemption: Preemption | None = None,
    ) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self._directory, self._settings, self._plan = directory, settings, plan
        self._stopping = _StoppingState(stopping)
        self._preemption = preemption or Preemption()
        self._agreement = Agreement()
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._saves_for_all = bool(tf.distribute.get_strategy().extended.should_checkpoint)
        self._epoch, self._saved_step, self._saved_at = 0, 0, time.monotonic()

    def resume(self, model: tf.keras.Model, train: Split) -> int:
        """Takes up the latest backup.

        Args:
            model: the compiled model, its variables and its optimizer's made.
            train: the rows that it is trained on.

        Returns:
            The step to start with; 0 where there is no backup.

        Raises:
            TrainingError: the backup is of another training: other variables, data, batch or strategy.
        """
        self._checkpoint = tf.train.Checkpoint(
            model=model, optimizer=model.optimizer, step=self._step, stopping=self._stopping
        )
        # All processes save, because variables may be put together from all of them; only the chief's files stay.
        own = self._directory if self._saves_for_all else tempfile.mkdtemp(prefix="backup-")
        self._manager = tf.train.CheckpointManager(self._checkpoint, own, max_to_keep=self._settings.backup_keep)
        latest = tf.train.latest_checkpoint(self._directory)
        self._identity = BackupIdentity.of(
            model, train.spec, self._settings, self._plan, train.rows, in_memory=train.columns is not None
        )
        if latest:
            self._identity.check(self._directory)
            self._checkpoint.restore(latest).assert_existing_objects_matched()
            self._saved_step = int(self._step.numpy())
            _LOG.info("Training goes on after step %d, from %s", self._saved_step, latest)
        elif self._saves_for_all and tf.io.gfile.isdir(self._directory):
            tf.io.gfile.rmtree(self._directory)  # what a training left that was killed before its first save was whole
        return self._saved_step

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves when it is time. The last execution of an epoch is left to `on_epoch_end`, which knows the metrics."""
        # A training that is over has nothing to take up: an older backup ends in the same place.
        if batch + 1 < self._plan.steps_per_epoch and not self.model.stop_training:
            self._save_if_due(self._epoch * self._plan.steps_per_epoch + batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves when it is time."""
        if not self.model.stop_training:
            self._save_if_due((epoch + 1) * self._plan.steps_per_epoch)

    def remove(self) -> None:
        """Removes the backups, for the time when what was trained is safe elsewhere."""
        if tf.io.gfile.exists(self._manager.directory):
            tf.io.gfile.rmtree(self._manager.directory)

    def _save_if_due(self, step: int) -> None:
        due, preempted = self._agreement.any(self._is_due(step), self._preemption.is_wanted)
        if due or preempted:
            self._save(step)
        if preempted:
            raise Preempted(step)

    def _is_due(self, step: int) -> bool:
        if self._settings.backup_steps is not None:
            return step // self._settings.backup_steps > self._saved_step // self._settings.backup_steps
        return self._saves_for_all and time.monotonic() - self._saved_at >= self._settings.backup_seconds

    def _save(self, step: int) -> None:
        self.model.join()
        require_finite(self.model, step)
        self._step.assign(step)
        if self._saves_for_all:
            self._identity.write(self._directory)
        self._manager.save()
        self._saved_step, self._saved_at = step, time.monotonic()


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
