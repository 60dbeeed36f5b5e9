"""Real trainings as Indexed Jobs, with a pod that is lost on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distribution.kubernetes.api_server import ApiServer
from tests.integration.cluster.kubernetes_cluster import IMAGE
from tests.integration.cluster_training import ClusterTraining, wait_for
from tests.integration.kubernetes.launching import DEFAULT, process_of

LONG = {"epochs": 60, "steps_per_execution": 1, "backup_steps": 10}
"""240 steps, with a backup at every tenth."""
_WHOLE = {"launcher": "kubernetes", "kubernetes": {"image": IMAGE}}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outcome on one device."""
    return ClusterTraining(tmp_path_factory.mktemp("long") / "t", {"strategy": "default", **LONG}).run()


def training(folder: Path, strategy: str, **cluster: Any) -> ClusterTraining:
    cluster = {**_WHOLE, **cluster}
    return ClusterTraining(folder / "t", {"strategy": strategy, "max_restarts": 3, "cluster": cluster, **LONG})


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found["steps"] == expected["steps"]
    np.testing.assert_allclose(found["weights"], expected["weights"], rtol=1e-4)


def delete_worker(api: ApiServer, index: int) -> str:
    """Deletes the pod of a worker, and gives its name."""
    selector = f"scalable-tf/role=worker,batch.kubernetes.io/job-completion-index={index}"
    (pod,) = api.json("GET", f"{DEFAULT}/pods", query={"labelSelector": selector})["items"]
    api.json("DELETE", f"{DEFAULT}/pods/{pod['metadata']['name']}")
    return str(pod["metadata"]["name"])


def test_a_deleted_worker_of_a_synchronous_training(
    tmp_path: Path, api: ApiServer, undisturbed: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    run = training(tmp_path, "multi_worker_mirrored", grace_seconds=30)  # it ends by itself, not killed
    run.start()
    wait_for(lambda: run.saved_step() or run.error)
    name = delete_worker(api, 1)
    run.finish()

    assert run.error is None
    assert_same(run.outcome(), undisturbed)
    said = capfd.readouterr().out
    assert f"[worker-1] pod {name} ended with exit code 75" in said
    assert said.count("Training goes on after step") == 2


def test_a_killed_chief_of_a_synchronous_training(
    tmp_path: Path, undisturbed: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    run = training(tmp_path, "multi_worker_mirrored")
    run.start()
    wait_for(lambda: run.saved_step() or run.error)
    pid = process_of("distribution.task", "STF_ROLE=worker", "JOB_COMPLETION_INDEX=0")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    run.finish()

    assert run.error is None
    assert_same(run.outcome(), undisturbed)
    assert "ended with exit code 137" in capfd.readouterr().out


def test_a_deleted_worker_of_parameter_servers_is_replaced(
    tmp_path: Path, api: ApiServer, capfd: pytest.CaptureFixture[str]
) -> None:
    run = training(tmp_path, "parameter_server")
    run.start()
    wait_for(lambda: run.saved_step() or run.error)
    name = delete_worker(api, 1)
    run.finish()

    assert run.error is None
    assert run.outcome()["steps"] >= 240  # a step that was lost with its worker may have been made already
    assert f"[worker-1] pod {name} ended" in capfd.readouterr().out


def test_all_tasks_of_parameter_servers_start_again_after_a_killed_chief(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = training(tmp_path, "parameter_server")
    run.start()
    wait_for(lambda: run.saved_step() or run.error)
    pid = process_of("distribution.task", "STF_ROLE=chief")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    run.finish()

    assert run.error is None
    assert run.outcome()["steps"] == 240
    said = capfd.readouterr().out
    assert "[ps-0] starts again with the others" in said
    assert "[chief-0]" in said
    assert "Training goes on after step" in said
