"""TensorFlow's default strategy: one replica, placed by TensorFlow."""

from __future__ import annotations

import tensorflow as tf

from configs.training import Training
from distribution.membership import Membership


def make(training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
    """The default strategy."""
    return tf.distribute.get_strategy()
