from __future__ import annotations

import socket
import threading

import pytest

from distribution.cluster import Cluster, Task
from distribution.free_ports import free_ports
from distribution.membership import Membership
from distribution.preflight import PortError, preflight
from schemas.errors import ScalableTFError, TrainingError


@pytest.fixture
def cluster() -> Cluster:
    return Cluster({"worker": tuple(f"127.0.0.1:{port}" for port in free_ports(2))})


def called(cluster: Cluster, *fingerprints: str) -> list[ScalableTFError | None]:
    """What each worker finds."""
    found: list[ScalableTFError | None] = [None] * len(fingerprints)

    def call(index: int) -> None:
        try:
            preflight(Membership(cluster, Task("worker", index)), fingerprints[index], 5.0)
        except ScalableTFError as error:
            found[index] = error

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(fingerprints))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_tasks_that_fit_together(cluster: Cluster) -> None:
    assert called(cluster, "same", "same") == [None, None]


def test_other_code_on_one_of_them(cluster: Cluster) -> None:
    errors = [error for error in called(cluster, "one", "other") if error is not None]
    assert errors
    assert "has other code, other settings or another job than" in errors[0].what


def test_a_task_that_is_not_there(cluster: Cluster) -> None:
    with pytest.raises(TrainingError, match="1 of 1 other tasks cannot be reached") as caught:
        preflight(Membership(cluster, Task("worker", 0)), "x", 0.2)
    assert f"worker-1 at {cluster.address(Task('worker', 1))}" in str(caught.value.received)


def test_a_port_that_is_taken(cluster: Cluster) -> None:
    host, _, port = cluster.address(Task("worker", 0)).rpartition(":")
    with socket.create_server((host, int(port))), pytest.raises(PortError, match="cannot be listened at"):
        preflight(Membership(cluster, Task("worker", 0)), "x", 0.2)


def test_a_task_that_has_gone_on_is_there(cluster: Cluster) -> None:
    host, _, port = cluster.address(Task("worker", 1)).rpartition(":")
    with socket.create_server((host, int(port))) as server:

        def speak() -> None:
            call, _ = server.accept()
            with call:
                call.sendall(b"\x00\x00\x12\x04\n")  # HTTP/2, as TensorFlow's servers speak

        thread = threading.Thread(target=speak)
        thread.start()
        preflight(Membership(cluster, Task("worker", 0)), "x", 5.0)
        thread.join()


def test_evaluators_are_not_waited_for() -> None:
    first, second = free_ports(2)
    cluster = Cluster({"worker": (f"127.0.0.1:{first}",), "evaluator": (f"127.0.0.1:{second}",)})
    preflight(Membership(cluster, Task("worker", 0)), "x", 0.2)
    preflight(Membership(cluster, Task("evaluator", 0)), "x", 0.2)
