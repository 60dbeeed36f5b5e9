from __future__ import annotations

from distribution.cluster import Cluster, Task
from distribution.horovod_job import job_environment


def ranks(cluster: Cluster, task: Task) -> list[str]:
    found = job_environment(cluster, task)
    return [
        found[f"HOROVOD_{name}"] for name in ("RANK", "SIZE", "LOCAL_RANK", "LOCAL_SIZE", "CROSS_RANK", "CROSS_SIZE")
    ]


def test_two_processes_of_one_machine() -> None:
    cluster = Cluster({"worker": ("127.0.0.1:2000", "127.0.0.1:2001")})
    assert ranks(cluster, Task("worker", 1)) == ["1", "2", "1", "2", "0", "1"]


def test_processes_of_several_machines() -> None:
    # The second machine has one process less: the second slot is there once.
    cluster = Cluster({"worker": ("a:2000", "a:2001", "b:2000")})
    assert ranks(cluster, Task("worker", 0)) == ["0", "3", "0", "2", "0", "2"]
    assert ranks(cluster, Task("worker", 1)) == ["1", "3", "1", "2", "0", "1"]
    assert ranks(cluster, Task("worker", 2)) == ["2", "3", "0", "1", "1", "2"]


def test_the_chief_is_the_first_and_keeps_the_rendezvous() -> None:
    cluster = Cluster({"chief": ("c:1000",), "worker": ("w:2000",), "evaluator": ("e:3000",)})
    found = job_environment(cluster, Task("worker", 0))
    assert found["HOROVOD_RANK"] == "1"
    assert found["HOROVOD_SIZE"] == "2"
    assert found["HOROVOD_HOSTNAME"] == "w"
    assert found["HOROVOD_GLOO_RENDEZVOUS_ADDR"] == "c"
    assert found["HOROVOD_GLOO_RENDEZVOUS_PORT"] == "1000"
