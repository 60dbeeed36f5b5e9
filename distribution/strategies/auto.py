"""The best strategy for what this machine has."""

from __future__ import annotations

import logging

import tensorflow as tf

from configs.training import Training
from distribution.strategies import default, mirrored

_LOG = logging.getLogger(__name__)


def make(training: Training) -> tf.distribute.Strategy:
    """With two GPUs or more mirrored, else default. The log says which and why.

    Raises:
        TrainingError: see `distribution.strategies.mirrored.make`.
    """
    gpus = len(tf.config.list_physical_devices("GPU"))
    if gpus > 1:
        _LOG.info("Strategy auto: mirrored, because there are %d GPUs", gpus)
        return mirrored.make(training)
    _LOG.info("Strategy auto: default, because there is %s", "one GPU" if gpus else "no GPU")
    return default.make(training)
