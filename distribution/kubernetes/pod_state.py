"""What the status of pods and Jobs means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from distribution.kubernetes.workload import CONTAINER, ROLE_LABEL

_INDEX = "batch.kubernetes.io/job-completion-index"
_CANNOT_START = frozenset(
    {
        "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable",
        "ImageInspectError", "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Obstacle:
    """Why a pod does not start.

    Attributes:
        kind: container, when its node cannot start it; schedule, when there is no node; start, for everything else.
        reason: Kubernetes' word for it.
        message: and its explanation.
    """

    kind: str
    reason: str
    message: str


def role_of(pod: dict[str, Any]) -> str:
    """The role of a pod's task."""
    return str(pod["metadata"]["labels"].get(ROLE_LABEL, "task"))


def task_name(pod: dict[str, Any]) -> str:
    """The task of a pod, as worker-1."""
    return f"{role_of(pod)}-{pod['metadata'].get('annotations', {}).get(_INDEX, 0)}"


def is_ended(pod: dict[str, Any]) -> bool:
    """Whether its container will not run any more."""
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def is_running(pod: dict[str, Any]) -> bool:
    """Whether its container runs, and nobody has asked it to end."""
    return pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


def has_failed(pod: dict[str, Any]) -> bool:
    """Whether it has ended otherwise than it should."""
    return pod["status"].get("phase") == "Failed"


def end_of(pod: dict[str, Any]) -> dict[str, Any]:
    """`exitCode`, `reason` and the rest of how the task's container ended; empty where it has not, or nobody knows."""
    for container in pod["status"].get("containerStatuses") or ():
        if container["name"] == CONTAINER:
            ended: dict[str, Any] = (container.get("state") or {}).get("terminated") or {}
            return ended
    return {}


def obstacle_of(pod: dict[str, Any]) -> Obstacle | None:
    """What keeps a pod from starting; None for one that has started."""
    if pod["status"].get("phase") not in (None, "Pending") or "deletionTimestamp" in pod["metadata"]:
        return None
    waiting: dict[str, Any] = {}
    for container in pod["status"].get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or waiting
    if waiting.get("reason") in _CANNOT_START:
        return Obstacle("container", waiting["reason"], waiting.get("message", ""))
    for condition in pod["status"].get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return Obstacle("schedule", condition.get("reason", ""), condition.get("message", ""))
    return Obstacle("start", waiting.get("reason", "Pending"), waiting.get("message", ""))


def job_condition(job: dict[str, Any], *kinds: str) -> dict[str, Any] | None:
    """The first of these conditions that holds for a Job."""
    for condition in job["status"].get("conditions") or ():
        if condition["type"] in kinds and condition["status"] == "True":
            found: dict[str, Any] = condition
            return found
    return None


def is_complete(job: dict[str, Any]) -> bool:
    """Whether all tasks of a Job have succeeded."""
    return job_condition(job, "Complete", "SuccessCriteriaMet") is not None


def failure_of(job: dict[str, Any]) -> dict[str, Any] | None:
    """The condition that says why a Job has failed."""
    return job_condition(job, "Failed", "FailureTarget")


def made_no_pods(job: dict[str, Any]) -> bool:
    """Whether a Job that should has not made a single pod."""
    if job["spec"].get("suspend"):
        return False
    status = job["status"]
    return not any(status.get(count) for count in ("active", "succeeded", "failed", "terminating"))
