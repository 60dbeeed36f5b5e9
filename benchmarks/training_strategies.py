"""Every strategy that can run here, with both loops, on the same rows and settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.clock import warm_step_seconds
from benchmarks.markdown import markdown_table
from benchmarks.training_data import TrainingData
from benchmarks.training_scaling import clustered

_ALONE = ("default", "one_device", "mirrored", "central_storage")
_LOOPS = ("fit", "custom")


def measure_strategies(data: TrainingData, folder: Path, *, epochs: int, turns: int) -> list[dict[str, Any]]:
    """Trains with each strategy and loop.

    Args:
        data: rows and settings; the batch over all replicas is the settings' own.
        folder: to work in.
        epochs: two or more; the first does not count for the speed.
        turns: how often; of speed and ratio the median counts, and of the rest the last turn.
    """
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for turn in range(turns):
        reference = None
        for strategy in (*_ALONE, *clustered()):
            for loop in _LOOPS:
                settings = {"strategy": strategy, "loop": loop, "epochs": epochs}
                outcome = data.train(folder / str(turn) / f"{strategy}-{loop}", settings)
                speed = data.training["batch_size"] / warm_step_seconds(outcome)
                reference = reference or speed
                row = {
                    "strategy": strategy,
                    "loop": loop,
                    "examples_per_second": speed,
                    "ratio": speed / reference,
                    "val_auc": outcome["history"]["val_auc"][-1],
                    "val_loss": outcome["history"]["val_loss"][-1],
                }
                found.setdefault((strategy, loop), []).append(row)
    return [
        {**rows[-1], **{key: median(row[key] for row in rows) for key in ("examples_per_second", "ratio")}}
        for rows in found.values()
    ]


def report_strategies(result: list[Mapping[str, Any]]) -> str:
    """The result as Markdown."""
    header = ("strategy", "loop", "examples/s", "of default, fit", "eval AUC", "eval loss")
    rows = [
        (
            row["strategy"], row["loop"], round(row["examples_per_second"]), row["ratio"],
            f"{row['val_auc']:.4f}", f"{row['val_loss']:.4f}",
        )
        for row in result
    ]  # fmt: skip
    return markdown_table(header, rows)
