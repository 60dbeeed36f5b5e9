from __future__ import annotations

import json

from distribution.kubernetes.job_set import job_set
from tests.unit.distribution.kubernetes.workloads import multi_worker, parameter_server


def test_each_role_is_one_replicated_job() -> None:
    made = job_set(parameter_server())

    assert (made["apiVersion"], made["kind"]) == ("jobset.x-k8s.io/v1alpha2", "JobSet")
    assert [(job["name"], job["template"]["spec"]["completions"]) for job in made["spec"]["replicatedJobs"]] == [
        ("chief", 1),
        ("worker", 2),
        ("ps", 1),
        ("evaluator", 1),
    ]


def test_tasks_are_found_under_the_operators_names() -> None:
    (job,) = job_set(multi_worker())["spec"]["replicatedJobs"]
    variables = {
        item["name"]: item["value"] for item in job["template"]["spec"]["template"]["spec"]["containers"][0]["env"]
    }

    assert json.loads(variables["STF_CLUSTER"]) == {
        "worker": ["taxi-worker-0-0.taxi:2222", "taxi-worker-0-1.taxi:2222"]
    }


def test_ends_with_the_chief() -> None:
    assert job_set(parameter_server())["spec"]["successPolicy"] == {
        "operator": "All",
        "targetReplicatedJobs": ["chief"],
    }
