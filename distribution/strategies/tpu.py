"""A copy of the model on each core of a TPU, updated in step."""

from __future__ import annotations

import tensorflow as tf

from configs.training import Training
from distribution.membership import Membership
from schemas.errors import TrainingError


def make(training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
    """TPUStrategy over the TPU of `training.tpu`, default that of this machine.

    Raises:
        TrainingError: there is no TPU, or it does not answer.
    """
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect(training.tpu or "local")
        return tf.distribute.TPUStrategy(resolver)
    except Exception as error:  # the resolver raises anything, from KeyError to errors of its cloud client
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise TrainingError(
            "No TPU can be reached.",
            where="training.strategy",
            received=f"tpu: {lines[0][:300]}",
            fix="Run on a TPU machine, give the TPU's name in training.tpu, or set training.strategy to auto.",
        ) from error
