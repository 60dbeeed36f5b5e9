from __future__ import annotations

from typing import Any

from configs.training import Training
from distribution.kubernetes.training_workload import workload_of
from distribution.kubernetes.workload import Workload


def workload(folder: str = "/srv/taxi/cluster", volumes: tuple[dict[str, Any], ...] = (), **cluster: Any) -> Workload:
    kubernetes = {"image": "trainer:1", "volumes": volumes}
    settings = {"strategy": "parameter_server", "max_restarts": 5, "cluster": {**cluster, "kubernetes": kubernetes}}
    return workload_of(Training.model_validate(settings), folder)


def test_has_the_tasks_of_the_settings() -> None:
    made = workload(workers=3, ps=2)

    assert made.tasks == {"chief": 1, "worker": 3, "ps": 2}
    assert made.command == ("python", "-m", "distribution.task", "/srv/taxi/cluster")
    assert (made.max_restarts, made.grace_seconds) == (5, 20)


def test_a_folder_has_the_same_name_every_time() -> None:
    assert workload().name == workload(workers=3).name


def test_another_folder_has_another_name() -> None:
    assert workload().name != workload("/srv/fares/cluster").name


def test_the_same_path_on_other_storage_has_another_name() -> None:
    mine, yours = ({"claim": claim, "mount": "/srv"} for claim in ("mine", "yours"))

    assert workload(volumes=(mine,)).name != workload(volumes=(yours,)).name
