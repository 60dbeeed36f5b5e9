"""What TensorFlow may take of the machine."""

from __future__ import annotations

import logging
import os

import tensorflow as tf

from configs.training import Device, Training
from distribution.membership import Membership
from schemas.errors import TrainingError

_LOG = logging.getLogger(__name__)


def share_gpus(training: Training, own: Membership) -> None:
    """Leaves a task `training.devices` GPUs of its machine; workers that one machine starts have different ones.

    Raises:
        TrainingError: there are fewer than asked for.
    """
    found = tf.config.list_physical_devices("GPU")
    together = training.cluster.launcher == "local" and own.task.role == "worker"
    if training.devices is None and not (found and together):
        return
    number = training.devices or max(1, len(found) // own.cluster.number("worker"))
    first = own.task.index * number if together else 0
    chosen = found[first : first + number]
    if training.devices is not None and len(chosen) < training.devices and own.task.role not in ("ps", "evaluator"):
        raise TrainingError(
            f"{own.task} wants {training.devices} GPUs of its own, and finds {len(chosen)}.",
            where="training.devices",
            received=f"{training.devices}, with {len(found)} GPUs on the machine",
            fix="Lower training.devices or training.cluster.workers, or leave training.devices out.",
        )
    tf.config.set_visible_devices(chosen, "GPU")


def configure_device(settings: Device, *, intra_op: int | None = None, inter_op: int | None = None) -> None:
    """Sets thread pools, GPU memory and the log of placements. It must come before TensorFlow's first operation.

    Args:
        settings: of the training; what they leave open is TensorFlow's choice, or:
        intra_op: threads within an operation.
        inter_op: operations at the same time.

    Raises:
        TrainingError: TensorFlow has run already with other thread pools or another rule for GPU memory.
    """
    intra_op = settings.intra_op_threads or intra_op
    inter_op = settings.inter_op_threads or inter_op
    if intra_op is None and inter_op is None and not tf.config.list_physical_devices("GPU"):
        tf.debugging.set_log_device_placement(settings.log_placement)
        return
    try:
        if intra_op is not None:
            tf.config.threading.set_intra_op_parallelism_threads(intra_op)
        if inter_op is not None:
            tf.config.threading.set_inter_op_parallelism_threads(inter_op)
        for gpu in tf.config.list_physical_devices("GPU"):
            if settings.memory_limit_mb is not None:
                limit = tf.config.LogicalDeviceConfiguration(memory_limit=settings.memory_limit_mb)
                tf.config.set_logical_device_configuration(gpu, [limit])
            else:
                tf.config.experimental.set_memory_growth(gpu, settings.memory_growth)
    except RuntimeError as error:
        raise TrainingError(
            "TensorFlow has started in this process already, so that its threads and memory cannot be set.",
            where="training.device",
            received=str(error),
            fix="Set nothing in training.device, or let a runner start the Trainer in a process of its own.",
        ) from error
    _LOG.info(
        "TensorFlow: %s threads within an operation, %s operations at once, on processors %s",
        intra_op or "its own choice of",
        inter_op or "its own choice of",
        sorted(os.sched_getaffinity(0)),
    )
    tf.debugging.set_log_device_placement(settings.log_placement)
