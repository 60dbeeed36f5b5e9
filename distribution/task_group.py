"""All tasks of a training as processes of this machine."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from configs.training import Training
from distribution.cluster import Cluster, Task
from distribution.free_ports import free_ports
from distribution.shape import cluster_shape
from distribution.sign_of_life import LifeWatch
from distribution.task_process import TaskProcess
from distribution.training_job import TrainingJob

_LOG = logging.getLogger(__name__)
_HOST = "127.0.0.1"
_POLL_SECONDS = 0.02


class TaskGroup:
    """Starts the tasks, watches them and ends them.

    Args:
        job: the training.
        training: its settings.

    Attributes:
        cluster: the tasks and their addresses; other ones after each start.
    """

    def __init__(self, job: TrainingJob, training: Training) -> None:
        self._job, self._shape = job, cluster_shape(training)
        self.cluster = self._at_free_ports()
        self._life = LifeWatch(job, training.cluster.hung_seconds)
        self._processes: dict[Task, TaskProcess] = {}
        self._processors = _processors_of(self.cluster)
        self._logs = _logs_folder(job)

    def start(self) -> None:
        """Starts all tasks, at ports that are free now."""
        self.cluster = self._at_free_ports()
        self._job.forget_failures()
        for task in self.cluster.tasks:
            self.start_task(task)

    def start_task(self, task: Task) -> None:
        """Starts one task, for the first time or again."""
        self._life.begin(str(task))
        self._job.forget_failure(str(task))
        environment = {"TF_CONFIG": self.cluster.tf_config(task)}
        log = None if self._logs is None else open(self._logs / f"{task}.log", "ab")  # noqa: SIM115  (kept by the process)
        self._processes[task] = TaskProcess(self._job, task, environment, self._processors.get(task), log)

    def poll(self) -> Mapping[Task, int]:
        """Exit codes of the tasks that have ended."""
        found = {task: process.poll() for task, process in self._processes.items()}
        return {task: code for task, code in found.items() if code is not None}

    def kill_silent(self) -> dict[Task, float]:
        """Ends tasks that give no sign of life, and tells for how many seconds they have given none."""
        silent = {}
        for task, process in self._processes.items():
            seconds = None if process.code is not None else self._life.silent_for(str(task))
            if seconds is not None:
                _LOG.warning("%s has given no sign of life for %.0f s: it is ended", task, seconds)
                silent[task] = seconds
                process.signal(signal.SIGKILL)
        return silent

    def settle(self, seconds: float, awaited: Collection[Task]) -> Mapping[Task, int]:
        """Waits until these tasks have ended, or one tells of a mistake; returns the exit codes of all that have ended.

        Args:
            seconds: how long to wait at most.
            awaited: tasks that end by themselves.
        """
        deadline = time.monotonic() + seconds
        while not (ended := self.poll()).keys() >= set(awaited) and time.monotonic() < deadline:
            if any(self._job.failure(str(task)) for task in ended):
                break
            time.sleep(_POLL_SECONDS)
        return ended

    def preempt(self, grace: float) -> None:
        """Asks the tasks to save their state and end; those that serve others end after these."""
        serves = bool(self.cluster.number("ps"))
        first = [process for task, process in self._processes.items() if not serves or task.role == "chief"]
        for process in first:
            process.signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        while any(process.poll() is None for process in first) and time.monotonic() < deadline:
            self.poll()
            time.sleep(_POLL_SECONDS)
        self.stop()

    def stop(self) -> None:
        """Ends all tasks at once."""
        for process in self._processes.values():
            process.signal(signal.SIGKILL)
        for process in self._processes.values():
            process.stop()

    def _at_free_ports(self) -> Cluster:
        ports = iter(free_ports(sum(self._shape.values()), _HOST))
        return Cluster(
            {role: tuple(f"{_HOST}:{next(ports)}" for _ in range(number)) for role, number in self._shape.items()}
        )


def _processors_of(cluster: Cluster) -> dict[Task, set[int]]:
    """Processors of each worker, where there are enough to give each its own.

    Two workers on one machine that may run everywhere get into each other's way: neither is faster than one alone.
    """
    workers = [task for task in cluster.tasks if task.role == "worker"]
    own = sorted(os.sched_getaffinity(0))
    each = len(own) // len(workers)
    if len(workers) < 2 or not each:
        return {}
    shares = {task: set(own[number * each : (number + 1) * each]) for number, task in enumerate(workers)}
    _LOG.info("Each of %d workers has %d of %d processors for itself", len(workers), each, len(own))
    return shares


def _logs_folder(job: TrainingJob) -> Path | None:
    """The folder of the tasks' own logs, in the model run; none where that is not on this machine's disks."""
    folder = str(job.fn_args["model_run_dir"])
    if "://" in folder:
        return None
    logs = Path(folder, "logs")
    logs.mkdir(parents=True, exist_ok=True)
    return logs
