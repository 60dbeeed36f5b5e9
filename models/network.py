"""What every architecture of ours is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from schemas.transformed import Category, Dense, ModelInput, Picture, Tokens

Step = Callable[[Any], dict[str, tf.Tensor]]
Execution = Callable[[Any], dict[str, tf.Tensor]]


class Network(tf.keras.Model):
    """A tf.keras.Model whose steps are traced as plain Python.

    AutoGraph would otherwise rewrite the source of everything that a step calls, Keras's layers, metrics and optimizers
    included, for seconds at the start of each training, though none of it has a Python branch on a tensor. A layer that
    needs one uses tf.cond, or wraps a tf.function of its own.
    """

    train_function: Execution | None
    test_function: Execution | None

    @tf.autograph.experimental.do_not_convert
    def fit(self, *args: Any, **kwargs: Any) -> tf.keras.callbacks.History:
        """Trains, as in tf.keras.Model."""
        return super().fit(*args, **kwargs)

    def make_train_function(self, force: bool = False) -> Execution:
        """The function that `fit` calls for each execution, as in tf.keras.Model."""
        if self._is_coordinated():
            return super().make_train_function(force)
        known = self.train_function
        if known is None or force:
            known = self.train_function = self.train_tf_function = self._execution(self.train_step, self._train_counter)
        return known

    def make_test_function(self, force: bool = False) -> Execution:
        """The function that `evaluate` calls for each execution, as in tf.keras.Model."""
        if self._is_coordinated():
            return super().make_test_function(force)
        known = self.test_function
        if known is None or force:
            known = self.test_function = self._execution(self.test_step, self._test_counter)
        return known

    def _is_coordinated(self) -> bool:
        # Parameter servers get their steps from a coordinator, which Keras's own functions talk to.
        return isinstance(self.distribute_strategy, tf.distribute.experimental.ParameterServerStrategy)

    def _execution(self, step: Step, counter: tf.Variable) -> Execution:
        strategy = self.distribute_strategy
        compiled = tf.function(step, autograph=False, jit_compile=True) if self.jit_compile else step

        def counted(data: Any) -> dict[str, tf.Tensor]:
            outputs = compiled(data)
            counter.assign_add(1)
            return outputs

        def one(iterator: Any) -> dict[str, tf.Tensor]:
            outputs = strategy.run(counted, args=(next(iterator),))
            return {key: strategy.experimental_local_results(value)[0] for key, value in outputs.items()}

        traced = tf.function(one, autograph=False, reduce_retracing=True)
        several = self._steps_per_execution
        if int(several.numpy()) == 1:
            return traced

        def many(iterator: Any) -> dict[str, tf.Tensor]:
            _, outputs = tf.while_loop(
                cond=lambda done, _: done < several,
                body=lambda done, _: (done + 1, traced(iterator)),
                loop_vars=(tf.constant(1, tf.int64), traced(iterator)),
            )
            return outputs

        return tf.function(many, autograph=False, reduce_retracing=True)


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
