"""A training, by Keras's loop or by ours."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass

import tensorflow as tf

from configs.training import Training
from models.averaged_weights import AveragedWeights
from models.backup import Backup
from models.compiled import compile_model
from models.custom_loop import CustomLoop
from models.early_stopping import BestWeights
from models.execution_trace import TRACED, ExecutionTrace
from models.feed import Feed
from models.finite import require_finite
from models.graph_optimization import graph_optimization
from models.head import Head
from models.input_fn import Split
from models.nan_guard import NanGuard
from models.network import Network
from models.plan import Plan
from models.preemption import Preemption
from models.step_log import StepLog
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
    """Compiles and trains the model under the strategy in whose scope it was made.

    Args:
        model: a model whose variables exist.
        head: loss and metrics.
        train: rows to train on.
        evaluation: rows to watch; not trained on.
        settings: batch, steps, optimizer, loop, callbacks.
        run_dir: folder for TensorBoard.
        backup_dir: folder from which an interrupted training goes on; default: `backup` in run_dir.

    Raises:
        TrainingError: loss or weights are no longer finite, or early stopping monitors what is not there.
        Preempted: the process was asked to end; the state is saved.
    """
    plan = Plan.of(settings, train.rows, tf.distribute.get_strategy().num_replicas_in_sync, _workers())
    compile_model(model, head, settings, plan)
    preemption = Preemption()
    stopping = BestWeights(settings.early_stopping, run_dir) if settings.early_stopping is not None else None
    backup, first_step = None, 0
    if settings.backup:
        backup = Backup(backup_dir or default_backup_dir(run_dir), settings, plan, stopping, preemption)
        first_step = backup.resume(model, train)
    feed = Feed.to(model, train, evaluation, plan, settings, first_step)
    callbacks: list[tf.keras.callbacks.Callback] = [NanGuard(plan.steps_per_epoch, first_step, feed.rows)]
    if settings.loop == "custom":
        callbacks.append(StepLog(settings.log_steps, plan, first_step, run_dir if settings.tensorboard else None))
    if settings.steps is not None:
        callbacks.append(StopAtStep(settings.steps, plan.steps_per_epoch, first_step))
    if settings.tensorboard:
        callbacks.append(tf.keras.callbacks.TensorBoard(run_dir, write_graph=False, profile_batch=0))
    averaged = AveragedWeights() if settings.optimizer.ema is not None else None
    callbacks += [one for one in (stopping, averaged, backup) if one is not None]
    if TRACED.get():
        callbacks.append(ExecutionTrace(run_dir))
    with graph_optimization(plan.steps), preemption.watched() if backup else nullcontext():
        if settings.loop == "custom":
            history = CustomLoop(model, feed, plan, first_step).run(callbacks)
        else:
            history = _fit(model, feed, plan, first_step, callbacks)
    require_finite(model, int(model.optimizer.iterations.numpy()))
    return Trained(history, backup)


def _workers() -> int:
    """Workers of a parameter-server training; 1 elsewhere."""
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.experimental.ParameterServerStrategy):
        return 1
    return len(strategy._cluster_resolver.cluster_spec().task_indices("worker"))  # the public property is None


def default_backup_dir(run_dir: str) -> str:
    """Folder of the backups where none is given."""
    return os.path.join(run_dir, "backup")


def _fit(
    model: Network, feed: Feed, plan: Plan, first_step: int, callbacks: list[tf.keras.callbacks.Callback]
) -> tf.keras.callbacks.History:
    model.start_at(first_step)
    return model.fit(
        feed.train,
        initial_epoch=first_step // plan.steps_per_epoch,
        epochs=plan.epochs,
        steps_per_epoch=plan.steps_per_epoch,
        validation_data=feed.evaluation,
        validation_steps=feed.evaluation_steps,
        callbacks=callbacks,
        verbose=2,
    )
