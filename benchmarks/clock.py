"""The times of a training's executions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.network import Network

TRAIN, TEST = "train", "test"


class Clock:
    """Notes when each execution of a model begins and returns, in both loops, under every strategy.

    Every step goes through `Network.execution`, which it wraps: the training itself is the one of `models.train`, with
    all of its callbacks. Where parameter servers coordinate, a call returns before a worker has made it; only the first
    one, whose time is asked for, is waited for.

    Attributes:
        executions: (train or test, begin, end, steps, processor) of each: seconds since 1970, and seconds that all
            threads of this process had computed when it began.
        model: the model; None before there is one.
    """

    def __init__(self) -> None:
        self.executions: list[tuple[str, float, float, int, float]] = []
        self.model: Network | None = None

    def watched(self, make: Callable[..., Network]) -> Callable[..., Network]:
        """A function that makes a model -> one that makes the same model, watched."""

        def made(*args: Any, **options: Any) -> Network:
            return self.watch(make(*args, **options))

        return made

    def watch(self, model: Network) -> Network:
        """Watches a model from now on; returns it."""
        plain, self.model = model.execution, model

        def execution(step: Any, counter: Any, **options: Any) -> Any:
            made = plain(step, counter, **options)
            kind = TRAIN if counter is model._train_counter else TEST
            return lambda iterator, several: self._timed(kind, made, iterator, several)

        model.execution = execution
        return model

    def _timed(self, kind: str, made: Any, iterator: Any, several: int) -> Any:
        begin, processor = time.time(), time.process_time()
        outputs = made(iterator, several)
        if not self.executions and hasattr(outputs, "fetch"):
            outputs.fetch()
        self.executions.append((kind, begin, time.time(), several, processor))
        return outputs


BEGIN, PROCESSOR = 1, 4


def epoch_seconds(executions: Sequence[Sequence[Any]], clock: int = BEGIN) -> list[tuple[float, int]]:
    """Seconds and steps of each epoch's training: from its first execution to the evaluation that follows.

    What happens between executions, callbacks and backups, is in it, and so is the wait for parameter servers' workers.

    Args:
        executions: as in `Clock`.
        clock: BEGIN for wall seconds, PROCESSOR for those computed in this process.
    """
    epochs: list[tuple[float, int]] = []
    begun, steps = None, 0
    for execution in executions:
        kind, begin, several = execution[0], execution[clock], execution[3]
        if kind == TRAIN:
            begun, steps = (begin if begun is None else begun), steps + several
        elif begun is not None:
            epochs.append((begin - begun, steps))
            begun, steps = None, 0
    return epochs


def warm_step_seconds(outcome: Mapping[str, Any], clock: int = BEGIN) -> float:
    """Seconds a step, over all epochs but the first, in which graphs are made.

    Args:
        outcome: what `benchmarks.timed_training` wrote, of two epochs or more.
        clock: as in `epoch_seconds`.
    """
    warm = epoch_seconds(outcome["executions"], clock)[1:]
    return sum(seconds for seconds, _ in warm) / sum(steps for _, steps in warm)
