"""A copy of the model in each worker, updated in step: synchronous data parallelism over several machines."""

from __future__ import annotations

import tensorflow as tf

from configs.training import Training
from distribution.cluster_resolver import resolver_of
from distribution.membership import Membership
from distribution.strategies.gpus import gpus_of
from schemas.errors import TrainingError

_IMPLEMENTATIONS = {"auto": "AUTO", "ring": "RING", "nccl": "NCCL"}


def make(training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
    """MultiWorkerMirroredStrategy of a cluster of workers.

    Raises:
        TrainingError: this process is no worker of a cluster, or NCCL without GPUs.
    """
    if own is None or own.cluster.number("ps"):
        raise TrainingError(
            "The multi_worker_mirrored strategy needs a cluster of workers, without parameter servers.",
            where="training.strategy",
            received="no cluster" if own is None else f"{own.cluster.number('ps')} parameter servers",
            fix="Set training.cluster.workers, or choose the parameter_server strategy.",
        )
    if training.collectives.implementation == "nccl" and not gpus_of(training):
        raise TrainingError(
            "NCCL exchanges gradients between GPUs, and there is none.",
            where="training.collectives.implementation",
            received="nccl",
            fix="Set it to ring or auto.",
        )
    options = tf.distribute.experimental.CommunicationOptions(
        bytes_per_pack=training.collectives.bytes_per_pack,
        timeout_seconds=training.collectives.timeout_seconds,
        implementation=tf.distribute.experimental.CommunicationImplementation[
            _IMPLEMENTATIONS[training.collectives.implementation]
        ],
    )
    return tf.distribute.MultiWorkerMirroredStrategy(resolver_of(own), options)
