"""What the two processes of test_horovod.py exchange; TF_CONFIG says which of them this is."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import horovod.tensorflow as hvd
import numpy as np
import tensorflow as tf

from distribution.horovod_job import join_job
from distribution.horovod_strategy import HorovodStrategy
from distribution.membership import Membership

STEPS = 300


def slowly() -> np.ndarray[Any, Any]:
    """Nothing, after a moment."""
    time.sleep(random.uniform(0, 0.002))
    return np.zeros((), np.float32)


def exchanges(strategy: HorovodStrategy, rank: int) -> dict[str, Any]:
    """All kinds of them, as numbers."""
    own = tf.constant([1.0, 10.0]) * (rank + 1)
    slices = tf.IndexedSlices(tf.ones([1, 2]) * (rank + 1), tf.constant([rank]), tf.constant([2, 2]))
    with strategy.scope():
        first = tf.Variable(1.0 + rank)
        added = tf.Variable(0.0)
        metrics = [tf.keras.metrics.Mean(str(number)) for number in range(4)]

        def reduced(operation: str, *values: Any) -> Any:
            return strategy.run(lambda: tf.distribute.get_replica_context().all_reduce(operation, list(values)))

        def step(number: tf.Tensor) -> list[tf.Tensor]:
            total = tf.distribute.get_replica_context().all_reduce("SUM", number)
            strategy.extended.update(added, lambda variable, value: variable.assign_add(value), args=(total,))
            for metric in metrics:
                metric.update_state(number)
            late = tf.numpy_function(slowly, [], tf.float32)
            return [metric.result() + late for metric in metrics]

        @tf.function(autograph=False)
        def single(number: tf.Tensor) -> list[tf.Tensor]:
            return strategy.run(step, args=(tf.cast(number, tf.float32),))

        @tf.function(autograph=False)
        def loop() -> list[tf.Tensor]:
            done = tf.constant(0)
            return tf.while_loop(
                lambda number, _: number < STEPS,
                lambda number, _: (number + 1, single(number)),
                (done + 1, single(done)),
            )[1]

        results = [float(one) for one in loop()]
        summed = reduced("SUM", own, slices)
        return {
            "first": float(first.numpy()),
            "sum": summed[0].numpy().tolist(),
            "mean": reduced("MEAN", own)[0].numpy().tolist(),
            "whole": int(strategy.reduce("SUM", tf.constant(1) + rank, axis=None)),
            "slices": {"values": summed[1].values.numpy().tolist(), "indices": summed[1].indices.numpy().tolist()},
            "gathered": strategy.gather(tf.constant([[1.0 + rank]]), axis=1).numpy().tolist(),
            "loop": float(added.numpy()),
            "metrics": results,
        }


if __name__ == "__main__":
    join_job(hvd, Membership.from_environment(os.environ), 60)
    found = exchanges(HorovodStrategy(hvd, "/cpu:0"), hvd.rank())
    Path(sys.argv[1], f"{hvd.rank()}.json").write_text(json.dumps(found))
