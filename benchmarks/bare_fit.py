"""Keras's `fit` on arrays in memory, with a model that adds nothing to Keras. Imports TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from configs.training import Training
from models.head import Head
from models.input_fn import Split
from models.optimizer import make_optimizer
from models.plan import Plan
from schemas.transformed import LABEL_KEY

KERAS_DEFAULT = 1
"""Steps between two returns to Python where `compile` is told nothing."""


class Bare(tf.keras.Model):
    """The layers of a model, trained by Keras's own steps."""

    def __init__(self, model: tf.keras.Model) -> None:
        super().__init__()
        self.inner = model

    def call(self, features: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """As the model."""
        return self.inner(features, training=training)


def bare_step_seconds(
    model: tf.keras.Model, head: Head, train: Split, settings: Training, steps_per_execution: int = KERAS_DEFAULT
) -> tuple[float, float]:
    """Wall and processor seconds a step of a bare `fit`, shuffled as Keras does it, over all epochs but the first.

    Args:
        model: the model, its variables made.
        head: loss and metrics.
        train: rows in memory.
        settings: batch, epochs and optimizer.
        steps_per_execution: for `compile`.
    """
    plan, bare, times = Plan.of(settings, train.rows), Bare(model), _EpochTimes()
    bare.compile(
        optimizer=make_optimizer(settings.optimizer, plan.steps),
        loss=head.loss(settings.loss),
        metrics=head.metrics(),
        steps_per_execution=steps_per_execution,
    )
    features: dict[str, Any] = dict(train.columns or {})
    labels = features.pop(LABEL_KEY).reshape(-1, 1)
    bare.fit(features, labels, batch_size=plan.batch_size, epochs=plan.epochs, callbacks=[times], verbose=0)
    steps = (plan.epochs - 1) * train.rows / plan.batch_size  # the last one of an epoch is smaller
    wall, processor = zip(*times.seconds[1:], strict=True)
    return sum(wall) / steps, sum(processor) / steps


class _EpochTimes(tf.keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[tuple[float, float]] = []
        self._begun = (0.0, 0.0)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._begun = (time.time(), time.process_time())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        wall, processor = self._begun
        self.seconds.append((time.time() - wall, time.process_time() - processor))
