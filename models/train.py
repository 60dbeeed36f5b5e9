"""The training loop."""

from __future__ import annotations

import os

import tensorflow as tf

from configs.training import Training
from models.backup import Backup
from models.early_stopping import BestWeights
from models.graph_optimization import graph_optimization
from models.head import Head
from models.input_fn import Split, evaluation_dataset, training_dataset
from models.nan_guard import NanGuard
from models.optimizer import make_optimizer
from models.plan import Plan
from models.stop_at_step import StopAtStep

_LEAST_EVALUATION_BATCH = 8192


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
        backup_dir: folder from which an interrupted training goes on; default: `backup` in run_dir.

    Returns:
        Losses and metrics of each epoch.

    Raises:
        TrainingError: the loss is no longer finite, or early stopping monitors what is not there.
    """
    plan = Plan.of(settings, train.rows)
    model.compile(
        optimizer=make_optimizer(settings.optimizer, plan.steps),
        loss=head.loss(settings.loss),
        metrics=head.metrics(),
        weighted_metrics=[],
        steps_per_execution=plan.steps_per_execution,
        jit_compile=settings.xla,
    )
    # Otherwise the first step is traced twice, the second time to do without making the optimizer's variables; and a
    # backup could not be restored into them.
    model.optimizer.build(model.trainable_variables)
    callbacks: list[tf.keras.callbacks.Callback] = [NanGuard(plan.steps_per_execution)]
    if settings.steps is not None:
        callbacks.append(StopAtStep(settings.steps))
    if settings.tensorboard:
        callbacks.append(tf.keras.callbacks.TensorBoard(run_dir, write_graph=False, profile_batch=0))
    stopping = BestWeights(settings.early_stopping) if settings.early_stopping is not None else None
    if stopping is not None:
        callbacks.append(stopping)
    first_epoch = 0
    if settings.backup:
        backup = Backup(backup_dir or os.path.join(run_dir, "backup"), settings.backup_seconds, stopping)
        first_epoch = backup.resume(model)
        callbacks.append(backup)
    rows = training_dataset(
        train, plan.batch_size, seed=settings.seed, shuffle_buffer=settings.shuffle_buffer, first_epoch=first_epoch
    )
    with graph_optimization(plan.steps):
        return model.fit(
            rows,
            initial_epoch=first_epoch,
            epochs=plan.epochs,
            steps_per_epoch=plan.steps_per_epoch,
            validation_data=evaluation_dataset(evaluation, max(plan.batch_size, _LEAST_EVALUATION_BATCH)),
            callbacks=callbacks,
            verbose=2,
        )
