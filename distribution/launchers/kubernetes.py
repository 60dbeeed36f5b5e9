"""Runs the tasks of a training as Indexed Jobs of a Kubernetes cluster; docs/kubernetes.md describes it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from configs.training import Training
from distribution.kubernetes.api_server import ApiError
from distribution.kubernetes.cluster_api import ClusterApi, connect
from distribution.kubernetes.failure import failed_start, failed_training
from distribution.kubernetes.indexed_jobs import indexed_jobs
from distribution.kubernetes.permissions import check_permissions, not_allowed
from distribution.kubernetes.pod_logs import PodLogs, say
from distribution.kubernetes.pod_state import (
    end_of,
    failure_of,
    has_failed,
    is_complete,
    is_ended,
    is_running,
    made_no_pods,
    obstacle_of,
    task_name,
)
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
_CREATED_SECONDS = 10.0
_LOG_SECONDS = 10.0
_CLEAN_SECONDS = 10.0

_REFUSALS = {
    0: ("The Kubernetes API server does not answer.", "Check the cluster, the network and the kubeconfig."),
    401: ("Kubernetes does not know who we are.", "Renew the credentials of the kubeconfig."),
    404: ("Kubernetes does not have what is named.", "Check training.cluster.kubernetes.namespace."),
}


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
        _readable(api),
    ):
        check_permissions(api)
        with _applied(api, workload):
            logs = PodLogs(api)
            try:
                _follow(api, workload, logs, start_seconds, reports)
            finally:
                logs.finish(_LOG_SECONDS)


def _follow(api: ClusterApi, workload: Workload, logs: PodLogs, start_seconds: float, reports: TaskReports) -> None:
    """Until the leader's Job is complete, or something cannot go on."""
    leader = workload.job(workload.leader)
    stuck = _Stuck(api, start_seconds, workload.pods.pull_seconds)
    lost, hung = _Lost(), _Hung(api, reports)
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


class _Lost:
    """Says which tasks were lost, once each; the Job controller starts them again."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, Any]] = {}
        self._said: set[str] = set()

    def look(self, pods: list[dict[str, Any]]) -> None:
        there = {pod["metadata"]["uid"]: pod for pod in pods}
        for uid, pod in {**self._seen, **there}.items():
            gone = uid not in there
            if uid not in self._said and (has_failed(pod) or (gone and not is_ended(pod))):
                self._said.add(uid)
                code = end_of(pod).get("exitCode")
                how = f"ended with exit code {code}" if code is not None else "was removed"
                say(task_name(pod), f"pod {pod['metadata']['name']} {how}")
        self._seen = there


class _Hung:
    """Removes pods whose task gives no sign of life any more; the Job controller starts them again."""

    def __init__(self, api: ClusterApi, reports: TaskReports) -> None:
        self._api, self._reports = api, reports
        self._started: dict[str, str] = {}

    def look(self, pods: list[dict[str, Any]]) -> None:
        for pod in filter(is_running, pods):
            task, meta = task_name(pod), pod["metadata"]
            if self._started.get(task) != meta["uid"]:
                self._started[task] = meta["uid"]
                self._reports.begins(task)
            seconds = self._reports.silent_for(task)
            if seconds is not None:
                say(task, f"no sign of life for {seconds:.0f} s: pod {meta['name']} is removed")
                self._api.delete("Pod", meta["name"], at_once=True)


class _Stuck:
    """Notices pods that do not start within their time, and Jobs that may not make any."""

    def __init__(self, api: ClusterApi, start_seconds: float, pull_seconds: float) -> None:
        self._api = api
        self._patience = {"container": pull_seconds, "schedule": start_seconds, "start": start_seconds}
        self._since: dict[tuple[str, str], float] = {}

    def look(self, jobs: list[dict[str, Any]], pods: list[dict[str, Any]]) -> None:
        """Raises TrainingError when one has waited too long."""
        now = time.monotonic()
        since: dict[tuple[str, str], float] = {}
        for pod in pods:
            obstacle = obstacle_of(pod)
            if obstacle is not None:
                key = (pod["metadata"]["uid"], obstacle.kind)
                since[key] = self._since.get(key, now)
                if now - since[key] >= self._patience[obstacle.kind]:
                    raise failed_start(self._api, pod, obstacle, now - since[key])
        for job in jobs:
            if made_no_pods(job):
                key = (job["metadata"]["uid"], "no pods")
                since[key] = self._since.get(key, now)
                if now - since[key] >= _CREATED_SECONDS:
                    self._ask_why(job)
        self._since = since

    def _ask_why(self, job: dict[str, Any]) -> None:
        name = job["metadata"]["name"]
        refusals = [event for event in self._api.events(name) if event.get("reason") == "FailedCreate"]
        if refusals:
            raise TrainingError(
                "Kubernetes does not let the training's pods be made.",
                where=f"Job {name} in namespace {self._api.namespace}",
                received=refusals[-1].get("message"),
                fix="Change what it names in training.cluster.kubernetes, or in the namespace.",
            )


@contextlib.contextmanager
def _applied(api: ClusterApi, workload: Workload) -> Iterator[None]:
    """Has the objects in the cluster meanwhile, and removes them however it ends."""
    try:
        try:
            _create(api, workload)
        except ApiError as error:
            if error.status != 409 or not api.jobs(workload.selector):
                raise
            say("launcher", "removing what an earlier launcher, which was killed, has left of this training")
            _remove(api, workload)
            _create(api, workload)
        yield
    finally:
        try:
            _remove(api, workload)
        except ApiError as error:
            left = f"kubectl delete jobs,services -n {api.namespace} -l {workload.selector}"
            say("launcher", f"the training could not be removed ({error.message}); {left}")


def _create(api: ClusterApi, workload: Workload) -> None:
    """Creates the leader's Job first, which owns the others, as this process's pod owns it where there is one.

    Should nobody be left to remove them, the cluster does when that pod or that Job has gone.
    """
    service, *jobs = indexed_jobs(workload)
    own_pod = api.own_pod()
    leader = api.create(_owned(jobs[0], "v1", "Pod", own_pod) if own_pod else jobs[0])
    for document in (service, *jobs[1:]):
        api.create(_owned(document, "batch/v1", "Job", leader))


def _owned(document: dict[str, Any], version: str, kind: str, owner: dict[str, Any]) -> dict[str, Any]:
    meta = owner["metadata"]
    reference = {"apiVersion": version, "kind": kind, "name": meta["name"], "uid": meta["uid"]}
    return {**document, "metadata": {**document["metadata"], "ownerReferences": [reference]}}


def _remove(api: ClusterApi, workload: Workload) -> None:
    """Removes everything, and waits until the pods have ended."""
    service, *jobs = indexed_jobs(workload)
    for document in (*jobs, service):
        api.delete(document["kind"], document["metadata"]["name"])
    deadline = time.monotonic() + workload.grace_seconds + _CLEAN_SECONDS
    while api.pods(workload.selector) or api.jobs(workload.selector):
        if time.monotonic() > deadline:
            say("launcher", f"still ending: kubectl get pods -n {api.namespace} -l {workload.selector}")
            return
        time.sleep(_LOOK_SECONDS / 4)


@contextlib.contextmanager
def _readable(api: ClusterApi) -> Iterator[None]:
    """What the API server refuses becomes a TrainingError."""
    try:
        yield
    except ApiError as error:
        where = f"namespace {api.namespace}"
        if error.status == 403 and "is forbidden: User" in error.message:
            raise not_allowed(error.message, api) from error
        what, fix = _REFUSALS.get(
            error.status,
            ("Kubernetes refuses the training.", "Change what it names in training.cluster.kubernetes."),
        )
        raise TrainingError(what, where=where, received=error.message, fix=fix) from error
