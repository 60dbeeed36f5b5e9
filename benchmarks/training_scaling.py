"""One worker beside two, a processor each, on a model that computes much."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.clock import warm_step_seconds
from benchmarks.markdown import markdown_table
from benchmarks.training_data import TrainingData

_TWO = 2


def clustered() -> list[str]:
    """Strategies of several processes that this environment has."""
    found = ["multi_worker_mirrored", "parameter_server"]
    return [*found, "horovod"] if importlib.util.find_spec("horovod") else found


def measure_scaling(
    data: TrainingData, folder: Path, *, hidden_units: list[int], replica_batch: int, epochs: int, turns: int
) -> dict[str, Any]:
    """Examples a second with one worker and with two, and what the exchange takes of them.

    The processes of one worker may use one processor, those of two workers two; of several workers the launcher gives
    each a processor. Synchronous workers each keep their batch: two make steps of twice as many examples. What two
    workers would reach without exchange is what two trainings reach that run side by side and know nothing of each
    other, with the same batch and threads.

    Args:
        data: rows and settings.
        folder: to work in.
        hidden_units: of the model.
        replica_batch: examples a step of each worker.
        epochs: two or more; the first is not counted.
        turns: how often everything is run; medians count.
    """
    model = {"hidden_units": hidden_units, "dropout": 0.0}
    first, second = sorted(os.sched_getaffinity(0))[:_TWO]
    common = {"epochs": epochs, "backup": False, "tensorboard": False}
    runs: dict[str, list[dict[str, float]]] = {strategy: [] for strategy in clustered()}
    chosen: dict[str, list[str]] = {}
    for turn in range(turns):
        place = folder / str(turn)
        apart = _apart(data, place, {**common, "batch_size": replica_batch}, model, (first, second))
        for strategy, found in runs.items():
            batch = replica_batch if strategy == "parameter_server" else _TWO * replica_batch
            settings = {**common, "strategy": strategy}
            one = data.train(
                place / f"{strategy}-1",
                {**settings, "batch_size": replica_batch, "cluster": {"workers": 1}},
                model=model,
                processors={first},
            )
            several = data.start(
                place / f"{strategy}-2",
                {**settings, "batch_size": batch, "cluster": {"workers": _TWO}},
                model=model,
                processors={first, second},
            )
            two = warm_step_seconds(several.outcome())
            alone = replica_batch / warm_step_seconds(one)
            found.append({"one": alone, "two": batch / two, "apart": apart, "step_ms": 1000 * two})
            chosen[strategy] = _chosen(several.log())
    return {
        "hidden_units": hidden_units,
        "replica_batch": replica_batch,
        "turns": turns,
        "strategies": {strategy: {**summary(found), "chosen": chosen[strategy]} for strategy, found in runs.items()},
    }


def summary(turns: list[dict[str, float]]) -> dict[str, Any]:
    """Medians over the turns; ratios are those of numbers of the same turn.

    Args:
        turns: examples a second of `one` worker, of `two`, and of two trainings `apart`.
    """
    return {
        "one": median(turn["one"] for turn in turns),
        "two": median(turn["two"] for turn in turns),
        "ratio": median(turn["two"] / turn["one"] for turn in turns),
        "apart_ratio": median(turn["apart"] / turn["one"] for turn in turns),
        "exchange_share": median(1 - turn["two"] / turn["apart"] for turn in turns),
        "step_ms": median(turn["step_ms"] for turn in turns),
        "turns": turns,
    }


def _apart(
    data: TrainingData, folder: Path, training: Mapping[str, Any], model: Mapping[str, Any], processors: tuple[int, int]
) -> float:
    threads = {"intra_op_threads": 2, "inter_op_threads": 2}  # as the tasks of a cluster
    settings = {**training, "strategy": "default", "device": threads}
    started = [
        data.start(folder / f"apart-{number}", settings, model=model, processors={number}) for number in processors
    ]
    return sum(training["batch_size"] / warm_step_seconds(process.outcome()) for process in started)


def _chosen(log: str) -> list[str]:
    """What the launcher says that it has chosen."""
    marks = ("processors for itself", "threads within an operation")
    said = [line.partition(": ")[2] or line for line in log.splitlines() if any(mark in line for mark in marks)]
    return list(dict.fromkeys(said))


def report_scaling(result: Mapping[str, Any]) -> str:
    """The result as Markdown."""
    rows = [
        (
            name,
            found["one"],
            found["two"],
            found["ratio"],
            found["apart_ratio"],
            f"{100 * found['exchange_share']:.0f} %",
        )
        for name, found in result["strategies"].items()
    ]
    header = ("strategy", "1 worker, examples/s", "2 workers", "ratio", "ratio without exchange", "exchange")
    return (
        f"Hidden units {result['hidden_units']}, {result['replica_batch']} examples a step and worker, "
        f"{result['turns']} turn(s)\n\n" + markdown_table(header, rows)
    )
