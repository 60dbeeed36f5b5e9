"""The best strategy for what this machine has, and for the workers that are asked for."""

from __future__ import annotations

import logging

import tensorflow as tf

from configs.training import Training

_LOG = logging.getLogger(__name__)


def resolve(training: Training) -> Training:
    """The settings with a strategy in place of auto: for several workers one of theirs, for several GPUs mirrored.

    The log says which and why.
    """
    if training.strategy != "auto":
        return training
    strategy, reason = _choose(training)
    _LOG.info("Strategy auto: %s, because %s", strategy, reason)
    return training.model_copy(update={"strategy": strategy})


def _choose(training: Training) -> tuple[str, str]:
    # The GPUs are looked at last: a process that has asked for them cannot fork those that use them.
    workers, ps = training.cluster.workers, training.cluster.ps
    if ps is not None:
        return "parameter_server", f"training.cluster.ps is {ps}"
    if workers is not None and workers > 1:
        return "multi_worker_mirrored", f"training.cluster.workers is {workers}"
    gpus = len(tf.config.list_physical_devices("GPU"))
    if gpus > 1:
        return "mirrored", f"there are {gpus} GPUs"
    return "default", f"there is {'one GPU' if gpus else 'no GPU'}"
