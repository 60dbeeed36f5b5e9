"""A cluster as TensorFlow's strategies want it."""

from __future__ import annotations

import tensorflow as tf

from distribution.membership import Membership


def resolver_of(own: Membership) -> tf.distribute.cluster_resolver.ClusterResolver:
    """The resolver of a task; evaluators, whom nobody waits for, are left out."""
    addresses = {role: list(found) for role, found in own.cluster.addresses.items() if found and role != "evaluator"}
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec(addresses), task_type=own.task.role, task_id=own.task.index, rpc_layer="grpc"
    )
