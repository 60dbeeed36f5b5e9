"""A copy of the model on each GPU of one machine, updated in step (synchronous data parallelism)."""

from __future__ import annotations

import tensorflow as tf

from configs.training import Training
from distribution.membership import Membership
from distribution.strategies.gpus import gpus_of


def make(training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
    """MirroredStrategy over `training.devices` GPUs, default all; over the CPU where there is no GPU.

    Raises:
        TrainingError: fewer GPUs than asked for.
    """
    operations = None
    if training.collectives.implementation == "nccl":
        operations = tf.distribute.NcclAllReduce()
    elif training.collectives.implementation == "ring":
        operations = tf.distribute.HierarchicalCopyAllReduce()
    return tf.distribute.MirroredStrategy(gpus_of(training) or ["/cpu:0"], operations)
