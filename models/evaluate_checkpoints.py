"""What the evaluator of a cluster does."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

import tensorflow as tf

from configs.training import Training
from models.compiled import compile_model
from models.head import Head
from models.input_fn import Split, evaluation_dataset
from models.network import Network
from models.plan import Plan
from models.preemption import Preemption

_LOG = logging.getLogger(__name__)
_BATCH = 8192
_SECONDS = 2.0
_DONE = "done"
_NO_TRAINING = Plan(batch_size=_BATCH, steps_per_epoch=1, epochs=1, steps=1, steps_per_execution=1)


def is_done(cluster_dir: str | None) -> bool:
    """Whether the training is over: a file named `done` lies in the folder that its tasks share."""
    return cluster_dir is not None and tf.io.gfile.exists(os.path.join(cluster_dir, _DONE))


def evaluate_checkpoints(
    model: Network,
    head: Head,
    evaluation: Split,
    settings: Training,
    backup_dir: str,
    run_dir: str,
    is_over: Callable[[], bool],
) -> int:
    """Evaluates each new backup of a training that goes on elsewhere, for TensorBoard: one scalar a metric and step.

    Averages of the weights, where the training makes them, are what is evaluated. A backup that is removed while it is
    read, because newer ones have come, is passed over.

    Args:
        model: a model as it is trained, its variables made.
        head: loss and metrics.
        evaluation: the rows.
        settings: those of the training.
        backup_dir: folder of the backups.
        run_dir: folder of TensorBoard; the scalars go to `evaluator` in it.
        is_over: whether to stop, asked every few seconds while no new backup comes. SIGTERM stops it, too.

    Returns:
        Number of backups that were evaluated.
    """
    compile_model(model, head, settings, _NO_TRAINING)
    rows = evaluation_dataset(evaluation, _BATCH)
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    writer = tf.summary.create_file_writer(os.path.join(run_dir, "evaluator"))
    preemption, evaluated = Preemption(), 0
    with preemption.watched(), writer.as_default():
        found = tf.train.checkpoints_iterator(
            backup_dir, timeout=_SECONDS, timeout_fn=lambda: preemption.is_wanted or is_over()
        )
        for path in found:
            if preemption.is_wanted:
                break
            try:
                _restore(path, model, step)
            except (tf.errors.OpError, ValueError) as error:
                _LOG.info("%s is passed over: %s", path, error)
                continue
            metrics = model.evaluate(rows, verbose=0, return_dict=True)
            for name, value in metrics.items():
                tf.summary.scalar(name, value, step=step)
            writer.flush()
            evaluated += 1
            said = ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
            _LOG.info("Step %d, eval split: %s", int(step.numpy()), said)
    return evaluated


def _restore(path: str, model: Network, step: tf.Variable) -> None:
    status = tf.train.Checkpoint(model=model, step=step).restore(path)
    status.assert_existing_objects_matched().expect_partial()
    if model.optimizer.use_ema:
        tf.train.Checkpoint(optimizer=model.optimizer).restore(path).expect_partial()
        model.optimizer.finalize_variable_values(model.trainable_variables)
