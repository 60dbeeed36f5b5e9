"""Variables on parameter servers, steps made by workers on their own (asynchronous data parallelism)."""

from __future__ import annotations

import tensorflow as tf

from configs.training import Training
from distribution.cluster_resolver import resolver_of
from distribution.membership import Membership
from schemas.errors import TrainingError


def make(training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
    """ParameterServerStrategy, in the chief that coordinates; workers and parameter servers only serve.

    Raises:
        TrainingError: this process is not the chief of a cluster with parameter servers and workers.
    """
    if own is None or own.task.role != "chief" or not own.cluster.number("ps") or not own.cluster.number("worker"):
        raise TrainingError(
            "The parameter_server strategy needs a cluster of a chief, workers and parameter servers.",
            where="training.strategy",
            received="no cluster" if own is None else own.cluster.tf_config(own.task),
            fix="Set training.cluster.workers and training.cluster.ps, or give all three roles in TF_CONFIG.",
        )
    return tf.distribute.ParameterServerStrategy(
        resolver_of(own), variable_partitioner=_partitioner(training, own.cluster.number("ps"))
    )


def _partitioner(training: Training, servers: int) -> tf.distribute.experimental.partitioners.Partitioner | None:
    partitioners = tf.distribute.experimental.partitioners
    wanted = training.partitioner
    if wanted.kind == "none" or servers == 1:
        return None
    if wanted.kind == "fixed_shards":
        return partitioners.FixedShardsPartitioner(wanted.shards or servers)
    return partitioners.MinSizePartitioner(min_shard_bytes=wanted.min_bytes, max_shards=servers)
