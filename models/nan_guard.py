"""A stop for trainings that have gone astray."""

from __future__ import annotations

import math
import time
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

from models.batch_rows import BatchRows
from models.custom_step import FINITE_STEPS, LOSS, STEPS
from schemas.errors import TrainingError

_SECONDS = 5.0


class NanGuard(tf.keras.callbacks.Callback):
    """Ends the training when the loss is no longer a finite number, looking after each execution.

    The custom loop tells each step, `fit` the mean of the epoch so far. Where parameter servers coordinate, a look
    waits for the workers, and so comes every few seconds only.

    Args:
        steps_per_epoch: steps of an epoch.
        first_step: steps that were made before.
        rows: names the rows of a step; default: they are not known.

    Raises:
        TrainingError: naming the step and its rows, or the steps among which it happened.
    """

    def __init__(self, steps_per_epoch: int, first_step: int = 0, rows: BatchRows | None = None) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self._steps_per_epoch, self._rows = steps_per_epoch, rows
        self._epoch, self._step, self._seen, self._looked = 0, first_step, first_step, time.monotonic()
        self._logs: list[dict[str, Any]] = []  # since the last look

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the executions since the last look; the mean of an epoch so far stays NaN once it is."""
        logs = logs or {}
        self._step = self._epoch * self._steps_per_epoch + batch + 1
        self._logs = [*self._logs, logs] if STEPS in logs else [logs]
        if not hasattr(logs.get(LOSS), "fetch") or time.monotonic() - self._looked >= _SECONDS:
            self._look()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks once more."""
        self._look()
        self._logs = [logs or {}]
        self._look()

    def _look(self) -> None:
        first, last, found = min(self._seen + 1, self._step), self._step, self._logs
        self._logs, self._seen, self._looked = [], last, time.monotonic()
        for logs in found:
            loss = _number(logs.get(LOSS, 0.0))
            if STEPS in logs:
                steps, finite = int(_number(logs[STEPS])), int(_number(logs[FINITE_STEPS]))
                if finite < steps:
                    _raise(loss, first + finite, first + finite, self._rows)
                first += steps
            elif not math.isfinite(loss):
                _raise(loss, first, last, self._rows)


def _number(value: Any) -> float:
    """The number, which may still be on a worker."""
    return float(np.asarray(value.fetch() if hasattr(value, "fetch") else value))


def _raise(loss: float, first: int, last: int, rows: BatchRows | None) -> NoReturn:
    is_known = first == last
    raise TrainingError(
        "The training loss is not a finite number.",
        where=f"Trainer, step {last}" if is_known else f"Trainer, between step {first} and step {last}",
        received=f"{loss}, of {rows.of(last - 1)}" if is_known and rows is not None else loss,
        fix="Lower training.optimizer.learning_rate, set training.optimizer.clip_norm (1.0 is usual), "
        "or look for infinite values in the features.",
    )
