"""A training loop of our own, beside Keras's `fit`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from models.custom_step import custom_step, joined
from models.feed import Feed
from models.network import Network
from models.plan import Plan


class CustomLoop:
    """Trains and evaluates in turn, as `fit` does, with the same model, loss, metrics, feed, plan and callbacks.

    After each execution callbacks get what `models.custom_step` tells, after each epoch the metrics of both splits.

    Args:
        model: compiled, made under the strategy that trains it.
        feed: the batches.
        plan: steps and epochs.
        first_step: steps that have been made already, also within an epoch.
    """

    def __init__(self, model: Network, feed: Feed, plan: Plan, first_step: int = 0) -> None:
        self._model, self._feed, self._plan, self._first_step = model, feed, plan, first_step
        self._train = model.execution(
            custom_step(model), model._train_counter, draw=model.train_draw, first=first_step, join=joined
        )
        self._test = model.execution(model.test_step, model._test_counter, draw=model.test_draw)
        self._evaluation: Iterator[Any] | None = None

    @tf.autograph.experimental.do_not_convert
    def run(self, callbacks: Sequence[tf.keras.callbacks.Callback]) -> tf.keras.callbacks.History:
        """Trains to the end, or until a callback sets `model.stop_training`.

        Returns:
            Losses and metrics of each epoch.
        """
        model, plan = self._model, self._plan
        calls = tf.keras.callbacks.CallbackList(
            callbacks,
            add_history=True,
            add_progbar=True,
            model=model,
            verbose=2,
            epochs=plan.epochs,
            steps=plan.steps_per_epoch,
        )
        model.stop_training = False
        model._train_counter.assign(0)
        batches, logs = self._batches(self._feed.train), None
        calls.on_train_begin()
        first_epoch, made = divmod(self._first_step, plan.steps_per_epoch)
        for epoch in range(first_epoch, plan.epochs):
            logs = self._epoch(epoch, made, batches, calls)
            made = 0
            if model.stop_training:
                break
        model.optimizer.finalize_variable_values(model.trainable_variables)
        calls.on_train_end(logs)
        return model.history

    def _epoch(
        self, epoch: int, made: int, batches: Iterator[Any], calls: tf.keras.callbacks.CallbackList
    ) -> dict[str, float]:
        self._model.reset_metrics()
        calls.on_epoch_begin(epoch)
        end = min(self._plan.steps_per_epoch, self._plan.steps - epoch * self._plan.steps_per_epoch)
        for step, several in self._executions(made, end):
            calls.on_train_batch_begin(step)
            outputs = self._train(batches, several)
            calls.on_train_batch_end(step + several - 1, outputs)
            if self._model.stop_training:
                break
        logs = self._metrics()
        logs.update({f"val_{name}": value for name, value in self._evaluated(calls).items()})
        calls.on_epoch_end(epoch, logs)
        return logs

    def _evaluated(self, calls: tf.keras.callbacks.CallbackList) -> dict[str, float]:
        """Metrics of one pass over the eval split."""
        feed, model = self._feed, self._model
        steps = feed.evaluation_steps
        if steps is None:  # a data set that ends
            steps, self._evaluation = int(feed.evaluation.cardinality()), None
        if self._evaluation is None:
            self._evaluation = self._batches(feed.evaluation)
        model._test_counter.assign(0)
        calls.on_test_begin()
        model.reset_metrics()
        for step, several in self._executions(0, steps):
            calls.on_test_batch_begin(step)
            outputs = self._test(self._evaluation, several)
            calls.on_test_batch_end(step + several - 1, outputs)
        logs = self._metrics()
        calls.on_test_end(logs)
        return logs

    def _executions(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """Step and number of steps of each execution."""
        together = self._plan.steps_per_execution
        for step in range(first, end, together):
            yield step, min(together, end - step)

    def _metrics(self) -> dict[str, float]:
        self._model.join()
        return {name: float(value) for name, value in self._model.get_metrics_result().items()}

    def _batches(self, data: Any) -> Iterator[Any]:
        strategy = self._model.distribute_strategy
        if isinstance(strategy, tf.distribute.experimental.ParameterServerStrategy):
            coordinator = tf.distribute.experimental.coordinator.ClusterCoordinator(strategy)
            on_each = coordinator.create_per_worker_dataset(lambda: strategy.distribute_datasets_from_function(data))
            return iter(on_each)
        if isinstance(data, tf.data.Dataset):
            data = strategy.experimental_distribute_dataset(data)
        return iter(data)
