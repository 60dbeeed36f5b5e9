"""What tests of several replicas run in a process of their own, which has two devices or a cluster of servers.

TensorFlow takes its devices, and its cluster, once in a process.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.input_fn import Split
from models.train import train_model
from tests.unit.models.regression import make_model, make_split, make_training

Weights = list[npt.NDArray[np.float32]]


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


def _trained(folder: str, split: Split | None = None, **settings: Any) -> tuple[Weights, dict[str, list[float]]]:
    tf.keras.mixed_precision.set_global_policy(settings.get("precision", "float32"))
    model, head = make_model(l2=0.01, dropout=0.0)
    split = split or make_split(60)
    training = make_training(batch_size=12, **settings)
    trained = train_model(model, head, split, split, training, folder)
    tf.keras.mixed_precision.set_global_policy("float32")
    return model.get_weights(), trained.history.history
