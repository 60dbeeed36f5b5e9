from __future__ import annotations

from pathlib import Path

from distribution.launchers.kubernetes import JobReports
from distribution.training_job import TrainingJob


def test_the_failure_of_an_earlier_pod_is_not_that_of_its_replacement(tmp_path: Path) -> None:
    job = TrainingJob(str(tmp_path / "job"), "name", "models.run_fn.run_fn", {}).write()
    reports = JobReports(job, hung_seconds=60.0)
    for task in ("worker-0", "worker-1"):
        job.report(task, None, "ValueError: no")

    reports.begins("worker-0")

    assert reports.failure("worker-0") is None
    assert reports.failure("worker-1") is not None
