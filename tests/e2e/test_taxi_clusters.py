"""The demo trained by clusters of processes: released, and as good as on one device."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("scalable-tf")
STRATEGIES = {
    "one_device": [],
    "multi_worker_mirrored": [
        "training.cluster.workers=2",
        "training.cluster.evaluator=true",
        "training.backup_seconds=0",
    ],
    "parameter_server": ["training.cluster.workers=2", "training.cluster.ps=1"],
}

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """release.json of each strategy's model; nodes before the Trainer run once."""
    output_dir = tmp_path_factory.mktemp("clusters")
    found = {}
    for version, (strategy, settings) in enumerate(STRATEGIES.items(), start=1):
        command = [str(COMMAND), "run", "-c", "configs/taxi.yaml", "--set", f"output_dir={output_dir}"]
        for setting in [f"training.strategy={strategy}", "smoke_check.enabled=false", *settings]:
            command += ["--set", setting]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        found[strategy] = json.loads((output_dir / f"releases/taxi/{version}/release.json").read_text())
        found[strategy]["evaluations"] = len(list(output_dir.glob("artifacts/Trainer/model_run/*/evaluator/events.*")))
    return found


@pytest.mark.parametrize("strategy", ["multi_worker_mirrored", "parameter_server"])
def test_it_is_as_good_as_on_one_device(releases: dict[str, dict[str, Any]], strategy: str) -> None:
    auc = {name: release["metrics"]["Overall"]["auc"] for name, release in releases.items()}
    assert auc[strategy] == pytest.approx(auc["one_device"], abs=0.01)
    assert releases[strategy]["blessing"]


def test_the_evaluator_has_written_for_tensorboard(releases: dict[str, dict[str, Any]]) -> None:
    assert [release["evaluations"] > 0 for release in releases.values()] == [False, True, True]
