"""TensorFlow's graph optimization, left out where it costs more than it gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

_DISABLE = "disable_meta_optimizer"
_SHORT = 2000


@contextmanager
def graph_optimization(steps: int) -> Iterator[None]:
    """Switches TensorFlow's graph optimizer (Grappler) off for trainings of less than 2000 steps.

    It rewrites each new graph once, which takes the taxi model's Trainer 0.7 s of 5, and a short training is over
    before faster steps have made up for it. XLA is another matter and stays.

    Args:
        steps: steps of the training.
    """
    before = bool(tf.config.optimizer.get_experimental_options().get(_DISABLE, False))
    if steps < _SHORT:
        tf.config.optimizer.set_experimental_options({_DISABLE: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({_DISABLE: before})
