"""The time from a Trainer's call of run_fn to the end of the first step, by launcher."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.markdown import markdown_table
from benchmarks.timed_process import TimedProcess
from benchmarks.training_data import TrainingData
from distribution.cluster import Cluster, Task
from distribution.free_ports import free_ports

_HOST = "127.0.0.1"
_CLUSTERED = "multi_worker_mirrored"


def measure_start(data: TrainingData, folder: Path, *, turns: int) -> list[dict[str, Any]]:
    """Starts trainings of one step, in turns.

    Args:
        data: rows and settings.
        folder: to work in.
        turns: how often; medians count.
    """
    kinds = {
        "in the Trainer's process": ("default", _local),
        "local, 2 workers": (_CLUSTERED, _local),
        "local, 2 workers, 1 ps, chief": ("parameter_server", _local),
        "env, 2 workers": (_CLUSTERED, _env),
    }
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for turn in range(turns):
        for number, (kind, (strategy, start)) in enumerate(kinds.items()):
            training = {"strategy": strategy, "steps": 1, "steps_per_execution": 1, "backup": False}
            outcome = start(data, folder / f"{turn}-{number}", training)
            first = outcome["executions"][0][2]
            found[kind].append((first - outcome["called"], first - outcome["started"]))
    return [
        {
            "launcher": kind,
            "seconds": median(called for called, _ in times),
            "seconds_of_process": median(started for _, started in times),
        }
        for kind, times in found.items()
    ]


def report_start(result: list[Mapping[str, Any]]) -> str:
    """The result as Markdown."""
    header = ("launcher", "s from run_fn to the first step", "s from the start of the process")
    return markdown_table(header, [(row["launcher"], row["seconds"], row["seconds_of_process"]) for row in result])


def _local(data: TrainingData, folder: Path, training: dict[str, Any]) -> dict[str, Any]:
    return data.train(folder, training)


def _env(data: TrainingData, folder: Path, training: dict[str, Any]) -> dict[str, Any]:
    """As somebody who starts the tasks on his own: the chief's pipeline, and the other worker's task beside it."""
    shared = folder.parent / f"{folder.name}-shared"
    cluster = Cluster({"worker": tuple(f"{_HOST}:{port}" for port in free_ports(2, _HOST))})
    first, second = ({"TF_CONFIG": cluster.tf_config(Task("worker", index))} for index in range(2))
    training = {**training, "cluster": {"launcher": "env", "folder": str(shared)}}
    chief = data.start(folder, training, environment=first)
    place = folder.parent / f"{folder.name}-worker" / "run"
    place.mkdir(parents=True)
    command = ["distribution.task", os.path.join(shared, "cluster")]
    worker = TimedProcess(command, place / "none", environment=second)
    outcome = chief.outcome()
    worker.wait()
    return outcome
