from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from distribution.training_job import TrainingJob
from schemas.errors import SettingsError, TrainingError


@pytest.fixture
def job(tmp_path: Path) -> TrainingJob:
    arguments = {"custom_config": {"settings": {"training": {"epochs": 3}}}, "model_run_dir": "run"}
    return TrainingJob(str(tmp_path / "job"), "name", "models.run_fn.run_fn", arguments).write()


def test_what_is_written_is_read(job: TrainingJob) -> None:
    found = TrainingJob.read(job.folder)
    assert found == job
    assert found.training.epochs == 3
    assert found.fingerprint == job.fingerprint


def test_a_job_that_is_written_anew_is_another_of_the_same_fingerprint(job: TrainingJob) -> None:
    assert job.is_current
    assert job.write().fingerprint == job.fingerprint
    assert not job.is_current


def test_a_folder_without_a_job(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no job") as caught:
        TrainingJob.read(str(tmp_path))
    assert "All tasks need the same folder on storage that they share" in caught.value.fix


def test_it_is_done_when_the_chief_says_so_until_it_is_written_anew(job: TrainingJob) -> None:
    assert not job.is_done
    job.finish()
    assert job.is_done
    assert not job.write().is_done


def test_a_task_that_finds_a_finished_job_waits_for_the_next_one(job: TrainingJob) -> None:
    assert not job.is_replaced_within(0.0)
    job.write()
    assert job.is_replaced_within(0.0)


def test_mistakes_and_crashes(job: TrainingJob) -> None:
    assert job.failure("worker-0") is None
    job.report("worker-0", SettingsError("wrong", received=3))
    mistake = job.failure("worker-0")
    assert isinstance(mistake, SettingsError)
    assert (mistake.what, mistake.where, mistake.received) == ("wrong", "Trainer, worker-0", "3")
    job.report("worker-1", None, "ValueError: no")
    crash = job.failure("worker-1")
    assert crash is not None
    assert (crash.what, crash.received) == (TrainingJob.CRASHED, "ValueError: no")


def test_failures_are_forgotten_by_task_and_all_at_once(job: TrainingJob) -> None:
    for task in ("worker-0", "worker-1", "worker-2"):
        job.report(task, None, "ValueError: no")
    job.forget_failure("worker-0")
    assert [job.failure(f"worker-{index}") is None for index in range(3)] == [True, False, False]
    job.forget_failure("worker-0")
    job.forget_failures()
    assert [job.failure(f"worker-{index}") is None for index in range(3)] == [True, True, True]


def test_backups_outlive_a_job_that_is_written_anew_and_not_another(job: TrainingJob) -> None:
    Path(job.backup_dir).mkdir()
    job.write()
    assert Path(job.backup_dir).is_dir()
    custom = job.fn_args["custom_config"]
    dataclasses.replace(job, fn_args={**job.fn_args, "custom_config": {**custom, "trace": True}}).write()
    assert Path(job.backup_dir).is_dir()  # how a training is watched does not make it another
    dataclasses.replace(job, fn_args={**job.fn_args, "train_files": ["newer"]}).write()
    assert not Path(job.backup_dir).exists()
