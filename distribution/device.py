"""What TensorFlow may take of the machine."""

from __future__ import annotations

import logging
import os

import tensorflow as tf

from configs.training import Device
from schemas.errors import TrainingError

_LOG = logging.getLogger(__name__)


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
