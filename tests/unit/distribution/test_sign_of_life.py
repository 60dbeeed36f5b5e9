from __future__ import annotations

import os
from pathlib import Path

import pytest

from distribution.sign_of_life import LifeWatch, sign_of_life
from distribution.training_job import TrainingJob


@pytest.fixture
def job(tmp_path: Path) -> TrainingJob:
    return TrainingJob(str(tmp_path / "job"), "name", "models.run_fn.run_fn", {}).write()


def test_a_task_counts_and_says_where_it_is(job: TrainingJob) -> None:
    path = Path(job.life_path("worker-0"))
    with sign_of_life(job, "worker-0", 0.01):
        while not path.exists() or path.read_text() < "2":
            pass
    assert path.read_text().split()[1] == str(os.getpid())


def test_one_that_stands_still_is_silent(job: TrainingJob) -> None:
    watch = LifeWatch(job, seconds=0.0)
    watch.begin("worker-0")
    assert watch.silent_for("worker-0") is None  # it has not counted yet
    Path(job.life_path("worker-0")).write_text("1 2 host")
    assert watch.silent_for("worker-0") is None
    assert watch.silent_for("worker-0") is not None
    Path(job.life_path("worker-0")).write_text("2 2 host")
    assert watch.silent_for("worker-0") is None


def test_an_earlier_process_of_the_task_is_forgotten(job: TrainingJob) -> None:
    Path(job.life_path("worker-0")).write_text("9 2 host")
    watch = LifeWatch(job, seconds=0.0)
    watch.begin("worker-0")
    assert [watch.silent_for("worker-0") for _ in range(3)] == [None] * 3
