"""Synchronous and asynchronous training of the same model on the same rows: loss by step and by second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.clock import epoch_seconds
from benchmarks.markdown import markdown_table
from benchmarks.training_data import TrainingData

_SYNCHRONOUS = "multi_worker_mirrored"
_ASYNCHRONOUS = "parameter_server"


def measure_curves(
    data: TrainingData, folder: Path, *, workers: Sequence[int], learning_rates: Sequence[float], epochs: int
) -> list[dict[str, Any]]:
    """Trains synchronously with two workers, and with parameter servers and different numbers of workers.

    All of them make the same steps with the same batch of all replicas, and the learning rate stays the same: what
    differs by step is that a parameter-server worker computes gradients for weights that others have changed meanwhile.

    Args:
        data: rows and settings.
        folder: to work in.
        workers: numbers of workers beside parameter servers.
        learning_rates: of the settings' optimizer, constant.
        epochs: two or more.

    Returns:
        For each training `name`, `learning_rate`, and after each epoch `steps`, `seconds` and `val_loss`.
    """
    kinds: dict[str, dict[str, Any]] = {
        "synchronous, 2 workers": {"strategy": _SYNCHRONOUS, "cluster": {"workers": 2}},
        **{
            f"parameter servers, {number} worker{'s' if number > 1 else ''}": {
                "strategy": _ASYNCHRONOUS,
                "cluster": {"workers": number, "ps": 1},
                "steps_per_execution": 1,  # a worker asks for work as often as it can
            }
            for number in workers
        },
    }
    result = []
    for number, rate in enumerate(learning_rates):
        optimizer = {**data.training["optimizer"], "learning_rate": rate, "schedule": {"kind": "constant"}}
        for name, settings in kinds.items():
            training = {**settings, "optimizer": optimizer, "epochs": epochs, "backup": False}
            outcome = data.train(folder / f"{number} {name}", training)
            result.append({"name": name, "learning_rate": rate, **curve(outcome)})
    return result


def curve(outcome: Mapping[str, Any]) -> dict[str, list[float]]:
    """Steps, seconds of training and loss of the eval split after each epoch.

    Evaluations are not counted, and the first epoch, in which graphs are made, counts as long as the others' median.

    Args:
        outcome: of a training of two epochs or more.
    """
    epochs = epoch_seconds(outcome["executions"])
    usual = median(seconds for seconds, _ in epochs[1:])
    return {
        "steps": list(accumulate(steps for _, steps in epochs)),
        "seconds": list(accumulate([usual, *(seconds for seconds, _ in epochs[1:])])),
        "val_loss": list(outcome["history"]["val_loss"]),
    }


def report_curves(result: Sequence[Mapping[str, Any]]) -> str:
    """The result as Markdown."""
    epochs = len(result[0]["steps"])
    shown = sorted({0, epochs // 4, epochs // 2, epochs - 1})
    steps = [f"step {result[0]['steps'][epoch]}" for epoch in shown]
    header = ("eval loss", "learning rate", *steps, "lowest", "s a 100 steps")
    rows = [
        (
            found["name"], f"{found['learning_rate']:g}", *(f"{found['val_loss'][epoch]:.4f}" for epoch in shown),
            f"{min(found['val_loss']):.4f}", 100 * found["seconds"][-1] / found["steps"][-1],
        )
        for found in result
    ]  # fmt: skip
    return markdown_table(header, rows)
