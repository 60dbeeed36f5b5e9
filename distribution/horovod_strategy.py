"""A tf.distribute strategy whose processes exchange through Horovod."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.distribute import distribute_lib, distribute_utils, input_util
from tensorflow.python.distribute.mirrored_strategy import MirroredExtended

from distribution.horovod_exchange import HorovodExchange


class HorovodStrategy(tf.distribute.MirroredStrategy):
    """One replica in each process of a Horovod job, all updated in step.

    To Keras and to a custom loop it is what MultiWorkerMirroredStrategy is, so that the same code trains under both:
    gradients are summed where the optimizer asks for it, metrics are added up when they are read, variables begin with
    the first process's values, and the first process's files count. hvd.DistributedOptimizer would do the first of
    these only, and needs callbacks of its own for the others.

    Args:
        hvd: the module horovod.tensorflow, initialized.
        device: the device of this process's replica.
        packed: see `HorovodExchange`.
    """

    def __init__(self, hvd: Any, device: str, packed: bool = False) -> None:
        # Not MirroredStrategy's own, which makes another extension.
        tf.distribute.Strategy.__init__(
            self, _Extended(self, device, HorovodExchange(hvd, packed), hvd.rank(), hvd.size())
        )


class _Extended(MirroredExtended):
    """How MirroredStrategy's variables and updates reach over processes.

    Everything is exchanged where it is asked for, in replica context, as TensorFlow does itself under XLA: with one
    replica a process there is nothing to merge within it.
    """

    def __init__(self, strategy: HorovodStrategy, device: str, exchange: HorovodExchange, rank: int, size: int) -> None:
        super().__init__(strategy, devices=[device])
        self._exchange, self._rank, self._size = exchange, rank, size
        self._task_type, self._task_id = "worker", self._rank  # Keras names folders of processes by them

    def _use_merge_call(self) -> bool:
        return False

    def _in_multi_worker_mode(self) -> bool:
        return self._size > 1

    @property
    def should_checkpoint(self) -> bool:
        return self._rank == 0

    @property
    def should_save_summary(self) -> bool:
        return self._rank == 0

    @property
    def _num_replicas_in_sync(self) -> int:
        return self._size

    def _get_local_replica_id(self, replica_id_in_sync_group: int) -> int:
        return replica_id_in_sync_group - self._rank

    def _get_replica_id_in_sync_group(self, replica_id: int) -> int:
        return replica_id + self._rank

    def _call_for_each_replica(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        with (
            tf.device(self._devices[0]),
            tf.distribute.ReplicaContext(self._container_strategy(), self._rank),
            self._exchange.turn(),
        ):
            return fn(*distribute_utils.select_replica(0, args), **distribute_utils.select_replica(0, kwargs))

    def _get_variable_creator_initial_value(
        self, replica_id: int, device: str, primary_var: Any, **kwargs: Any
    ) -> Callable[[], tf.Tensor]:
        def initial_value() -> tf.Tensor:
            value = kwargs["initial_value"]
            value = value() if callable(value) else value
            # Of a variable that is made while it is restored.
            value = getattr(value, "wrapped_value", value)
            return self._exchange.broadcast(tf.convert_to_tensor(value, dtype=kwargs.get("dtype")))

        return initial_value

    def _broadcast_to(self, tensor: Any, destinations: Any) -> Any:
        return tensor

    def _replica_ctx_all_reduce(self, reduce_op: tf.distribute.ReduceOp, value: Any, options: Any = None) -> Any:
        return tf.nest.pack_sequence_as(value, self._exchange.all_reduce(reduce_op, _flat(value)))

    def _reduce_to(self, reduce_op: tf.distribute.ReduceOp, value: Any, destinations: Any, options: Any) -> Any:
        if distribute_utils.is_mirrored(value) and reduce_op == tf.distribute.ReduceOp.MEAN:
            return value
        return self._exchange.all_reduce(reduce_op, [_own(value)])[0]

    def _batch_reduce_to(
        self, reduce_op: tf.distribute.ReduceOp, value_destination_pairs: Sequence[tuple[Any, Any]], options: Any
    ) -> list[Any]:
        return self._exchange.all_reduce(reduce_op, [_own(value) for value, _ in value_destination_pairs])

    def _gather_to_implementation(self, value: Any, destinations: Any, axis: int, options: Any) -> tf.Tensor:
        first = tf.experimental.numpy.moveaxis(_own(value), axis, 0)
        return tf.experimental.numpy.moveaxis(self._exchange.all_gather(first), 0, axis)

    def _input_context(self) -> tf.distribute.InputContext:
        return tf.distribute.InputContext(self._size, self._rank, self._size)

    def _experimental_distribute_dataset(self, dataset: tf.data.Dataset, options: Any) -> Any:
        return input_util.get_distributed_dataset(
            dataset,
            self._input_workers_with_options(options),
            self._container_strategy(),
            num_replicas_in_sync=self._size,
            input_context=self._input_context(),
            options=options,
        )

    def _distribute_datasets_from_function(self, dataset_fn: Callable[..., tf.data.Dataset], options: Any) -> Any:
        return input_util.get_distributed_datasets_from_function(
            dataset_fn,
            self._input_workers_with_options(options),
            [self._input_context()],
            self._container_strategy(),
            options,
        )

    def _experimental_distribute_values_from_function(self, value_fn: Callable[..., Any]) -> Any:
        return value_fn(distribute_lib.ValueContext(self._rank, self._size))


def _own(value: Any) -> Any:
    """What this process has of a value."""
    if isinstance(value, tf.distribute.DistributedValues):
        value = value.values[0]
    return value if isinstance(value, tf.IndexedSlices) else tf.convert_to_tensor(value)


def _flat(value: Any) -> list[Any]:
    # tf.nest would take slices apart only if asked to.
    return [_own(one) for one in tf.nest.flatten(value)]
