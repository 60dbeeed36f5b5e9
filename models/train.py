"""The training loop."""

from __future__ import annotations

import os
from dataclasses import dataclass

import tensorflow as tf

from configs.training import Training
from models.backup import Backup
from models.early_stopping import BestWeights
from models.feed import Feed
from models.graph_optimization import graph_optimization
from models.head import Head
from models.input_fn import Split
from models.nan_guard import NanGuard
from models.network import Network
from models.optimizer import make_optimizer
from models.plan import Plan
from models.preemption import Preemption
from models.stop_at_step import StopAtStep


@dataclass(frozen=True)
class Trained:
    """What came of a training.

    Attributes:
        history: losses and metrics of each epoch.
        backup: the backups, which can be removed once the model is safe; None where none are made.
    """

    history: tf.keras.callbacks.History
    backup: Backup | None


def train_model(
    model: Network,
    head: Head,
    train: Split,
    evaluation: Split,
    settings: Training,
    run_dir: str,
    backup_dir: str | None = None,
) -> Trained:
    """Compiles and fits the model under the strategy in whose scope it was made.

    Args:
        model: a model whose variables exist.
        head: loss and metrics.
        train: rows to train on.
        evaluation: rows to watch; not trained on.
        settings: batch, steps, optimizer, callbacks.
        run_dir: folder for TensorBoard.
        backup_dir: folder from which an interrupted training goes on; default: `backup` in run_dir.

    Raises:
        TrainingError: the loss is no longer finite, or early stopping monitors what is not there.
        Preempted: the process was asked to end; the state is saved.
    """
    plan = Plan.of(settings, train.rows, tf.distribute.get_strategy().num_replicas_in_sync)
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
    preemption = Preemption()
    stopping = BestWeights(settings.early_stopping) if settings.early_stopping is not None else None
    backup, first_step = None, 0
    if settings.backup:
        folder = backup_dir or os.path.join(run_dir, "backup")
        backup = Backup(folder, settings, plan.steps_per_epoch, stopping, preemption)
        first_step = backup.resume(model, train.spec)
    callbacks: list[tf.keras.callbacks.Callback] = [NanGuard(plan.steps_per_epoch, first_step)]
    if settings.steps is not None:
        callbacks.append(StopAtStep(settings.steps, plan.steps_per_epoch))
    if settings.tensorboard:
        callbacks.append(tf.keras.callbacks.TensorBoard(run_dir, write_graph=False, profile_batch=0))
    callbacks += [one for one in (stopping, backup) if one is not None]
    feed = Feed.to(model, train, evaluation, plan, settings, first_step)
    model.start_at(first_step)
    with graph_optimization(plan.steps), preemption.watched():
        history = model.fit(
            feed.train,
            initial_epoch=first_step // plan.steps_per_epoch,
            epochs=plan.epochs,
            steps_per_epoch=plan.steps_per_epoch,
            validation_data=feed.evaluation,
            validation_steps=feed.evaluation_steps,
            callbacks=callbacks,
            verbose=2,
        )
    return Trained(history, backup)
