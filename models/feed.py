"""Rows on their way to the replicas of the present strategy."""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from configs.training import Training
from models.batch_rows import BatchRows
from models.input_fn import Split, evaluation_dataset, training_dataset
from models.network import Network
from models.order import Order
from models.plan import Plan
from models.shard import WHOLE, Shard
from models.table import evaluation_draw, table_dataset, training_draw
from schemas.errors import TrainingError

_LOG = logging.getLogger(__name__)
_LEAST_EVALUATION_BATCH = 8192


@dataclass(frozen=True)
class Feed:
    """What `Model.fit` reads.

    Attributes:
        train: endless batches: a data set, one for each process, or Keras's DatasetCreator for parameter servers.
        evaluation: the eval split in the same form.
        evaluation_steps: steps of one evaluation; None where the data set knows.
        rows: the rows of each step of the training; None where files are shuffled as they are read.
    """

    train: Any
    evaluation: Any
    evaluation_steps: int | None
    rows: BatchRows | None

    @classmethod
    def to(
        cls, model: Network, train: Split, evaluation: Split, plan: Plan, settings: Training, first_step: int = 0
    ) -> Feed:
        """The feed of the strategy in whose scope this is called.

        Args:
            model: takes the batches; under parameter servers it is told how to draw them.
            train: rows to train on.
            evaluation: rows to evaluate.
            plan: batch and steps.
            settings: seed and shuffling.
            first_step: steps that have been trained already.

        Raises:
            TrainingError: fewer rows than replicas, or more than the workers of parameter servers may hold.
        """
        strategy = tf.distribute.get_strategy()
        batch = max(plan.batch_size, _LEAST_EVALUATION_BATCH)
        is_coordinated = isinstance(strategy, tf.distribute.experimental.ParameterServerStrategy)
        order = Order(train.rows, plan.batch_size, settings.seed)
        rows = BatchRows(train, order) if is_coordinated or train.columns is not None else None
        steps = math.ceil(evaluation.rows / batch)

        def training(shard: Shard = WHOLE) -> tf.data.Dataset:
            return training_dataset(
                train,
                plan.batch_size,
                seed=settings.seed,
                shuffle_buffer=settings.shuffle_buffer,
                first_step=first_step,
                shard=shard,
            )

        if is_coordinated:
            _require_shared(train, evaluation)
            model.train_draw, model.test_draw = training_draw(order), evaluation_draw(evaluation.rows, steps)
            return cls(_on_each_worker(train), _on_each_worker(evaluation), steps, rows)
        if strategy.num_replicas_in_sync == 1:
            return cls(training(), evaluation_dataset(evaluation, batch), None, rows)
        replicas = strategy.num_replicas_in_sync
        _require_rows(replicas, train=train, eval=evaluation)
        if evaluation.rows % replicas:
            _LOG.warning(
                "The eval split's %d rows do not divide among %d replicas: some evaluate one row more than others",
                evaluation.rows, replicas,
            )  # fmt: skip
        steps = math.ceil(steps / replicas)
        return cls(
            strategy.distribute_datasets_from_function(lambda context: training(Shard.of(context))),
            strategy.distribute_datasets_from_function(
                lambda context: evaluation_dataset(evaluation, batch, steps=steps, shard=Shard.of(context))
            ),
            steps,
            rows,
        )


def _on_each_worker(split: Split) -> tf.keras.utils.experimental.DatasetCreator:
    return tf.keras.utils.experimental.DatasetCreator(lambda context: table_dataset(split))


def _require_rows(replicas: int, **splits: Split) -> None:
    for name, split in splits.items():
        if split.rows < replicas:
            raise TrainingError(
                f"The {name} split has fewer rows than the training has replicas.",
                where="Trainer",
                received=f"{split.rows} rows, {replicas} replicas",
                fix="Train on fewer workers or devices, or on more data.",
            )


def _require_shared(*splits: Split) -> None:
    """Workers of parameter servers read for themselves, and keep the whole split in memory."""
    for split in splits:
        received = f"{split.rows} rows of {os.path.dirname(split.files[0])}" if split.files else None
        if split.transform is not None:
            raise TrainingError(
                "The workers of parameter servers read transformed examples, and these are raw.",
                where="transform.materialize",
                received=received,
                fix="Set transform.materialize to true, or choose another training.strategy.",
            )
        if split.columns is None:
            raise TrainingError(
                "Each worker of parameter servers keeps the whole split in memory, which the settings do not allow.",
                where="training.cache, training.cache_bytes",
                received=received,
                fix="Set training.cache to true, raise training.cache_bytes, or choose another training.strategy.",
            )
