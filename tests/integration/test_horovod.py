"""Horovod instead of TensorFlow's own exchanges: the same training, and nothing lost either."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distribution.cluster import Cluster
from distribution.free_ports import free_ports
from tests.integration.cluster_training import ClusterTraining

pytestmark = [
    pytest.mark.xdist_group("cluster"),
    pytest.mark.timeout(900),
    pytest.mark.skipif(importlib.util.find_spec("horovod") is None, reason="Horovod is not installed: make horovod"),
]

ROOT = Path(__file__).parents[2]
LONG = {"epochs": 40, "steps_per_execution": 1, "backup_steps": 5}
"""160 steps, with a backup at every fifth."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ClusterTraining(tmp_path_factory.mktemp("long") / "t", {"strategy": "default", **LONG}).run()


def assert_same(found: dict[str, Any], expected: dict[str, Any], tolerance: float = 1e-4) -> None:
    assert found["steps"] == expected["steps"]
    np.testing.assert_allclose(found["weights"], expected["weights"], rtol=tolerance)
    np.testing.assert_allclose(found["val_loss"][-1], expected["val_loss"][-1], rtol=10 * tolerance, atol=1e-6)


def test_two_workers_train_as_one_device_and_only_the_chief_leaves_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    one = ClusterTraining(tmp_path / "one", {"strategy": "default"}, rows=70).run()
    # Packs of gradients, and several steps in one graph, change nothing.
    settings = {"strategy": "horovod", "collectives": {"bytes_per_pack": 1 << 20}, "steps_per_execution": 4}
    training = ClusterTraining(tmp_path / "t", settings, rows=70)

    found = training.run()

    assert_same(found, one)
    assert sum(found["seen"]) == 8 * 16
    assert set(found["seen"]) == {1.0, 2.0}  # 128 rows of 70: every one once, and most a second time
    assert [path.name for path in (training.folder / "model").iterdir()] == ["outcome.json"]
    assert not list(scratch.iterdir())


def test_killed_workers(tmp_path: Path, undisturbed: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    training = ClusterTraining(tmp_path / "t", {"strategy": "horovod", "max_restarts": 2, **LONG})
    training.start()
    for task in ["worker-0", "worker-1"]:
        saved = training.saved_step()
        training.wait_for(lambda saved=saved: training.saved_step() > saved)
        time.sleep(random.uniform(0, 0.2))
        pid = training.pid(task)
        os.kill(pid, signal.SIGKILL)
        training.wait_for(lambda pid=pid, task=task: training.pid(task) != pid)
    training.finish()
    assert_same(training.outcome(), undisturbed)
    assert set(training.outcome()["seen"]) == {40.0}
    assert capfd.readouterr().out.count("All tasks start again from the last backup") == 2


def test_a_worker_that_is_asked_to_end_saves_the_state_first(
    tmp_path: Path, undisturbed: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    training = ClusterTraining(tmp_path / "t", {"strategy": "horovod", **LONG, "backup_steps": None})
    training.start()
    pid = training.pid("worker-1")
    training.wait_for(lambda: "Epoch 3/" in (training.folder / "run" / "logs" / "worker-1.log").read_text())
    os.kill(pid, signal.SIGTERM)
    training.finish()
    assert_same(training.outcome(), undisturbed)
    output = capfd.readouterr().out
    assert "worker-1: the training was asked to end, and saved its state at step" in output
    assert "Training goes on after step" in output


def test_under_horovodrun(tmp_path: Path) -> None:
    training = ClusterTraining(tmp_path / "t", {"strategy": "horovod", "cluster": {"launcher": "env"}})
    (training.folder / "arguments.json").write_text(json.dumps(vars(training.arguments())))
    pipeline = f"{sys.executable} -m tests.integration.cluster_training {training.folder}"
    task = f"{sys.executable} -m distribution.task {training.folder}/state/cluster"
    horovodrun = [sys.executable, "-m", "horovod.runner.launch", "--gloo", "-np", "2", "sh", "-c"]
    ended = subprocess.run(
        [*horovodrun, f"[ $HOROVOD_RANK = 0 ] && exec {pipeline} || exec {task}"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert set(training.outcome()["seen"]) == {2.0}
    assert training.outcome()["steps"] == 8


def test_exchanges(tmp_path: Path) -> None:
    cluster = Cluster({"worker": tuple(f"127.0.0.1:{port}" for port in free_ports(2))})
    command = [sys.executable, "-m", "tests.integration.horovod_exchanges", str(tmp_path)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=environment(TF_CONFIG=cluster.tf_config(task)))
        for task in cluster.tasks
    ]
    assert [process.wait(400) for process in processes] == [0, 0]
    for rank in (0, 1):
        found = json.loads((tmp_path / f"{rank}.json").read_text())
        assert found["first"] == 1.0  # of the first process, though the other began with 2
        assert found["sum"] == [3.0, 30.0]  # of [1, 10] and [2, 20]
        assert found["mean"] == [1.5, 15.0]
        assert found["whole"] == 3
        assert found["slices"] == {"values": [[1.0, 1.0], [2.0, 2.0]], "indices": [0, 1]}
        assert found["gathered"] == [[1.0, 2.0]]
        # 300 steps in one graph, each with several exchanges, and now one process slower, now the other.
        assert found["loop"] == 2 * sum(range(300))
        assert found["metrics"] == [149.5] * 4


def environment(**more: str) -> dict[str, str]:
    """Of a process that imports this project from here."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": path, **more}
