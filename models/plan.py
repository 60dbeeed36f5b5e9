"""How far a training goes."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from configs.training import Training

_LOG = logging.getLogger(__name__)
_MOST_STEPS_PER_EXECUTION = 64
_SMALLEST_BATCH, _LARGEST_BATCH, _FEWEST_STEPS_PER_EPOCH = 16, 256, 32


@dataclass(frozen=True)
class Plan:
    """Batches, steps and epochs.

    Attributes:
        batch_size: examples a step, over all replicas.
        steps_per_epoch: full batches in the train split.
        epochs: epochs, the last of which may end early.
        steps: steps in all.
        steps_per_execution: steps between two returns to Python.
    """

    batch_size: int
    steps_per_epoch: int
    epochs: int
    steps: int
    steps_per_execution: int

    @classmethod
    def of(cls, settings: Training, rows: int) -> Plan:
        """The plan for so many rows.

        `training.steps`, where given, wins over `training.epochs`. An execution never goes past its end, and by default
        holds up to 64 steps: more save nothing, and progress and the NaN guard would come later.
        """
        wanted_batch = settings.batch_size or _batch_size(rows)
        batch_size = min(wanted_batch, rows)
        if settings.batch_size and batch_size < settings.batch_size:
            _LOG.warning("The train split has only %d rows: that is the batch, not training.batch_size", rows)
        steps_per_epoch = rows // batch_size
        steps = settings.steps or settings.epochs * steps_per_epoch
        steps_per_epoch = min(steps, steps_per_epoch)
        wanted = settings.steps_per_execution or _MOST_STEPS_PER_EXECUTION
        together = min(wanted, steps_per_epoch)
        if steps % steps_per_epoch:
            # The last epoch ends early: it has to do so between two executions.
            common = math.gcd(steps, steps_per_epoch)
            together = max(number for number in range(1, together + 1) if common % number == 0)
        return cls(batch_size, steps_per_epoch, math.ceil(steps / steps_per_epoch), steps, together)


def _batch_size(rows: int) -> int:
    """The largest power of two from 16 to 256 that leaves 32 steps an epoch: few large batches learn nothing."""
    size = _LARGEST_BATCH
    while size > _SMALLEST_BATCH and rows // size < _FEWEST_STEPS_PER_EPOCH:
        size //= 2
    return size
