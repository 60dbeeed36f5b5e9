"""How far a training goes."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from configs.training import Training
from schemas.errors import TrainingError

_LOG = logging.getLogger(__name__)
_MOST_STEPS_PER_EXECUTION = 64
_TURNS = 8  # executions of each worker in an epoch, so that none waits long for the last one
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
        replicas: replicas among which each batch is divided.
    """

    batch_size: int
    steps_per_epoch: int
    epochs: int
    steps: int
    steps_per_execution: int
    replicas: int = 1

    @classmethod
    def of(cls, settings: Training, rows: int, replicas: int = 1, workers: int = 1) -> Plan:
        """The plan for so many rows.

        `training.steps`, where given, wins over `training.epochs`. By default an execution holds up to
        64 steps: more save nothing, and progress and the NaN guard would come later. The last of an epoch and of the
        training hold what is left.

        Args:
            settings: batch, steps and epochs.
            rows: rows to train on.
            replicas: replicas among which each batch is divided, evenly.
            workers: workers that make executions at the same time, as parameter servers have them; an epoch is parted
                into several for each.

        Raises:
            TrainingError: fewer rows than replicas, or a batch of less than one example for each replica.
        """
        if rows < replicas:
            raise TrainingError(
                "The train split has fewer rows than the training has replicas.",
                where="Trainer",
                received=f"{rows} rows, {replicas} replicas",
                fix="Train on fewer workers or devices, or on more data.",
            )
        batch_size = _batch_of(settings, rows, replicas)
        steps_per_epoch = rows // batch_size
        if replicas > 1 and rows % batch_size:
            _LOG.warning(
                "The train split's %d rows are not a whole number of steps of %d rows for %d replicas: "
                "%d rows are left for the next epoch, each time",
                rows, batch_size, replicas, rows % batch_size,
            )  # fmt: skip
        steps = settings.steps or settings.epochs * steps_per_epoch
        steps_per_epoch = min(steps, steps_per_epoch)
        wanted = settings.steps_per_execution or _MOST_STEPS_PER_EXECUTION
        together = min(wanted, steps_per_epoch if workers == 1 else max(1, steps_per_epoch // (_TURNS * workers)))
        return cls(batch_size, steps_per_epoch, math.ceil(steps / steps_per_epoch), steps, together, replicas)


def _batch_of(settings: Training, rows: int, replicas: int) -> int:
    """Examples a step: as the settings say, but no more than there are, and as many for each replica."""
    if settings.replica_batch_size:
        wanted = settings.replica_batch_size * replicas
    else:
        wanted = settings.batch_size or max(replicas, _batch_size(rows))
    if wanted < replicas:
        raise TrainingError(
            f"A batch of {wanted} cannot be divided among {replicas} replicas.",
            where="training.batch_size",
            received=wanted,
            fix=f"Set training.batch_size to at least {replicas}; a multiple of it keeps all replicas busy.",
        )
    if wanted > rows:
        _LOG.warning("The train split has only %d rows: they are the batch, not %d", rows, wanted)
    batch = min(wanted, rows)
    even = max(1, batch // replicas) * replicas
    if even != batch:
        _LOG.warning("A batch of %d does not divide among %d replicas: it is %d", batch, replicas, even)
    return even


def _batch_size(rows: int) -> int:
    """The largest power of two from 16 to 256 that leaves 32 steps an epoch: few large batches learn nothing."""
    size = _LARGEST_BATCH
    while size > _SMALLEST_BATCH and rows // size < _FEWEST_STEPS_PER_EPOCH:
        size //= 2
    return size
