"""Runs the tasks of a training as Indexed Jobs of a Kubernetes cluster; docs/kubernetes.md describes it."""

from __future__ import annotations

import contextlib
import time

from configs.training import Training
from distribution.kubernetes.api_server import ApiError
from distribution.kubernetes.applied import applied
from distribution.kubernetes.cluster_api import ClusterApi, connect
from distribution.kubernetes.failure import failed_training
from distribution.kubernetes.hung_pods import HungPods
from distribution.kubernetes.lost_pods import LostPods
from distribution.kubernetes.permissions import check_permissions
from distribution.kubernetes.pod_logs import PodLogs
from distribution.kubernetes.pod_state import failure_of, is_complete
from distribution.kubernetes.refusal import refusals_readable
from distribution.kubernetes.stuck_pods import StuckPods
from distribution.kubernetes.task_reports import TaskReports
from distribution.kubernetes.training_workload import workload_of
from distribution.kubernetes.workload import Workload
from distribution.launchers.signals import signals_raise
from distribution.sign_of_life import LifeWatch
from distribution.training_job import TrainingJob
from schemas.errors import ScalableTFError, TrainingError

_LOOK_SECONDS = 1.0
_API_SECONDS = 60.0
"""How long the API server may be away: it is restarted now and then."""
_LOG_SECONDS = 10.0


def launch(job: TrainingJob, training: Training) -> None:
    """Trains in the pods of the settings.

    Args:
        job: the training, written for its tasks.
        training: its settings.

    Raises:
        TrainingError: the training has failed, or cannot be started.
    """
    run_workload(
        workload_of(training, job.folder),
        start_seconds=training.cluster.start_seconds,
        reports=JobReports(job, training.cluster.hung_seconds),
    )


class JobReports(TaskReports):
    """What our own tasks write to the folder that they share.

    Args:
        job: the training.
        hung_seconds: how long a task may give no sign of life.
    """

    def __init__(self, job: TrainingJob, hung_seconds: float) -> None:
        self._job = job
        self._life = LifeWatch(job, hung_seconds)

    def begins(self, task: str) -> None:
        """Forgets the signs of an earlier pod."""
        self._life.begin(task)

    def silent_for(self, task: str) -> float | None:
        """Seconds since the last sign, where they are too many."""
        return self._life.silent_for(task)

    def failure(self, task: str) -> ScalableTFError | None:
        """What the task has written about its error."""
        return self._job.failure(task)


def run_workload(workload: Workload, *, start_seconds: float, reports: TaskReports) -> None:
    """Applies a training, shows its logs, waits for its end and removes it.

    Args:
        workload: the training.
        start_seconds: how long a pod may wait for a node, and for its volumes.
        reports: what the tasks tell of themselves.

    Raises:
        TrainingError: the training has failed, or cannot be started.
    """
    with (
        signals_raise(),
        contextlib.closing(connect(workload.pods, connections=sum(workload.tasks.values()) + 2)) as api,
        refusals_readable(api),
    ):
        check_permissions(api)
        with applied(api, workload):
            logs = PodLogs(api)
            try:
                _follow(api, workload, logs, start_seconds, reports)
            finally:
                logs.finish(_LOG_SECONDS)


def _follow(api: ClusterApi, workload: Workload, logs: PodLogs, start_seconds: float, reports: TaskReports) -> None:
    """Until the leader's Job is complete, or something cannot go on."""
    leader = workload.job(workload.leader)
    stuck = StuckPods(api, start_seconds, workload.pods.pull_seconds)
    lost, hung = LostPods(api, workload, reports), HungPods(api, reports)
    answered = time.monotonic()
    while True:
        try:
            jobs, pods = api.jobs(workload.selector), api.pods(workload.selector)
            answered = time.monotonic()
        except ApiError as error:
            if error.status in (401, 403) or time.monotonic() - answered > _API_SECONDS:
                raise
            time.sleep(_LOOK_SECONDS)
            continue
        logs.follow(pods)
        lost.look(pods)
        hung.look(pods)
        for job in jobs:
            failure = failure_of(job)
            if failure is not None:
                raise failed_training(api, workload, job, failure, pods, reports)
        if leader not in {job["metadata"]["name"] for job in jobs}:
            raise TrainingError(
                "The training was removed from the cluster by somebody else.",
                where=f"Job {leader} in namespace {api.namespace}",
                fix="Run again: it goes on from the last checkpoint.",
            )
        if any(is_complete(job) for job in jobs if job["metadata"]["name"] == leader):
            return
        stuck.look(jobs, pods)
        time.sleep(_LOOK_SECONDS)
