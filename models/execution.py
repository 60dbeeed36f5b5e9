"""Steps made by one call from Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from models.table import Draw

Outputs = dict[str, tf.Tensor]
Step = Callable[[Any], Outputs]
Join = Callable[[Outputs, Outputs], Outputs]
Results = Callable[[], Outputs]


class Execution:
    """A step of all replicas, several times over within one graph.

    Where parameter servers coordinate, whichever worker is free makes the steps of a call, and is told which they are;
    elsewhere each replica of this process takes its batch from the iterator.

    Args:
        strategy: where the step runs.
        step: makes the step of one replica of its batch; tensors by name. It is traced as plain Python.
        counter: counts the steps.
        draw: takes the batch out of what the iterator gives; default: that is the batch.
        first: number of the first step, for `draw`.
        join: outputs of the steps so far and of the next -> outputs of them all; default: the last step's.
        results: the outputs, asked for once after the last step, outside of the replicas; default: what `join` gives.
        xla: compile the step with XLA.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        step: Step,
        counter: tf.Variable,
        *,
        draw: Draw | None = None,
        first: int = 0,
        join: Join = lambda _, last: last,
        results: Results | None = None,
        xla: bool = False,
    ) -> None:
        self._strategy, self._counter, self._draw, self._join = strategy, counter, draw, join
        self._results = results
        self._step = tf.function(step, autograph=False, jit_compile=True) if xla else step
        self._number = first
        # A function of its own, so that it is traced once for the first step of an execution and for the others.
        self._one = tf.function(self._made, autograph=False, reduce_retracing=True)
        self._many = tf.function(self._made_often, autograph=False, reduce_retracing=True)
        self._coordinator = None
        if isinstance(strategy, tf.distribute.experimental.ParameterServerStrategy):
            self._coordinator = tf.distribute.experimental.coordinator.ClusterCoordinator(strategy)

    def __call__(self, iterator: Any, several: int) -> Outputs:
        """Makes so many steps.

        Returns:
            What the first replica of this process gave; under parameter servers, what a worker will have given.
        """
        is_one = several == 1 and self._results is None
        function = self._one if is_one else self._many
        arguments = [iterator, tf.constant(self._number, tf.int64)]
        if not is_one:
            arguments.append(tf.constant(several, tf.int64))
        self._number += several
        if self._coordinator is not None:
            return self._coordinator.schedule(function, args=tuple(arguments))
        return function(*arguments)

    def _made(self, iterator: Any, number: tf.Tensor) -> Outputs:
        data = next(iterator)
        batch = data if self._draw is None else self._draw(data, number)
        outputs = self._strategy.run(self._counted, args=(batch,))
        return {key: self._strategy.experimental_local_results(value)[0] for key, value in outputs.items()}

    def _counted(self, batch: Any) -> Outputs:
        outputs = self._step(batch)
        self._counter.assign_add(1)
        return outputs

    def _made_often(self, iterator: Any, number: tf.Tensor, several: tf.Tensor) -> Outputs:
        outputs = self._one(iterator, number)
        _, outputs = tf.while_loop(
            cond=lambda done, _: done < several,
            body=lambda done, before: (done + 1, self._join(before, self._one(iterator, number + done))),
            loop_vars=(tf.constant(1, tf.int64), outputs),
        )
        return outputs if self._results is None else self._results()
