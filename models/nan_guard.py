"""A stop for trainings that have gone astray."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

from models.batch_rows import BatchRows
from models.custom_step import FINITE_STEPS, LOSS, STEPS
from schemas.errors import TrainingError

_SECONDS = 5.0
_KEPT = 4096


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
        self._epoch, self._step, self._looked = 0, first_step, time.monotonic()
        self._executions: deque[_Execution] = deque(maxlen=_KEPT)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Looks at the execution; the mean of an epoch so far stays NaN once it is."""
        first, self._step = self._step + 1, self._epoch * self._steps_per_epoch + batch + 1
        self._executions.append(_Execution(min(first, self._step), self._step, logs))
        if not hasattr(logs, "fetch") or time.monotonic() - self._looked >= _SECONDS:
            self._look()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Looks once more."""
        self._look()
        self._executions.append(_Execution(self._step, self._step, logs))
        self._look()

    def _look(self) -> None:
        """At the newest execution, and where it went astray at those before it, for the first that did."""
        if self._executions and self._executions[-1].bad() is not None:
            for one in self._executions:
                found = one.bad()
                if found is not None:
                    _raise(*found, self._rows)
        self._looked = time.monotonic()


@dataclass(frozen=True)
class _Execution:
    """What steps have told; it may still be on a worker."""

    first: int
    last: int
    logs: Any

    def bad(self) -> tuple[float, int, int] | None:
        """A loss that is not finite, and the steps among which it came."""
        logs = (self.logs.fetch() if hasattr(self.logs, "fetch") else self.logs) or {}
        loss = float(np.asarray(logs.get(LOSS, 0.0)))
        if STEPS in logs:
            finite = int(np.asarray(logs[FINITE_STEPS]))
            step = self.first + finite
            return None if finite == int(np.asarray(logs[STEPS])) else (loss, step, step)
        return None if math.isfinite(loss) else (loss, self.first, self.last)


def _raise(loss: float, first: int, last: int, rows: BatchRows | None) -> NoReturn:
    is_known = first == last
    raise TrainingError(
        "The training loss is not a finite number.",
        where=f"Trainer, step {last}" if is_known else f"Trainer, between step {first} and step {last}",
        received=f"{loss}, of {rows.of(last - 1)}" if is_known and rows is not None else loss,
        fix="Lower training.optimizer.learning_rate, set training.optimizer.clip_norm (1.0 is usual), "
        "or look for infinite values in the features.",
    )
