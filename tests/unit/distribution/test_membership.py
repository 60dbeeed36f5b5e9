from __future__ import annotations

import json

import pytest

from distribution.cluster import Task
from distribution.membership import Membership
from schemas.errors import TrainingError


def test_tf_config() -> None:
    text = json.dumps({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}})
    own = Membership.from_environment({"TF_CONFIG": text})
    assert own.task == Task("worker", 0)
    assert own.is_chief


def test_our_kubernetes_jobs() -> None:
    environment = {
        "STF_CLUSTER": json.dumps({"worker": ["a:1", "b:1"]}),
        "STF_ROLE": "worker",
        "JOB_COMPLETION_INDEX": "1",
    }
    own = Membership.from_environment(environment)
    assert own.task == Task("worker", 1)
    assert not own.is_chief


def test_vertex_ai() -> None:
    spec = {
        "cluster": {"workerpool0": ["a:2222"], "workerpool1": ["b:2222", "c:2222"], "workerpool2": ["d:2222"]},
        "task": {"type": "workerpool1", "index": 1, "trial": ""},
        "environment": "cloud",
    }
    own = Membership.from_environment({"CLUSTER_SPEC": json.dumps(spec)})
    assert own.task == Task("worker", 1)
    assert own.cluster.addresses == {"chief": ("a:2222",), "worker": ("b:2222", "c:2222"), "ps": ("d:2222",)}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "Nothing says which task"),
        ({"STF_CLUSTER": "{", "STF_ROLE": "worker"}, "STF_CLUSTER must hold a cluster and a task."),
        ({"CLUSTER_SPEC": "{"}, "CLUSTER_SPEC is not JSON"),
        ({"CLUSTER_SPEC": "{}"}, "CLUSTER_SPEC must hold a cluster and a task."),
    ],
)
def test_what_says_nothing(environment: dict[str, str], message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        Membership.from_environment(environment)
    assert message in caught.value.what
