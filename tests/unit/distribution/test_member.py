from __future__ import annotations

import json
from pathlib import Path

import pytest

from distribution.member import take_part
from distribution.membership import Membership
from distribution.task import DONE
from distribution.training_job import TrainingJob


@pytest.mark.parametrize("role", ["chief", "ps"])
def test_a_task_that_starts_when_the_chief_has_finished_has_nothing_to_do(tmp_path: Path, role: str) -> None:
    # As in the place of a pod that was lost after the last step; run_fn does not even exist.
    job = TrainingJob(str(tmp_path / "job"), "name", "no.run_fn", {"custom_config": {}}).write()
    cluster = {name: [f"127.0.0.1:{port}"] for port, name in enumerate(("chief", "worker", "ps"), 1)}
    environment = {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": role, "index": 0}})}
    job.finish()
    assert take_part(job, Membership.from_environment(environment)) == DONE
