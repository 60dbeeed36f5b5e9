from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution.cluster import Cluster, Task, parse_tf_config
from schemas.errors import TrainingError

WORKERS = {"worker": ("a:1", "b:1")}
SERVERS = {"chief": ("c:1",), "worker": ("a:1", "b:1"), "ps": ("d:1",)}


def test_the_first_worker_leads() -> None:
    cluster = Cluster(WORKERS)
    assert cluster.tasks == (Task("worker", 0), Task("worker", 1))
    assert cluster.chief == Task("worker", 0)
    assert cluster.address(Task("worker", 1)) == "b:1"


def test_a_chief_leads_where_there_is_one() -> None:
    cluster = Cluster(SERVERS)
    assert cluster.chief == Task("chief", 0)
    assert [str(task) for task in cluster.tasks] == ["chief-0", "worker-0", "worker-1", "ps-0"]
    assert (cluster.number("worker"), cluster.number("evaluator")) == (2, 0)


def test_tf_config() -> None:
    assert json.loads(Cluster(WORKERS).tf_config(Task("worker", 1))) == {
        "cluster": {"worker": ["a:1", "b:1"]},
        "task": {"type": "worker", "index": 1},
    }


@given(workers=st.integers(1, 9), ps=st.integers(1, 9), index=st.integers(0, 8))
def test_what_is_written_is_read(workers: int, ps: int, index: int) -> None:
    cluster = Cluster(
        {
            "chief": ("h:1",),
            "worker": tuple(f"w:{number + 1}" for number in range(workers)),
            "ps": tuple(f"p:{number + 1}" for number in range(ps)),
        }
    )
    task = Task("worker", index % workers)
    assert parse_tf_config(cluster.tf_config(task)) == (cluster, task)


def test_an_evaluator_need_not_be_in_the_cluster() -> None:
    text = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "evaluator", "index": 0}}'
    cluster, own = parse_tf_config(text)
    assert (cluster, own) == (Cluster(WORKERS), Task("evaluator", 0))
    assert json.loads(cluster.tf_config(own)) == json.loads(text)


@pytest.mark.parametrize(
    ("addresses", "message"),
    [
        ({"worker": ("a:1", "a:1")}, "Two tasks have the same address: worker-0 and worker-1."),
        ({"worker": ("a:1",), "ps": ("b:1",)}, "Parameter servers need a chief"),
        ({}, "There is no worker."),
        ({"workr": ("a:1",)}, "There is no such role. Did you mean 'worker'?"),
        ({"worker": ("a",)}, "The address of worker-0 is not host:port."),
        ({"worker": ("a:0",)}, "The address of worker-0 is not host:port."),
        ({"worker": ("a:66000",)}, "The address of worker-0 is not host:port."),
        ({"chief": ("a:1", "b:1")}, "There can be one chief and one evaluator."),
    ],
)
def test_clusters_that_cannot_be(addresses: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        Cluster(addresses)
    assert message in caught.value.what


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "TF_CONFIG is not JSON"),
        ("[]", "TF_CONFIG must hold a cluster and a task."),
        ('{"cluster": {"worker": ["a:1"]}}', "TF_CONFIG must hold a cluster and a task."),
        ('{"cluster": {"worker": "a:1"}, "task": {}}', "TF_CONFIG must give a list of addresses for each role."),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "master", "index": 0}}', "There is no such role."),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": -1}}', "is not a number from 0"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": true}}', "is not a number from 0"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "says that this is worker-1"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}', "the cluster has 0 of that role"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "evaluator", "index": 1}}', "that this is evaluator-1"),
    ],
)
def test_malformed_tf_config(text: str, message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        parse_tf_config(text)
    assert message in caught.value.what
    assert caught.value.fix
