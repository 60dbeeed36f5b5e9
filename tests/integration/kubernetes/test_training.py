"""Whole pipelines whose Trainer runs on the test cluster, with a pod that is lost on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from distribution.kubernetes.api_server import ApiServer
from tests.integration.cluster.kubernetes_cluster import IMAGE, ROOT, KubernetesCluster
from tests.integration.kubernetes.launching import DEFAULT, wait_for
from tests.integration.trips import write_trips

EPOCHS = 20


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trips(tmp_path_factory.mktemp("trips"))


@pytest.mark.parametrize("strategy", ["multi_worker_mirrored", "parameter_server"])
def test_a_release_in_spite_of_a_deleted_worker(
    strategy: str, settings: Path, kubernetes: KubernetesCluster, api: ApiServer
) -> None:
    output = settings.parent / "output"
    before, released = set(output.glob("logs/*")), releases(output)
    with run(settings, strategy, kubernetes) as process:
        try:
            log = wait_for(lambda: trainer_log(output, before), seconds=300.0)
            wait_for(lambda: "Epoch 3/" in log.read_text() or process.poll() is not None, seconds=300.0)
            assert process.poll() is None, log.read_text()
            name = worker(api)
            api.json("DELETE", f"{DEFAULT}/pods/{name}")
            told = process.communicate()[0]
        finally:
            process.kill()

    text = log.read_text()
    assert process.returncode == 0, told + text
    assert f"[worker-1] pod {name}" in text
    assert text.count(f"Epoch {EPOCHS}/{EPOCHS}") >= 1
    assert "Epoch 1/" not in text[text.index(f"[worker-1] pod {name}") :], "it began anew"
    assert api.json("GET", f"{DEFAULT}/pods")["items"] == []
    assert len(releases(output)) == len(released) + 1


def run(settings: Path, strategy: str, kubernetes: KubernetesCluster) -> subprocess.Popen[str]:
    values = {
        "strategy": strategy,
        "epochs": str(EPOCHS),
        "early_stopping": "null",
        "cluster.launcher": "kubernetes",
        "cluster.kubernetes.image": IMAGE,
    }
    options = [word for name, value in values.items() for word in ("--set", f"training.{name}={value}")]
    return subprocess.Popen(
        [sys.executable, "-m", "runners.cli", "run", "-c", str(settings), *options],
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": str(kubernetes.kubeconfig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def releases(output: Path) -> list[Path]:
    return list(output.glob("releases/trips/*/saved_model.pb"))


def trainer_log(output: Path, before: set[Path]) -> Path | None:
    """The log of the newest run's Trainer, once it is there."""
    for folder in set(output.glob("logs/*")) - before:
        if (folder / "Trainer.log").exists():
            return folder / "Trainer.log"
    return None


def worker(api: ApiServer) -> str:
    """The pod of the second worker."""
    selector = "scalable-tf/role=worker,batch.kubernetes.io/job-completion-index=1"
    (pod,) = api.json("GET", f"{DEFAULT}/pods", query={"labelSelector": selector})["items"]
    return str(pod["metadata"]["name"])
