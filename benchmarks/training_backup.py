"""What backups cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.clock import TEST, TRAIN, epoch_seconds
from benchmarks.markdown import markdown_table
from benchmarks.training_data import TrainingData

_STRATEGIES = ("default", "multi_worker_mirrored", "parameter_server")


def measure_backup(data: TrainingData, folder: Path, *, every: int, epochs: int, turns: int) -> list[dict[str, Any]]:
    """Trains with a backup every so many steps and without, in turns.

    Both return to Python that often: a backup falls between two executions.

    Args:
        data: rows and settings.
        folder: to work in.
        every: steps between two backups.
        epochs: two or more; the first is not counted.
        turns: how often; medians count.
    """
    result = []
    for strategy in _STRATEGIES:
        turned = []
        for turn in range(turns):
            common = {"strategy": strategy, "epochs": epochs, "steps_per_execution": every}
            with_backups = {**common, "backup_steps": every}
            without = {**common, "backup": False}
            outcomes = [
                data.train(folder / f"{strategy}-{turn}-{number}", settings)
                for number, settings in enumerate((with_backups, without))
            ]
            turned.append(_cost(outcomes[0], outcomes[1], every))
        result.append({"strategy": strategy, "every": every, **_medians(turned)})
    return result


def _cost(saving: Mapping[str, Any], plain: Mapping[str, Any], every: int) -> dict[str, float]:
    with_backups, without = (epoch_seconds(outcome["executions"])[1:] for outcome in (saving, plain))
    steps = sum(number for _, number in without)
    saves = backups_within(saving["executions"], every)
    spent = sum(seconds for seconds, _ in with_backups) - sum(seconds for seconds, _ in without)
    plain_seconds = sum(seconds for seconds, _ in without)
    return {"save_ms": 1000 * spent / saves, "step_ms": 1000 * plain_seconds / steps, "ratio": spent / plain_seconds}


def backups_within(executions: Sequence[Sequence[Any]], every: int) -> int:
    """Backups between the executions of all epochs but the first; one at an epoch's end comes after the evaluation.

    Args:
        executions: as in `benchmarks.clock`.
        every: steps between two backups.
    """
    step, saved, epoch, within = 0, 0, 0, 0
    for (kind, _, _, several, _), (following, *_) in pairwise([*executions, (TEST,)]):
        if kind == TRAIN:
            step += several
            ends_epoch = following == TEST
            if step // every > saved // every:
                saved = step
                within += epoch > 0 and not ends_epoch
            epoch += ends_epoch
    return within


def _medians(turns: list[dict[str, float]]) -> dict[str, float]:
    return {key: median(turn[key] for turn in turns) for key in turns[0]}


def report_backup(result: list[Mapping[str, Any]]) -> str:
    """The result as Markdown."""
    header = ("strategy", "ms a step", "ms a backup", "steps between", "more time")
    rows = [
        (row["strategy"], row["step_ms"], row["save_ms"], row["every"], f"{100 * row['ratio']:.0f} %") for row in result
    ]
    return markdown_table(header, rows)
