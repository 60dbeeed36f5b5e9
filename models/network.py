"""What every architecture of ours is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from models.execution import Execution, Outputs, Results, Step
from models.gradients import gradients_of
from models.table import Draw
from schemas.transformed import Category, Dense, ModelInput, Picture, Tokens

Execute = Callable[[Any], Outputs]


class Network(tf.keras.Model):
    """A tf.keras.Model whose steps are traced as plain Python.

    AutoGraph would otherwise rewrite the source of everything that a step calls, Keras's layers, metrics and optimizers
    included, for seconds at the start of each training, though none of it has a Python branch on a tensor. A layer that
    needs one uses tf.cond, or wraps a tf.function of its own.

    Attributes:
        train_draw: where parameter servers coordinate, takes the batch of a step out of what the data set gives;
            default: the data set gives the batch.
        test_draw: the same for evaluations.
        accumulation: pieces in which a replica's batch is computed, one after the other, before one update.
    """

    train_function: Execute | None
    test_function: Execute | None
    train_draw: Draw | None = None
    test_draw: Draw | None = None
    accumulation: int = 1
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
        if isinstance(self.distribute_strategy, tf.distribute.experimental.ParameterServerStrategy):
            tf.distribute.experimental.coordinator.ClusterCoordinator(self.distribute_strategy).join()

    def train_step(self, data: Any) -> Outputs:
        """A step of one replica, as in tf.keras.Model, its batch in pieces."""
        _, gradients = gradients_of(self, data, self.accumulation)
        self.optimizer.apply_gradients(gradients)
        return self.get_metrics_result()

    def make_train_function(self, force: bool = False) -> Execute:
        """The function that `fit` calls for each execution, as in tf.keras.Model."""
        known = self.train_function
        if known is None or force:
            execution = self.execution(
                self.train_step,
                self._train_counter,
                draw=self.train_draw,
                first=self._first_step,
                results=self._results,
            )
            known = self.train_function = self.train_tf_function = self._as_keras_calls(execution)
        return known

    def make_test_function(self, force: bool = False) -> Execute:
        """The function that `evaluate` calls for each execution, as in tf.keras.Model."""
        known = self.test_function
        if known is None or force:
            execution = self.execution(self.test_step, self._test_counter, draw=self.test_draw, results=self._results)
            known = self.test_function = self._as_keras_calls(execution)
        return known

    def get_metrics_result(self) -> Outputs:
        """Metrics so far, as in tf.keras.Model; of one among several replicas, nothing.

        There each metric would be exchanged with the others, in every step, which takes longer than the gradients do:
        `execution` asks for them after its last step.
        """
        replica = tf.distribute.get_replica_context()
        return {} if replica is not None and replica.num_replicas_in_sync > 1 else super().get_metrics_result()

    def execution(self, step: Step, counter: tf.Variable, **options: Any) -> Execution:
        """Executions of a step of this model, see `models.execution`."""
        return Execution(self.distribute_strategy, step, counter, xla=bool(self.jit_compile), **options)

    @property
    def _results(self) -> Results | None:
        return self.get_metrics_result if self.distribute_strategy.num_replicas_in_sync > 1 else None

    def _as_keras_calls(self, execution: Execution) -> Execute:
        # Keras lowers the number for the last execution of an epoch.
        several = self._steps_per_execution
        if int(several.numpy()) == 1:
            return lambda iterator: execution(iterator, 1)
        return lambda iterator: execution(iterator, int(several.numpy()))

    def _maybe_load_initial_counters_from_ckpt(self, steps_per_epoch: int, initial_epoch: int) -> tuple[int, int]:
        # The one place where Keras lets a training begin within an epoch.
        return divmod(self._first_step, steps_per_epoch) if self._first_step else (initial_epoch, 0)


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
