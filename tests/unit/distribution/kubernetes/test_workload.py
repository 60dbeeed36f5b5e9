from __future__ import annotations

import pytest

from configs.kubernetes_pods import KubernetesPods
from distribution.kubernetes.workload import Workload
from schemas.errors import TrainingError
from tests.unit.distribution.kubernetes.workloads import multi_worker, parameter_server


def test_the_chief_leads_where_there_is_one() -> None:
    assert parameter_server().leader == "chief"
    assert multi_worker().leader == "worker"


def test_our_labels_cannot_be_taken() -> None:
    assert multi_worker(labels={"scalable-tf/training": "other", "team": "taxi"}).labels == {
        "app.kubernetes.io/managed-by": "scalable-tf",
        "scalable-tf/training": "taxi",
        "team": "taxi",
    }


def test_needs_an_image() -> None:
    with pytest.raises(TrainingError, match="image that the tasks run in") as raised:
        Workload(name="taxi", tasks={"worker": 2}, command=("true",), pods=KubernetesPods())

    assert raised.value.where == "training.cluster.kubernetes.image"


def test_a_host_name_has_63_characters() -> None:
    pods = KubernetesPods(image="trainer:1")
    Workload(name="t" * 54, tasks={"worker": 2}, command=("true",), pods=pods)
    with pytest.raises(TrainingError, match="longer than the 63") as raised:
        Workload(name="t" * 55, tasks={"worker": 2}, command=("true",), pods=pods)

    assert raised.value.fix == "Shorten the pipeline's name by 1."
