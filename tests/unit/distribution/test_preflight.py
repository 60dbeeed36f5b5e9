from __future__ import annotations

import dataclasses
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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


HTTP2 = b"\x00\x00\x12\x04\n"


def look(cluster: Cluster, task: Task, job: TrainingJob, seconds: float) -> None:
    with preflight(Membership(cluster, task), job, seconds):
        pass


def called(cluster: Cluster, *jobs: TrainingJob, seconds: float = 60.0) -> list[ScalableTFError | None]:
    """What each task finds; those that have found nothing go on, and TensorFlow serves for them."""
    found: list[ScalableTFError | None] = [None] * len(jobs)

    over = threading.Event()

    def call(index: int) -> None:
        try:
            look(cluster, Task("worker", index), jobs[index], seconds)
        except ScalableTFError as error:
            found[index] = error
        else:
            if index == 0:
                with listening(cluster.address(Task("worker", 0))) as server:
                    serve(server, over)

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    # The chief is done first, and serves; the others are done when they have seen it.
    for thread in threads[1:]:
        thread.join()
    over.set()
    for thread in threads:
        thread.join()
    return found


def listening(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_server((host, int(port)))


def serve(server: socket.socket, over: threading.Event, told: bytes = HTTP2) -> None:
    """Speaks as TensorFlow's servers do, or as is told, to whoever calls."""
    server.settimeout(0.05)
    while not over.is_set():
        try:
            call, _ = server.accept()
        except TimeoutError:
            continue
        with call:
            call.sendall(told)


@contextmanager
def serving(address: str, told: bytes = HTTP2) -> Iterator[None]:
    """Serves in a thread; whoever calls in this block is answered."""
    over = threading.Event()
    with listening(address) as server:
        thread = threading.Thread(target=serve, args=(server, over, told))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def test_tasks_that_fit_together(cluster: Cluster, job: TrainingJob) -> None:
    assert called(cluster, job, job) == [None, None]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_tasks_with_addresses_of_both_kinds(job: TrainingJob) -> None:
    first, second = free_ports(2)
    assert called(Cluster({"worker": (f"127.0.0.1:{first}", f"[::1]:{second}")}), job, job) == [None, None]


def test_other_settings_on_one_of_them(cluster: Cluster, job: TrainingJob) -> None:
    other = dataclasses.replace(job, fn_args={"train_steps": 3})
    # Whoever calls later finds that the other has gone, and waits for it.
    errors = [error for error in called(cluster, job, other, seconds=5.0) if error is not None]
    assert any("has other code or other settings than" in error.what for error in errors)


def test_one_that_has_an_earlier_job(cluster: Cluster, job: TrainingJob) -> None:
    job.write()
    with pytest.raises(StaleJobError):
        look(cluster, Task("worker", 0), job, 5.0)


def test_a_task_that_is_not_there(cluster: Cluster, job: TrainingJob) -> None:
    with pytest.raises(TrainingError, match="1 of 1 other tasks cannot be reached") as caught:
        look(cluster, Task("worker", 0), job, 0.2)
    assert f"worker-1 at {cluster.address(Task('worker', 1))}" in str(caught.value.received)


def test_a_port_that_is_taken(cluster: Cluster, job: TrainingJob) -> None:
    host, _, port = cluster.address(Task("worker", 0)).rpartition(":")
    with socket.create_server((host, int(port))), pytest.raises(PortError, match="cannot be listened at"):
        look(cluster, Task("worker", 0), job, 0.2)


def test_a_task_that_has_gone_on_is_there(cluster: Cluster, job: TrainingJob) -> None:
    with serving(cluster.address(Task("worker", 1))):
        look(cluster, Task("worker", 0), job, 60.0)


def test_the_chief_of_parameter_servers_waits_until_they_serve(job: TrainingJob) -> None:
    first, second, third = (f"127.0.0.1:{port}" for port in free_ports(3))
    cluster = Cluster({"chief": (first,), "worker": (second,), "ps": (third,)})
    with serving(second):
        with pytest.raises(TrainingError, match="1 of 2 other tasks cannot be reached"):
            look(cluster, Task("chief", 0), job, 0.3)
        with serving(third):
            look(cluster, Task("chief", 0), job, 60.0)


def test_evaluators_are_not_waited_for(job: TrainingJob) -> None:
    first, second = free_ports(2)
    cluster = Cluster({"worker": (f"127.0.0.1:{first}",), "evaluator": (f"127.0.0.1:{second}",)})
    look(cluster, Task("worker", 0), job, 0.2)
    look(cluster, Task("evaluator", 0), job, 0.2)


def test_a_worker_of_horovod_answers_a_chief_that_calls_late(cluster: Cluster, job: TrainingJob) -> None:
    hello = {"task": "worker-0", "token": job.token, "fingerprint": job.fingerprint}
    worker, reached, over = Membership(cluster, Task("worker", 1)), threading.Event(), threading.Event()

    def take_part() -> None:
        with preflight(worker, job, 60.0, calls_first=False):
            reached.set()
            over.wait(60)

    thread = threading.Thread(target=take_part)
    thread.start()
    with serving(cluster.address(Task("worker", 0)), json.dumps(hello).encode() + b"\n"):
        assert reached.wait(60)
    with preflight(Membership(cluster, Task("worker", 0)), job, 5.0, calls_first=False):
        over.set()
    thread.join()
