"""A training as core Kubernetes objects: a headless Service, and for each role an Indexed Job.

The Job controller gives each pod its completion index and the host name `<job>-<index>`; through the Service it is
found as `<job>-<index>.<service>`, in every incarnation. https://kubernetes.io/docs/tasks/job/job-with-pod-to-pod-communication/
"""

from __future__ import annotations

from typing import Any

from distribution.kubernetes.pod_template import pod_template
from distribution.kubernetes.workload import CONTAINER, ROLE_LABEL, TRAINING_LABEL, Workload
from distribution.membership import ROLE
from distribution.task import FAILED, USAGE

FINAL_CODES = (FAILED, USAGE, 126, 127)
"""Exit codes after which a second try would end alike: an error of ours or of Python, a wrong command line, none."""


def indexed_jobs(workload: Workload) -> list[dict[str, Any]]:
    """The Service, then the Jobs, that of the leader first.

    Kubernetes 1.29 or newer: `backoffLimitPerIndex` counts the restarts of each task for itself, as one that is lost
    may take all others with it.
    """
    hosts = {role: f"{workload.job(role)}-{{index}}.{workload.name}" for role in workload.tasks}
    cluster = workload.environment(hosts)
    roles = sorted(workload.tasks, key=lambda role: role != workload.leader)
    return [headless_service(workload), *(_job(workload, role, cluster) for role in roles)]


def headless_service(workload: Workload) -> dict[str, Any]:
    """The Service that gives the pods of a training their names."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": workload.name, "labels": workload.labels},
        "spec": {
            "clusterIP": "None",
            "selector": {TRAINING_LABEL: workload.name},
            # A task is ready when it has found the others, so they must find each other before.
            "publishNotReadyAddresses": True,
            "ports": [{"name": "grpc", "port": workload.pods.port}],
        },
    }


def job_spec(workload: Workload, role: str, template: dict[str, Any], *, restarts: int) -> dict[str, Any]:
    """The specification of an Indexed Job, a pod for each task of a role, which may be replaced so many times."""
    count = workload.tasks[role]
    return {
        "completionMode": "Indexed",
        "completions": count,
        "parallelism": count,
        "backoffLimitPerIndex": restarts,
        "maxFailedIndexes": 0,
        "podFailurePolicy": {
            "rules": [
                {"action": "FailJob", "onExitCodes": {"containerName": _container(template), "operator": "In",
                                                      "values": list(FINAL_CODES)}},
                # Evicted, preempted, or its node has gone: no fault of the training's, and not counted.
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]
        },
        "template": template,
    }  # fmt: skip


def _container(template: dict[str, Any]) -> str:
    name: str = template["spec"]["containers"][0]["name"]
    return name


def _job(workload: Workload, role: str, cluster: dict[str, str]) -> dict[str, Any]:
    template = pod_template(workload, role, {**cluster, ROLE: role}, container=CONTAINER)
    template["spec"]["subdomain"] = workload.name
    spec = job_spec(workload, role, template, restarts=workload.max_restarts)
    # When the launcher cannot clean up: the leader's Job, which owns the others, goes some time after its end.
    spec["ttlSecondsAfterFinished"] = workload.pods.keep_seconds
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": workload.job(role), "labels": {**workload.labels, ROLE_LABEL: role}},
        "spec": spec,
    }
