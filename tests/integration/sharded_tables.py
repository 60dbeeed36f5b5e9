"""A recommender whose tables two parameter servers hold: run as a process of its own, it prints what it saw as JSON."""

from __future__ import annotations

import json
import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf

from configs.settings import Model
from distribution.free_ports import free_ports
from models.architectures import build_model, make_head
from models.catalogue import Catalogue
from models.index import Index
from models.input_fn import Split
from models.two_tower import TwoTower
from schemas.features import BinaryLabel
from schemas.transformed import LABEL_KEY, Category, Tokens

ITEMS, ROWS, STEPS = 1000, 64, 40
INPUTS = (Category("item_xf", ITEMS), Tokens("recent_xf", ITEMS, 3))
SETTINGS = Model.model_validate(
    {
        "architecture": "two_tower",
        "hidden_units": [8],
        "embedding_size": 8,
        "towers": {"candidate": ["item"], "size": 8},
    }
)
SHARD_BYTES = 8 << 10  # less than a table's 1000 * 8 * 4


def cluster() -> tf.distribute.cluster_resolver.ClusterResolver:
    """Two parameter servers and a worker in this process, on free ports."""
    ports = [f"127.0.0.1:{port}" for port in free_ports(3)]
    spec = tf.train.ClusterSpec({"ps": ports[:2], "worker": ports[2:]})
    for job, index in (("ps", 0), ("ps", 1), ("worker", 0)):
        tf.distribute.Server(spec, job_name=job, task_index=index, protocol="grpc", start=True)
    return tf.distribute.cluster_resolver.SimpleClusterResolver(spec, rpc_layer="grpc")


def features() -> dict[str, tf.Tensor]:
    """Who took an item whose number ends in a digit takes another of that digit next."""
    random = np.random.default_rng(1)
    item = random.integers(1, ITEMS // 10, [ROWS, 1]) * 10 + random.integers(0, 10, [ROWS, 1])
    recent = random.integers(1, ITEMS // 10, [ROWS, 3]) * 10 + item % 10
    return {"item_xf": tf.constant(item, tf.int64), "recent_xf": tf.constant(recent, tf.int64)}


def main() -> None:
    """Makes the model on the servers, compares it with one in memory, and trains it."""
    partitioner = tf.distribute.experimental.partitioners.MinSizePartitioner(SHARD_BYTES, max_shards=2)
    strategy = tf.distribute.ParameterServerStrategy(cluster(), variable_partitioner=partitioner)
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    label = np.tile([[1.0], [0.0]], (ROWS // 2, 1)).astype(np.float32)
    head = make_head(SETTINGS, BinaryLabel(kind="binary", expression="y == 1"), label.ravel())
    tf.keras.utils.set_random_seed(1)
    with strategy.scope():
        model = build_model(INPUTS, SETTINGS, head)
        optimizer = tf.keras.optimizers.Adam(0.02)
        optimizer.build(model.trainable_variables)
    whole = build_model(INPUTS, SETTINGS, head)
    if not isinstance(model, TwoTower) or not isinstance(whole, TwoTower):
        raise TypeError(type(model))
    counts = np.arange(ITEMS)
    for one in (model, whole):
        one.log_frequency.adapt(counts)
    shards: dict[str, list[tf.Variable]] = {}
    for weight in model.weights:
        shards.setdefault(weight.name.rpartition("/part_")[0] or weight.name, []).append(weight)
    whole.set_weights([np.concatenate([part.numpy() for part in parts]) for parts in shards.values()])
    given = features()
    same = [np.allclose(model(given, training=mode), whole(given, training=mode), atol=1e-5) for mode in (False, True)]
    catalogue = Catalogue.of(
        Split((), {}, label.ravel(), {**{key: value.numpy() for key, value in given.items()}, LABEL_KEY: label}),
        INPUTS[:1],
        np.arange(ITEMS),
        INPUTS[0],
    )
    vectors = [Index(one, catalogue, most=1).vectors.numpy() for one in (model, whole)]
    before = [weight.numpy() for weight in model.trainable_variables]
    loss_of = head.loss()

    @tf.function(autograph=False)
    def step() -> tf.Tensor:
        def replica() -> tf.Tensor:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(loss_of.call(label, model(given, training=True)))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        return strategy.run(replica)

    losses = [coordinator.schedule(step) for _ in range(STEPS)]
    coordinator.join()
    sys.stdout.write(
        json.dumps(
            {
                "shards": {
                    name: [(part.shape[0], tf.DeviceSpec.from_string(part.device).task) for part in parts]
                    for name, parts in shards.items()
                    if len(parts) > 1
                },
                "same": same,
                "index": bool(np.allclose(*vectors, atol=1e-5)),
                "log_frequency": bool(np.allclose(np.exp(whole.log_frequency.table[2:4, 0]) * counts.sum(), [2, 3])),
                "moved": all(
                    not np.array_equal(old, new.numpy())
                    for old, new in zip(before, model.trainable_variables, strict=True)
                ),
                "losses": [float(losses[0].fetch()), float(losses[-1].fetch())],
            }
        )
    )


if __name__ == "__main__":
    main()
