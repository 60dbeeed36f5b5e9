"""A training as a JobSet, jobset.x-k8s.io: for clusters with its operator, which restarts all Jobs together.

https://jobset.sigs.k8s.io/docs/reference/jobset.v1alpha2/
"""

from __future__ import annotations

from typing import Any

from distribution.kubernetes.indexed_jobs import job_spec
from distribution.kubernetes.pod_template import pod_template
from distribution.kubernetes.workload import ROLE_LABEL, Workload
from distribution.membership import ROLE


def job_set(workload: Workload) -> dict[str, Any]:
    """The JobSet; it needs no Service, as the operator makes one."""
    # <set>-<replicated job>-<index of the Job>-<completion index>.<subdomain>; each role has one Job.
    hosts = {role: f"{workload.name}-{role}-0-{{index}}.{workload.name}" for role in workload.tasks}
    cluster = workload.environment(hosts)
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": workload.name, "labels": workload.labels},
        "spec": {
            "network": {
                "enableDNSHostnames": True,
                "subdomain": workload.name,
                "publishNotReadyAddresses": True,
            },
            "successPolicy": {"operator": "All", "targetReplicatedJobs": [workload.leader]},
            "failurePolicy": {
                "maxRestarts": workload.max_restarts,
                "rules": [{"name": "mistake", "action": "FailJobSet", "onJobFailureReasons": ["PodFailurePolicy"]}],
            },
            "ttlSecondsAfterFinished": workload.pods.keep_seconds,
            "replicatedJobs": [_replicated_job(workload, role, cluster) for role in workload.tasks],
        },
    }


def _replicated_job(workload: Workload, role: str, cluster: dict[str, str]) -> dict[str, Any]:
    template = pod_template(workload, role, {**cluster, ROLE: role})
    # A lost task ends its Job, and then the operator starts all Jobs again.
    spec = job_spec(workload, role, template, restarts=0)
    metadata = {"labels": {**workload.labels, ROLE_LABEL: role}}
    return {
        "name": role,
        "replicas": 1,
        "template": {"metadata": metadata, "spec": spec},
    }
