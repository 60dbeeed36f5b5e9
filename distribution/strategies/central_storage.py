"""Variables on the CPU, each step's work divided among the GPUs of one machine: for models too large for a GPU."""

from __future__ import annotations

import tensorflow as tf

from configs.training import Training
from distribution.membership import Membership
from distribution.strategies.gpus import gpus_of


def make(training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
    """CentralStorageStrategy over `training.devices` GPUs, default all; over the CPU where there is no GPU.

    Raises:
        TrainingError: fewer GPUs than asked for.
    """
    return tf.distribute.experimental.CentralStorageStrategy(
        compute_devices=gpus_of(training) or ["/cpu:0"], parameter_device="/cpu:0"
    )
