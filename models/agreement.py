"""What the processes of one training decide together."""

from __future__ import annotations

import tensorflow as tf


class Agreement:
    """Lets all processes act alike where one of them has a reason: a save that all take part in, a common end.

    It costs one exchange of a few numbers among the processes, and nothing where there is one only. All of them must
    ask at the same steps.
    """

    def __init__(self) -> None:
        self._strategy = tf.distribute.get_strategy()
        self._alone = not self._strategy.extended._in_multi_worker_mode()
        self._sum = tf.function(self._added, autograph=False, reduce_retracing=True)

    def any(self, *reasons: bool) -> tuple[bool, ...]:
        """For each reason, whether any process has it."""
        if self._alone:
            return reasons
        return tuple(bool(number) for number in self._sum(tf.constant(reasons, tf.int32)).numpy())

    def _added(self, numbers: tf.Tensor) -> tf.Tensor:
        def exchange(own: tf.Tensor) -> tf.Tensor:
            # The copy is on the replica's device, which the exchange asks for.
            return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(own))

        added = self._strategy.run(exchange, args=(numbers,))
        return self._strategy.experimental_local_results(added)[0]
