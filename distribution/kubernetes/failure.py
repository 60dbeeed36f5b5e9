"""Why a training on Kubernetes has failed, as one readable error."""

from __future__ import annotations

from typing import Any

from distribution.kubernetes.cluster_api import ClusterApi
from distribution.kubernetes.indexed_jobs import FINAL_CODES
from distribution.kubernetes.pod_state import Obstacle, end_of, has_failed, role_of, task_name
from distribution.kubernetes.task_reports import TaskReports
from distribution.kubernetes.workload import ROLE_LABEL, Workload
from distribution.task import TRY_AGAIN
from schemas.errors import ScalableTFError, TrainingError

_LINES = 20
_KILLED = 137


def failed_training(
    api: ClusterApi,
    workload: Workload,
    job: dict[str, Any],
    failure: dict[str, Any],
    pods: list[dict[str, Any]],
    reports: TaskReports,
) -> ScalableTFError:
    """The error of a Job that has failed.

    Args:
        api: the cluster, for logs.
        workload: what was run.
        job: the Job.
        failure: its condition.
        pods: of the training.
        reports: what the tasks themselves tell.
    """
    role = job["metadata"]["labels"][ROLE_LABEL]
    culprit = _culprit([pod for pod in pods if role_of(pod) == role and has_failed(pod)])
    if culprit is None:
        return TrainingError(
            f"The Job of the training's {role} tasks has failed.",
            where=f"Job {job['metadata']['name']} in namespace {api.namespace}",
            received=f"{failure.get('reason')}: {failure.get('message')}",
        )
    times = ""
    if failure.get("reason") != "PodFailurePolicy":
        times = f", and training.max_restarts allows {workload.max_restarts} restarts"
    return failed_task(api, culprit, reports, times)


def failed_task(api: ClusterApi, pod: dict[str, Any], reports: TaskReports, times: str = "") -> ScalableTFError:
    """The error of a task that has ended for the last time.

    Args:
        api: the cluster, for logs.
        pod: of the task.
        reports: what the tasks themselves tell.
        times: why it was the last time, for the message.
    """
    own = reports.failure(task_name(pod))
    if own is not None:
        return own
    end = end_of(pod)
    code, reason = end.get("exitCode"), end.get("reason") or pod["status"].get("reason") or ""
    how = "was lost" if code is None else f"ended with exit code {code}"
    if reason == "OOMKilled":
        how = "was killed because it needed more memory than it may use"
    lines = api.log(pod["metadata"]["name"], tail=_LINES)
    return TrainingError(
        f"Task {task_name(pod)} {how}{times}.",
        where=f"pod {pod['metadata']['name']} in namespace {api.namespace}",
        received="\n    ".join(["its last lines:", *lines]) if lines else None,
        fix=_fix(role_of(pod), code, reason),
    )


def _culprit(failed: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The pod to blame: the first that ended in an error, else the one that ended last."""
    by_time = sorted(failed, key=lambda pod: end_of(pod).get("finishedAt") or "")
    errors = [pod for pod in by_time if end_of(pod).get("exitCode") in FINAL_CODES]
    return errors[0] if errors else by_time[-1] if by_time else None


def _fix(role: str, code: int | None, reason: str) -> str:
    if reason == "OOMKilled":
        return f"Raise training.cluster.kubernetes.resources.{role}.memory, or make the batch smaller."
    if code == _KILLED:
        return (
            "Something killed it: often the node ran out of memory, set "
            f"training.cluster.kubernetes.resources.{role}.memory; or it did not end within its grace."
        )
    if code in (126, 127):
        return "The image must hold this project: see docs/image.md, and training.cluster.kubernetes.image."
    if code == TRY_AGAIN or code is None:
        return "Find out why tasks are lost (nodes that go away, too little memory), or raise training.max_restarts."
    return "Mend what the lines say and run again: the training goes on from its last checkpoint."


def failed_start(api: ClusterApi, pod: dict[str, Any], obstacle: Obstacle, seconds: float) -> TrainingError:
    """The error of a pod that has not started.

    Args:
        api: the cluster, for events.
        pod: the pod.
        obstacle: what keeps it.
        seconds: for how long it has.
    """
    where = f"pod {pod['metadata']['name']} in namespace {api.namespace}"
    said = f"{obstacle.reason}: {obstacle.message}" if obstacle.message else obstacle.reason
    if obstacle.kind == "schedule":
        return TrainingError(
            f"There was no node for task {task_name(pod)} in {seconds:.0f} seconds.",
            where=where,
            received=said,
            fix="Ask for less in training.cluster.kubernetes.resources, check node_selector, tolerations and the "
            "claims of volumes, or wait longer with training.cluster.start_seconds.",
        )
    if "Image" in obstacle.reason:
        image = pod["spec"]["containers"][0]["image"]
        return TrainingError(
            f"The image of task {task_name(pod)} cannot be pulled.",
            where=where,
            received=f"{image} ({said})",
            fix="Check training.cluster.kubernetes.image, and image_pull_secrets for a registry that wants a password.",
        )
    warnings = [event for event in api.events(pod["metadata"]["name"]) if event.get("type") == "Warning"]
    if warnings and not obstacle.message:
        said = f"{warnings[-1].get('reason')}: {warnings[-1].get('message')}"
    return TrainingError(
        f"Task {task_name(pod)} could not be started in {seconds:.0f} seconds.",
        where=where,
        received=said,
        fix="Check the volumes, secrets and the service account that training.cluster.kubernetes names.",
    )
