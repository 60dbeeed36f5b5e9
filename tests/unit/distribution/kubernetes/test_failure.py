from __future__ import annotations

from typing import Any

import pytest

from distribution.kubernetes.api_server import ApiServer
from distribution.kubernetes.cluster_api import ClusterApi
from distribution.kubernetes.failure import failed_start, failed_training
from distribution.kubernetes.pod_state import Obstacle
from distribution.kubernetes.task_reports import TaskReports
from schemas.errors import ScalableTFError
from tests.unit.distribution.kubernetes.workloads import multi_worker


@pytest.fixture(scope="module")
def api() -> ClusterApi:
    """A cluster that cannot be reached: there are no logs and no events to be had."""
    from kubernetes.client import Configuration

    configuration = Configuration()
    configuration.host = "https://127.0.0.1:1"
    return ClusterApi(ApiServer(configuration), "ml", inside=False)


def pod(index: int, code: int, reason: str = "Error", second: int = 0) -> dict[str, Any]:
    ended = {"exitCode": code, "reason": reason, "finishedAt": f"2026-01-01T00:00:{second:02d}Z"}
    return {
        "metadata": {
            "name": f"taxi-worker-{index}-x",
            "labels": {"scalable-tf/role": "worker"},
            "annotations": {"batch.kubernetes.io/job-completion-index": str(index)},
        },
        "spec": {"containers": [{"image": "trainer:1"}]},
        "status": {"phase": "Failed", "containerStatuses": [{"name": "task", "state": {"terminated": ended}}]},
    }


def failure(api: ClusterApi, *pods: dict[str, Any], reason: str = "MaxFailedIndexesExceeded") -> ScalableTFError:
    job = {"metadata": {"name": "taxi-worker", "labels": {"scalable-tf/role": "worker"}}}
    condition = {"reason": reason, "message": "too many"}
    return failed_training(api, multi_worker(), job, condition, list(pods), TaskReports())


def test_a_lost_task(api: ClusterApi) -> None:
    assert str(failure(api, pod(1, 75))) == (
        "Task worker-1 ended with exit code 75, and training.max_restarts allows 3 restarts.\n"
        "  Where: pod taxi-worker-1-x in namespace ml\n"
        "  Fix: Find out why tasks are lost (nodes that go away, too little memory), or raise training.max_restarts."
    )


def test_the_first_mistake_is_to_blame_and_not_those_that_it_took_along(api: ClusterApi) -> None:
    error = failure(api, pod(0, 75, second=9), pod(1, 1, second=5), pod(2, 1, second=7), reason="PodFailurePolicy")

    assert error.what == "Task worker-1 ended with exit code 1."


def test_too_little_memory(api: ClusterApi) -> None:
    error = failure(api, pod(0, 137, "OOMKilled"))

    assert "needed more memory than it may use" in error.what
    assert error.fix.startswith("Raise training.cluster.kubernetes.resources.worker.memory")


def test_no_project_in_the_image(api: ClusterApi) -> None:
    assert "docs/image.md" in failure(api, pod(0, 127), reason="PodFailurePolicy").fix


def test_a_job_without_a_failed_pod_gives_kubernetes_reason(api: ClusterApi) -> None:
    assert failure(api, reason="DeadlineExceeded").received == "DeadlineExceeded: too many"


def test_a_pod_that_waits_for_its_volume(api: ClusterApi) -> None:
    error = failed_start(api, pod(0, 0), Obstacle("start", "ContainerCreating", ""), 300.0)

    assert error.what == "Task worker-0 could not be started in 300 seconds."
    assert error.received == "ContainerCreating"
