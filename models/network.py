"""What every architecture of ours is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from schemas.transformed import Category, Dense, ModelInput, Picture, Tokens


class Network(tf.keras.Model):
    """A tf.keras.Model whose steps are traced as plain Python.

    AutoGraph would otherwise rewrite the source of every layer and optimizer that a step calls, seconds each time, though
    none of them has a Python branch on a tensor. A layer that needs one says so with tf.cond, or wraps its own tf.function.
    """

    @tf.autograph.experimental.do_not_convert
    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One update, as in tf.keras.Model."""
        return super().train_step(data)

    @tf.autograph.experimental.do_not_convert
    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One evaluation, as in tf.keras.Model."""
        return super().test_step(data)

    @tf.autograph.experimental.do_not_convert
    def predict_step(self, data: Any) -> tf.Tensor:
        """One prediction, as in tf.keras.Model."""
        return super().predict_step(data)


def example_features(inputs: Sequence[ModelInput], rows: int = 1) -> dict[str, tf.Tensor]:
    """Features of the right shapes and types, all zeros: with them a model makes its variables before it is trained."""
    found: dict[str, tf.Tensor] = {}
    for one in inputs:
        if isinstance(one, Dense):
            found[one.key] = tf.zeros([rows, one.size])
        elif isinstance(one, Category):
            found[one.key] = tf.zeros([rows, 1], tf.int64)
        elif isinstance(one, Tokens):
            found[one.key] = tf.zeros([rows, one.length], tf.int64)
            if one.weights is not None:
                found[one.weights] = tf.zeros([rows, one.length])
        elif isinstance(one, Picture):
            found[one.key] = tf.zeros([rows, one.height, one.width, one.channels])
    return found


def feature_keys(inputs: Sequence[ModelInput]) -> tuple[str, ...]:
    """Keys of the transformed features that the model takes, weights of tokens included."""
    return tuple(example_features(inputs, rows=0))
