"""A copy of the model on each GPU of one machine, updated in step (synchronous data parallelism)."""

from __future__ import annotations

import tensorflow as tf

from configs.training import Training
from schemas.errors import TrainingError


def make(training: Training) -> tf.distribute.Strategy:
    """MirroredStrategy over `training.devices` GPUs, default all; over the CPU where there is no GPU.

    Raises:
        TrainingError: fewer GPUs than asked for, or a batch with less than one example for each replica.
    """
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    wanted = training.devices
    if wanted is not None and wanted > max(1, len(gpus)):
        raise TrainingError(
            f"The mirrored strategy wants {wanted} devices and finds {len(gpus)} GPUs.",
            where="training.devices",
            received=wanted,
            fix="Lower training.devices, leave it out to use what is there, or set training.strategy to auto.",
        )
    devices = gpus[:wanted] if gpus else ["/cpu:0"]
    if training.batch_size is not None and training.batch_size < len(devices):
        raise TrainingError(
            f"A batch of {training.batch_size} cannot be divided among {len(devices)} replicas.",
            where="training.batch_size",
            received=training.batch_size,
            fix=f"Set training.batch_size to at least {len(devices)}; a multiple of it keeps all replicas busy.",
        )
    return tf.distribute.MirroredStrategy(devices)
