from __future__ import annotations

import dataclasses
import socket
import threading
from pathlib import Path

import pytest

from distribution.cluster import Cluster, Task
from distribution.free_ports import free_ports
from distribution.membership import Membership
from distribution.preflight import PortError, StaleJobError, preflight
from distribution.training_job import TrainingJob
from schemas.errors import ScalableTFError, TrainingError


@pytest.fixture
def cluster() -> Cluster:
    return Cluster({"worker": tuple(f"127.0.0.1:{port}" for port in free_ports(2))})


@pytest.fixture
def job(tmp_path: Path) -> TrainingJob:
    return TrainingJob(str(tmp_path / "job"), "name", "models.run_fn.run_fn", {}).write()


def called(cluster: Cluster, *jobs: TrainingJob) -> list[ScalableTFError | None]:
    """What each worker finds."""
    found: list[ScalableTFError | None] = [None] * len(jobs)

    def call(index: int) -> None:
        try:
            preflight(Membership(cluster, Task("worker", index)), jobs[index], 5.0)
        except ScalableTFError as error:
            found[index] = error

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_tasks_that_fit_together(cluster: Cluster, job: TrainingJob) -> None:
    assert called(cluster, job, job) == [None, None]


def test_other_settings_on_one_of_them(cluster: Cluster, job: TrainingJob) -> None:
    other = dataclasses.replace(job, fn_args={"train_steps": 3})
    errors = [error for error in called(cluster, job, other) if error is not None]
    assert errors
    assert "has other code or other settings than" in errors[0].what


def test_one_that_has_an_earlier_job(cluster: Cluster, job: TrainingJob) -> None:
    job.write()
    with pytest.raises(StaleJobError):
        preflight(Membership(cluster, Task("worker", 0)), job, 5.0)


def test_a_task_that_is_not_there(cluster: Cluster, job: TrainingJob) -> None:
    with pytest.raises(TrainingError, match="1 of 1 other tasks cannot be reached") as caught:
        preflight(Membership(cluster, Task("worker", 0)), job, 0.2)
    assert f"worker-1 at {cluster.address(Task('worker', 1))}" in str(caught.value.received)


def test_a_port_that_is_taken(cluster: Cluster, job: TrainingJob) -> None:
    host, _, port = cluster.address(Task("worker", 0)).rpartition(":")
    with socket.create_server((host, int(port))), pytest.raises(PortError, match="cannot be listened at"):
        preflight(Membership(cluster, Task("worker", 0)), job, 0.2)


def test_a_task_that_has_gone_on_is_there(cluster: Cluster, job: TrainingJob) -> None:
    host, _, port = cluster.address(Task("worker", 1)).rpartition(":")
    with socket.create_server((host, int(port))) as server:

        def speak() -> None:
            call, _ = server.accept()
            with call:
                call.sendall(b"\x00\x00\x12\x04\n")  # HTTP/2, as TensorFlow's servers speak

        thread = threading.Thread(target=speak)
        thread.start()
        preflight(Membership(cluster, Task("worker", 0)), job, 5.0)
        thread.join()


def test_evaluators_are_not_waited_for(job: TrainingJob) -> None:
    first, second = free_ports(2)
    cluster = Cluster({"worker": (f"127.0.0.1:{first}",), "evaluator": (f"127.0.0.1:{second}",)})
    preflight(Membership(cluster, Task("worker", 0)), job, 0.2)
    preflight(Membership(cluster, Task("evaluator", 0)), job, 0.2)
