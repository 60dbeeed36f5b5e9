from __future__ import annotations

import json
from typing import Any

import kubernetes_validate
import pytest

from distribution.kubernetes.indexed_jobs import indexed_jobs
from tests.unit.distribution.kubernetes.workloads import COMMAND, EVERYTHING, multi_worker, parameter_server

OLDEST = 29
NEWEST = int(kubernetes_validate.latest_version().split(".")[1])


def container(job: dict[str, Any]) -> dict[str, Any]:
    (only,) = job["spec"]["template"]["spec"]["containers"]
    return only


def environment(job: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container(job)["env"]}


def test_two_workers_are_a_service_and_one_job() -> None:
    service, job = indexed_jobs(multi_worker())

    assert (service["kind"], service["metadata"]["name"], service["spec"]["clusterIP"]) == ("Service", "taxi", "None")
    assert (job["kind"], job["metadata"]["name"]) == ("Job", "taxi-worker")
    assert (job["spec"]["completionMode"], job["spec"]["completions"], job["spec"]["parallelism"]) == ("Indexed", 2, 2)
    assert container(job)["command"] == list(COMMAND)


def test_tasks_are_found_as_host_and_service() -> None:
    _, job = indexed_jobs(multi_worker())

    assert environment(job)["STF_ROLE"] == "worker"
    assert json.loads(environment(job)["STF_CLUSTER"]) == {
        "worker": ["taxi-worker-0.taxi:2222", "taxi-worker-1.taxi:2222"]
    }
    assert job["spec"]["template"]["spec"]["subdomain"] == "taxi"


def test_the_service_finds_the_pods_before_they_are_ready() -> None:
    service, job = indexed_jobs(multi_worker())

    assert service["spec"]["publishNotReadyAddresses"] is True
    assert service["spec"]["selector"].items() <= job["spec"]["template"]["metadata"]["labels"].items()


def test_each_role_has_a_job_and_the_leaders_comes_first() -> None:
    _, *jobs = indexed_jobs(parameter_server())

    assert [job["metadata"]["name"] for job in jobs] == ["taxi-chief", "taxi-worker", "taxi-ps", "taxi-evaluator"]
    assert [job["spec"]["completions"] for job in jobs] == [1, 2, 1, 1]
    assert len({environment(job)["STF_CLUSTER"] for job in jobs}) == 1


def test_each_task_may_be_lost_as_often_as_settings_say() -> None:
    _, job = indexed_jobs(multi_worker())

    assert (job["spec"]["backoffLimitPerIndex"], job["spec"]["maxFailedIndexes"]) == (3, 0)


def test_a_mistake_is_not_tried_again_and_an_eviction_not_counted() -> None:
    _, job = indexed_jobs(multi_worker())
    mistake, eviction = job["spec"]["podFailurePolicy"]["rules"]

    assert (mistake["action"], mistake["onExitCodes"]["values"]) == ("FailJob", [1, 2, 126, 127])
    assert eviction == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def test_resources_are_those_of_the_role() -> None:
    _, _, worker, ps, _ = indexed_jobs(parameter_server(**EVERYTHING))

    amounts = {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": 1}
    assert container(worker)["resources"] == {"requests": amounts, "limits": amounts}
    assert container(ps)["resources"] == {"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}}


def test_a_claim_that_is_mounted_twice_is_one_volume() -> None:
    _, job = indexed_jobs(multi_worker(**EVERYTHING))

    assert [volume["name"] for volume in job["spec"]["template"]["spec"]["volumes"]] == [
        "volume-0",
        "volume-1",
        "shared-memory",
    ]
    assert [(mount["name"], mount["mountPath"]) for mount in container(job)["volumeMounts"]] == [
        ("volume-0", "/srv"),
        ("volume-0", "/data"),
        ("volume-1", "/cache"),
        ("shared-memory", "/dev/shm"),
    ]


@pytest.mark.parametrize("minor", range(OLDEST, NEWEST + 1))
@pytest.mark.parametrize("pods", [{}, EVERYTHING], ids=["plain", "everything"])
def test_is_what_kubernetes_specifies(minor: int, pods: dict[str, Any]) -> None:
    for document in indexed_jobs(parameter_server(**pods)):
        kubernetes_validate.validate(document, f"1.{minor}", strict=True)
