"""Everything on one device: the first GPU, else the CPU."""

from __future__ import annotations

import tensorflow as tf

from configs.training import Training
from distribution.membership import Membership


def make(training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
    """OneDeviceStrategy."""
    return tf.distribute.OneDeviceStrategy("/gpu:0" if tf.config.list_logical_devices("GPU") else "/cpu:0")
