"""What tests of several replicas run in a process of their own, which has two devices or a cluster of servers.

TensorFlow takes its devices, and its cluster, once in a process.
"""

from __future__ import annotations

import os
import signal
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from configs.training import Optimizer
from distribution.free_ports import free_ports
from models.evaluate_checkpoints import evaluate_checkpoints
from models.gradients import Gradient, dense_where_small
from models.head import Head
from models.input_fn import Split
from models.network import Network
from models.optimizer import make_optimizer
from models.preemption import Preempted
from models.train import train_model
from schemas.transformed import LABEL_KEY
from tests.unit.models.regression import SPEC, make_model, make_split, make_training

Weights = list[npt.NDArray[np.float32]]


def is_dense(devices: int, rows: int) -> bool:
    """Whether the gradient of a table of four rows is dense, where each device looks up so many."""
    with _mirrored(devices).scope():
        table = tf.Variable(tf.ones([4, 1]))

    def gradient() -> Gradient:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.nn.embedding_lookup(table, tf.zeros([rows], tf.int64)))
        return dense_where_small(tape.gradient(loss, table), table)

    found: list[bool] = []
    tf.function(lambda: _mirrored(devices).run(lambda: found.append(isinstance(gradient(), tf.Tensor))))()
    return all(found)


def two_devices() -> None:
    """Makes two devices of the processor."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


@cache
def _mirrored(devices: int) -> tf.distribute.Strategy:
    # One for all tests: a second one in the same process would number its exchanges as the first did.
    return tf.distribute.MirroredStrategy([f"/cpu:{number}" for number in range(devices)])


def trained_mirrored(devices: int, folder: str, **settings: Any) -> tuple[Weights, dict[str, list[float]]]:
    """Weights and history of a training on so many devices."""
    with _mirrored(devices).scope():
        return _trained(folder, **settings)


def trained_central(folder: str, **settings: Any) -> tuple[Weights, dict[str, list[float]]]:
    """The same on two devices, the variables on one of them."""
    strategy = tf.distribute.experimental.CentralStorageStrategy(["/cpu:0", "/cpu:1"], parameter_device="/cpu:0")
    with strategy.scope():
        return _trained(folder, **settings)


def parameter_servers() -> None:
    """Starts two workers and two parameter servers within this process."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(4)]
    cluster = tf.train.ClusterSpec({"worker": addresses[:2], "ps": addresses[2:]})
    # Servers within one process share its threads, and wait for each other in them.
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=16)
    for job in cluster.jobs:
        for index in range(2):
            server = tf.distribute.Server(cluster, job_name=job, task_index=index, protocol="grpc", config=config)
            _SERVERS.append(server)
    _CLUSTERS.append(cluster)


@cache
def _sharded() -> tf.distribute.Strategy:
    """Variables are shared by both parameter servers."""
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(_CLUSTERS[0], rpc_layer="grpc")
    partitioner = tf.distribute.experimental.partitioners.FixedShardsPartitioner(2)
    return tf.distribute.experimental.ParameterServerStrategy(resolver, variable_partitioner=partitioner)


def trained_by_servers(folder: str, **settings: Any) -> tuple[Weights, dict[str, list[float]]]:
    """The same with parameter servers."""
    with _sharded().scope():
        return _trained(folder, _written(make_split(60), folder), **settings)


def evaluated_backup(folder: str, **settings: Any) -> int:
    """Number of backups of such a training that are evaluated outside of its cluster."""
    model, head = make_model(seed=2, l2=0.01, dropout=0.0)
    training = make_training(batch_size=12, **settings)
    return evaluate_checkpoints(model, head, make_split(60), training, folder + "/backup", folder, lambda: True)


def visits(folder: str, loop: str, preempt: bool = False) -> list[float]:
    """How often each of 60 rows was trained on by parameter-server workers in two epochs.

    Args:
        folder: backups and data; of a preempted training it goes on.
        loop: fit or custom.
        preempt: ask the training to end while it makes its first step; then there are no visits.
    """
    rows = np.arange(60, dtype=np.float32)[:, None]
    split = _written(Split((), SPEC, rows[:, 0], {"x": rows, LABEL_KEY: rows}), folder)
    with _sharded().scope():
        model = _Visits()
        model({"x": rows})
        training = make_training(
            loop=loop, batch_size=8, epochs=2, steps=15, backup=True, backup_seconds=1e6
        )  # fmt: skip
        model.preempt = preempt
        try:
            train_model(model, Head("number", 1, np.zeros(1, np.float32)), split, split, training, folder)
        except Preempted:
            return []
        return list(tf.concat(model.seen.variables, axis=0).numpy())


def moved() -> list[float]:
    """Rows of a table that parameter servers share, each of which workers were told 10 times to move by 1."""
    strategy = _sharded()
    coordinator = tf.distribute.experimental.coordinator.ClusterCoordinator(strategy)
    with strategy.scope():
        table = tf.Variable(tf.zeros([40, 1]))
        optimizer = make_optimizer(Optimizer(name="sgd", learning_rate=1.0), 100)
        optimizer.build(list(table.variables))

    @tf.function
    def step(number: tf.Tensor) -> None:
        def move() -> None:
            rows = (number * 4 + tf.range(4, dtype=tf.int64)) % 40
            with tf.GradientTape() as tape:
                loss = -tf.reduce_sum(tf.nn.embedding_lookup(table, rows))
            optimizer.apply_gradients(zip(tape.gradient(loss, list(table.variables)), table.variables, strict=True))

        strategy.run(move)

    for number in range(100):
        coordinator.schedule(step, args=(tf.constant(number, tf.int64),))
    coordinator.join()
    return list(tf.concat(table.variables, axis=0).numpy()[:, 0])


class _Visits(Network):
    preempt = False

    def __init__(self) -> None:
        super().__init__()
        self.table = self.add_weight("table", (60, 1), initializer="zeros")
        self.seen = self.add_weight("seen", (60,), initializer="zeros", trainable=False)

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        rows = tf.cast(features["x"][:, 0], tf.int64)
        if training:
            self.seen.assign_add(tf.math.bincount(tf.cast(rows, tf.int32), minlength=60, dtype=tf.float32))
        if self.preempt:
            os.kill(os.getpid(), signal.SIGTERM)
        return tf.nn.embedding_lookup(self.table, rows)


_SERVERS: list[tf.distribute.Server] = []
_CLUSTERS: list[tf.train.ClusterSpec] = []


def _written(split: Split, folder: str) -> Split:
    """The same rows in a file, where workers read them."""
    assert split.columns is not None
    path = folder + "/rows"
    with tf.io.TFRecordWriter(path) as writer:
        for row in range(split.rows):
            values = {key: tf.train.FloatList(value=column[row]) for key, column in split.columns.items()}
            features = tf.train.Features(feature={key: tf.train.Feature(float_list=one) for key, one in values.items()})
            writer.write(tf.train.Example(features=features).SerializeToString())
    return Split.open([path], split.spec)


def _trained(folder: str, split: Split | None = None, **settings: Any) -> tuple[Weights, dict[str, list[float]]]:
    tf.keras.mixed_precision.set_global_policy(settings.get("precision", "float32"))
    model, head = make_model(l2=0.01, dropout=0.0)
    split = split or make_split(60)
    training = make_training(batch_size=12, **settings)
    trained = train_model(model, head, split, split, training, folder)
    tf.keras.mixed_precision.set_global_policy("float32")
    return model.get_weights(), trained.history.history
