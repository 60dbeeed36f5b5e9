from __future__ import annotations

import json
from pathlib import Path

import pytest

from distribution.task import DONE, START_SECONDS, main
from distribution.training_job import TrainingJob


def environment(role: str, seconds: float) -> dict[str, str]:
    cluster = {name: [f"127.0.0.1:{port}"] for port, name in enumerate(("chief", "worker", "ps"), 1)}
    task = {"type": role, "index": 0}
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task}), START_SECONDS: str(seconds)}


@pytest.fixture
def finished(tmp_path: Path) -> TrainingJob:
    """Its run_fn does not even exist."""
    job = TrainingJob(str(tmp_path / "job"), "name", "no.run_fn", {"custom_config": {}}).write()
    job.finish()
    return job


@pytest.mark.parametrize("role", ["chief", "ps"])
def test_a_task_that_starts_after_the_end_has_nothing_to_do(finished: TrainingJob, role: str) -> None:
    # As in the place of a pod that was lost after the last step.
    assert main([finished.folder], environment(role, 0.0)) == DONE
