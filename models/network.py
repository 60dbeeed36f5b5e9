"""What every architecture of ours is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from models.table import Draw
from schemas.transformed import Category, Dense, ModelInput, Picture, Tokens

Step = Callable[[Any], dict[str, tf.Tensor]]
Execution = Callable[[Any], dict[str, tf.Tensor]]


class Network(tf.keras.Model):
    """A tf.keras.Model whose steps are traced as plain Python.

    AutoGraph would otherwise rewrite the source of everything that a step calls, Keras's layers, metrics and optimizers
    included, for seconds at the start of each training, though none of it has a Python branch on a tensor. A layer that
    needs one uses tf.cond, or wraps a tf.function of its own.

    Attributes:
        train_draw: where parameter servers coordinate, takes the batch of a step out of what the data set gives;
            default: the data set gives the batch.
        test_draw: the same for evaluations.
    """

    train_function: Execution | None
    test_function: Execution | None
    train_draw: Draw | None = None
    test_draw: Draw | None = None
    _first_step = 0

    @tf.autograph.experimental.do_not_convert
    def fit(self, *args: Any, **kwargs: Any) -> tf.keras.callbacks.History:
        """Trains, as in tf.keras.Model."""
        return super().fit(*args, **kwargs)

    def start_at(self, step: int) -> None:
        """Lets the next `fit` begin with this step, counted from 0 over all epochs."""
        self._first_step = step

    def join(self) -> None:
        """Waits until parameter-server workers have made the steps given to them; elsewhere there are none."""
        if self._is_coordinated():
            self._coordinator().join()

    def make_train_function(self, force: bool = False) -> Execution:
        """The function that `fit` calls for each execution, as in tf.keras.Model."""
        known = self.train_function
        if known is None or force:
            known = self._execution(self.train_step, self._train_counter, self.train_draw, self._first_step)
            self.train_function = self.train_tf_function = known
        return known

    def make_test_function(self, force: bool = False) -> Execution:
        """The function that `evaluate` calls for each execution, as in tf.keras.Model."""
        known = self.test_function
        if known is None or force:
            known = self.test_function = self._execution(self.test_step, self._test_counter, self.test_draw, 0)
        return known

    def _maybe_load_initial_counters_from_ckpt(self, steps_per_epoch: int, initial_epoch: int) -> tuple[int, int]:
        # The one place where Keras lets a training begin within an epoch.
        return divmod(self._first_step, steps_per_epoch) if self._first_step else (initial_epoch, 0)

    def _is_coordinated(self) -> bool:
        return isinstance(self.distribute_strategy, tf.distribute.experimental.ParameterServerStrategy)

    def _coordinator(self) -> Any:
        return tf.distribute.experimental.coordinator.ClusterCoordinator(self.distribute_strategy)

    def _execution(self, step: Step, counter: tf.Variable, draw: Draw | None, first: int) -> Execution:
        strategy = self.distribute_strategy
        compiled = tf.function(step, autograph=False, jit_compile=True) if self.jit_compile else step

        def counted(data: Any) -> dict[str, tf.Tensor]:
            outputs = compiled(data)
            counter.assign_add(1)
            return outputs

        def one(iterator: Any, number: tf.Tensor) -> dict[str, tf.Tensor]:
            data = next(iterator)
            outputs = strategy.run(counted, args=(data if draw is None else draw(data, number),))
            return {key: strategy.experimental_local_results(value)[0] for key, value in outputs.items()}

        # A function of its own, so that it is traced once for the first step of an execution and for the others.
        single = tf.function(one, autograph=False, reduce_retracing=True)

        def many(iterator: Any, number: tf.Tensor, several: tf.Tensor) -> dict[str, tf.Tensor]:
            _, outputs = tf.while_loop(
                cond=lambda done, _: done < several,
                body=lambda done, _: (done + 1, single(iterator, number + done)),
                loop_vars=(tf.constant(1, tf.int64), single(iterator, number)),
            )
            return outputs

        several = self._steps_per_execution
        traced = tf.function(many, autograph=False, reduce_retracing=True)
        if self._is_coordinated():
            return self._scheduled(traced, first)
        start = tf.constant(0, tf.int64)
        if int(several.numpy()) == 1:
            return lambda iterator: single(iterator, start)
        return lambda iterator: traced(iterator, start, several.value())

    def _scheduled(self, execution: Callable[..., dict[str, tf.Tensor]], first: int) -> Execution:
        """Gives each execution to whichever worker is free, and tells it the steps that it stands for."""
        coordinator, number = self._coordinator(), first

        def schedule(iterator: Any) -> Any:
            nonlocal number
            several = self._steps_per_execution.value()
            result = coordinator.schedule(execution, args=(iterator, tf.constant(number, tf.int64), several))
            number += int(several)
            return result

        return schedule


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
