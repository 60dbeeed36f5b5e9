"""The GPUs that a strategy of several devices uses."""

from __future__ import annotations

import tensorflow as tf

from configs.training import Training
from schemas.errors import TrainingError


def gpus_of(training: Training) -> list[str]:
    """Names of `training.devices` GPUs of this process, default all of them; none where there is no GPU.

    Raises:
        TrainingError: there are fewer than asked for.
    """
    found = [device.name for device in tf.config.list_logical_devices("GPU")]
    wanted = training.devices
    if wanted is not None and wanted > max(1, len(found)):
        raise TrainingError(
            f"The {training.strategy} strategy wants {wanted} devices and finds {len(found)} GPUs.",
            where="training.devices",
            received=wanted,
            fix="Lower training.devices, leave it out to use what is there, or set training.strategy to auto.",
        )
    return found[:wanted]
