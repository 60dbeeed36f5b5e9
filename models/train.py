"""The training loop."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import tensorflow as tf

from configs.settings import Training
from models.callbacks import make_callbacks
from models.head import Head
from models.input_fn import Split, evaluation_dataset, training_dataset
from models.optimizer import make_optimizer

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """How far a training goes.

    Attributes:
        batch_size: examples a step, over all replicas.
        steps_per_epoch: full batches in the train split.
        epochs: epochs, the last of which may stop early.
        steps: steps in all.
        steps_per_execution: steps between two returns to Python; a divisor of steps_per_epoch.
    """

    batch_size: int
    steps_per_epoch: int
    epochs: int
    steps: int
    steps_per_execution: int

    @classmethod
    def of(cls, settings: Training, rows: int) -> Plan:
        """The plan for so many rows: `training.steps`, where given, wins over `training.epochs`."""
        batch_size = min(settings.batch_size, rows)
        if batch_size < settings.batch_size:
            _LOG.warning("The train split has %d rows: the batch is as large, not training.batch_size", rows)
        steps_per_epoch = rows // batch_size
        steps = settings.steps or settings.epochs * steps_per_epoch
        return cls(
            batch_size,
            min(steps, steps_per_epoch),
            math.ceil(steps / steps_per_epoch),
            steps,
            min(settings.steps_per_execution, steps_per_epoch, steps),
        )


def train_model(
    model: tf.keras.Model,
    head: Head,
    train: Split,
    evaluation: Split,
    settings: Training,
    run_dir: str,
    backup_dir: str | None = None,
) -> tf.keras.callbacks.History:
    """Compiles and fits the model.

    Args:
        model: a model whose variables exist.
        head: loss and metrics.
        train: rows to train on.
        evaluation: rows to watch; not trained on.
        settings: batch, steps, optimizer, callbacks.
        run_dir: folder for TensorBoard.
        backup_dir: folder of the backup from which an interrupted training goes on; default: in run_dir.

    Returns:
        Losses and metrics of each epoch.

    Raises:
        TrainingError: the loss is no longer finite.
    """
    plan = Plan.of(settings, train.rows)
    model.compile(
        optimizer=make_optimizer(settings.optimizer, plan.steps),
        loss=head.loss(),
        metrics=head.metrics(),
        weighted_metrics=[],
        steps_per_execution=plan.steps_per_execution,
        jit_compile=settings.xla,
    )
    return model.fit(
        training_dataset(train, plan.batch_size, seed=settings.seed, shuffle_buffer=settings.shuffle_buffer),
        epochs=plan.epochs,
        steps_per_epoch=plan.steps_per_epoch,
        validation_data=evaluation_dataset(evaluation, max(plan.batch_size, 1024)),
        callbacks=make_callbacks(settings, run_dir, backup_dir),
        verbose=2,
    )
