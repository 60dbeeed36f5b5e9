"""Real clusters of processes: what they train, and that nothing is lost when some of them are."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.errors import TrainingError
from tests.integration.cluster_training import ClusterTraining, is_running, wait_for

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.timeout(900)]

LONG = {"epochs": 40, "steps_per_execution": 1, "backup_steps": 10}
"""160 steps, with a backup at every tenth."""


@pytest.fixture(scope="module")
def one_device(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ClusterTraining(tmp_path_factory.mktemp("one") / "t", {"strategy": "default"}, rows=70).run()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ClusterTraining(tmp_path_factory.mktemp("long") / "t", {"strategy": "default", **LONG}).run()


def assert_same(found: dict[str, Any], expected: dict[str, Any], tolerance: float = 1e-4) -> None:
    assert found["steps"] == expected["steps"]
    np.testing.assert_allclose(found["weights"], expected["weights"], rtol=tolerance)
    np.testing.assert_allclose(found["val_loss"][-1], expected["val_loss"][-1], rtol=10 * tolerance, atol=1e-6)


@pytest.mark.parametrize("cache", [True, False])
def test_two_workers_train_as_one_device(tmp_path: Path, one_device: dict[str, Any], cache: bool) -> None:
    training = ClusterTraining(tmp_path / "t", {"strategy": "multi_worker_mirrored", "cache": cache}, rows=70)
    found = training.run()
    assert sum(found["seen"]) == 8 * 16
    assert set(found["seen"]) == {1.0, 2.0}  # 128 rows of 70: every one once, and most a second time
    if cache:  # from files, the order is another
        assert_same(found, one_device)


def test_each_row_is_seen_once_in_a_pass_when_files_are_shared_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = {"strategy": "multi_worker_mirrored", "cache": False, "epochs": 1}
    found = ClusterTraining(tmp_path / "t", settings, rows=64, files=4).run()
    assert set(found["seen"]) == {1.0}
    assert "Sharding by file: 4 files among 2 readers" in capfd.readouterr().out


@pytest.mark.parametrize("workers", [1, 2])
def test_parameter_servers_see_each_row_once_in_a_pass(tmp_path: Path, workers: int) -> None:
    settings = {"strategy": "parameter_server", "cluster": {"workers": workers, "ps": 2}, "steps_per_execution": 1}
    found = ClusterTraining(tmp_path / "t", settings, rows=64).run()
    assert set(found["seen"]) == {2.0}
    assert found["steps"] == 8


def test_only_the_chief_leaves_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    training = ClusterTraining(tmp_path / "t", {"strategy": "multi_worker_mirrored"}, custom={"trace": True})
    training.run()
    assert [path.name for path in (training.folder / "model").iterdir()] == ["outcome.json"]
    assert not list(scratch.iterdir())
    assert len(list((training.folder / "run").glob("plugins/profile/*/*.xplane.pb"))) == 1
    assert sorted(path.name for path in (training.folder / "run" / "logs").iterdir()) == [
        "worker-0.log",
        "worker-1.log",
    ]


def test_killed_workers_of_a_synchronous_training(
    tmp_path: Path, undisturbed: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    training = ClusterTraining(tmp_path / "t", {"strategy": "multi_worker_mirrored", "max_restarts": 4, **LONG})
    training.start()
    for task in ["worker-0", "worker-1", "worker-1", "worker-0"]:
        saved = training.saved_step()
        training.wait_for(lambda saved=saved: training.saved_step() > saved)
        time.sleep(random.uniform(0, 0.05))
        pid = training.pid(task)
        os.kill(pid, signal.SIGKILL)
        training.wait_for(lambda pid=pid, task=task: training.pid(task) != pid)
    training.finish()
    assert_same(training.outcome(), undisturbed)
    assert set(training.outcome()["seen"]) == {40.0}
    assert capfd.readouterr().out.count("All tasks start again from the last backup") == 4


def test_a_worker_that_is_asked_to_end_saves_the_state_first(
    tmp_path: Path, undisturbed: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    settings = {"strategy": "multi_worker_mirrored", **LONG, "backup_steps": None}
    training = ClusterTraining(tmp_path / "t", settings)
    training.start()
    pid = training.pid("worker-1")
    training.wait_for(lambda: "Epoch 3/" in (training.folder / "run" / "logs" / "worker-1.log").read_text())
    os.kill(pid, signal.SIGTERM)
    training.finish()
    assert_same(training.outcome(), undisturbed)
    output = capfd.readouterr().out
    assert "worker-1: the training was asked to end, and saved its state at step" in output
    assert "Training goes on after step" in output


def test_a_killed_worker_of_parameter_servers_is_replaced_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    training = ClusterTraining(tmp_path / "t", {"strategy": "parameter_server", **LONG})
    training.start()
    training.wait_for(training.saved_step)
    os.kill(training.pid("worker-1"), signal.SIGKILL)
    training.finish()
    found = training.outcome()
    assert found["steps"] >= 160  # a step that was lost with its worker may have been made already
    output = capfd.readouterr().out
    assert "worker-1 (ended by SIGKILL). It is replaced while the others go on (1)" in output
    assert "All tasks start again" not in output


@pytest.mark.parametrize("task", ["ps-0", "chief-0"])
def test_a_killed_ps_or_chief_leads_back_to_the_last_backup(
    tmp_path: Path, task: str, capfd: pytest.CaptureFixture[str]
) -> None:
    training = ClusterTraining(tmp_path / "t", {"strategy": "parameter_server", **LONG})
    training.start()
    training.wait_for(training.saved_step)
    os.kill(training.pid(task), signal.SIGKILL)
    training.finish()
    output = capfd.readouterr().out
    assert "All tasks start again from the last backup (1)" in output
    assert "Training goes on after step" in output
    assert training.outcome()["steps"] == 160


def test_a_worker_that_hangs_is_named_and_replaced(
    tmp_path: Path, undisturbed: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    settings = {"strategy": "multi_worker_mirrored", **LONG, "cluster": {"hung_seconds": 5}}
    training = ClusterTraining(tmp_path / "t", settings)
    training.start()
    training.wait_for(training.saved_step)
    os.kill(training.pid("worker-1"), signal.SIGSTOP)
    training.finish()
    assert_same(training.outcome(), undisturbed)
    assert "worker-1 has given no sign of life for" in capfd.readouterr().out


def test_no_task_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    training = ClusterTraining(tmp_path / "t", {"strategy": "parameter_server", **LONG, "epochs": 10_000})
    parent = training.start_process()
    wait_for(training.saved_step)
    pids = [training.pid(task) for task in ("chief-0", "worker-0", "worker-1", "ps-0")]
    parent.kill()
    parent.communicate()
    wait_for(lambda: not any(map(is_running, pids)), 30)


def test_a_process_that_is_asked_to_end_saves_the_state_and_the_next_goes_on(
    tmp_path: Path, undisturbed: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    settings = {"strategy": "multi_worker_mirrored", **LONG, "backup_steps": None}
    training = ClusterTraining(tmp_path / "t", settings)
    parent = training.start_process()
    pids = [training.pid(task) for task in ("worker-0", "worker-1")]
    wait_for(lambda: "Epoch 3/" in (training.folder / "run" / "logs" / "worker-1.log").read_text())
    parent.terminate()
    parent.communicate()
    assert parent.returncode == -signal.SIGTERM
    assert not any(map(is_running, pids))
    assert training.saved_step()
    assert_same(training.run(), undisturbed)
    assert "Training goes on after step" in capfd.readouterr().out


def test_tasks_that_are_lost_too_often(tmp_path: Path) -> None:
    training = ClusterTraining(tmp_path / "t", {"strategy": "multi_worker_mirrored", **LONG, "max_restarts": 0})
    training.start()
    os.kill(training.pid("worker-0"), signal.SIGKILL)
    training.finish()
    assert training.error is not None
    assert training.error.what == "Tasks of the training were lost, and started again 0 time(s) already."
    assert "worker-0 (ended by SIGKILL)" in training.error.where


def test_a_mistake_of_one_worker_is_raised_and_not_tried_again(tmp_path: Path) -> None:
    settings = {"strategy": "multi_worker_mirrored", "batch_size": 1, "cluster": {"workers": 2}}
    with pytest.raises(TrainingError, match="A batch of 1 cannot be divided among 2 replicas"):
        ClusterTraining(tmp_path / "t", settings).run()


def test_fewer_rows_than_workers(tmp_path: Path) -> None:
    settings = {"strategy": "multi_worker_mirrored", "batch_size": None}
    with pytest.raises(TrainingError, match="The train split has fewer rows than the training has replicas"):
        ClusterTraining(tmp_path / "t", settings, rows=1).run()
