from __future__ import annotations

from typing import Any

from distribution.kubernetes.pod_state import (
    Obstacle,
    end_of,
    failure_of,
    is_complete,
    made_no_pods,
    obstacle_of,
    task_name,
)


def pod(phase: str, state: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    containers = [] if state is None else [{"name": "task", "state": state}]
    return {
        "metadata": {
            "labels": {"scalable-tf/role": "worker"},
            "annotations": {"batch.kubernetes.io/job-completion-index": "3"},
        },
        "status": {"phase": phase, "containerStatuses": containers, **status},
    }


def job(*conditions: str, **status: Any) -> dict[str, Any]:
    return {
        "spec": {},
        "status": {"conditions": [{"type": kind, "status": "True", "reason": "R"} for kind in conditions], **status},
    }


def test_a_task_is_a_role_and_an_index() -> None:
    assert task_name(pod("Running")) == "worker-3"


def test_a_running_pod_has_no_obstacle() -> None:
    assert obstacle_of(pod("Running", {"running": {}})) is None


def test_an_image_that_cannot_be_pulled() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}

    assert obstacle_of(pod("Pending", waiting)) == Obstacle("container", "ImagePullBackOff", "Back-off pulling image")


def test_no_node_has_room() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}

    assert obstacle_of(pod("Pending", conditions=[condition])) == Obstacle("schedule", "Unschedulable", "0/3 nodes")


def test_volumes_that_are_not_mounted_yet() -> None:
    waiting = {"waiting": {"reason": "ContainerCreating"}}

    assert obstacle_of(pod("Pending", waiting)) == Obstacle("start", "ContainerCreating", "")


def test_how_a_container_ended() -> None:
    assert end_of(pod("Failed", {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}))["exitCode"] == 137
    assert end_of(pod("Failed")) == {}


def test_a_job_counts_as_soon_as_its_end_is_certain() -> None:
    assert is_complete(job("SuccessCriteriaMet"))
    assert not is_complete(job())
    assert (failure_of(job("FailureTarget")) or {})["type"] == "FailureTarget"
    assert failure_of(job("Complete")) is None


def test_a_job_that_may_not_make_pods() -> None:
    assert made_no_pods(job())
    assert not made_no_pods(job(active=1))
    assert not made_no_pods({"spec": {"suspend": True}, "status": {}})
