"""The objects of a training, by the kind that the settings ask for."""

from __future__ import annotations

from typing import Any

from distribution.kubernetes.indexed_jobs import indexed_jobs
from distribution.kubernetes.job_set import job_set
from distribution.kubernetes.tf_job import tf_job
from distribution.kubernetes.workload import Workload


def manifests(workload: Workload) -> list[dict[str, Any]]:
    """What is to be applied."""
    if workload.pods.manifests == "jobset":
        return [job_set(workload)]
    if workload.pods.manifests == "tfjob":
        return [tf_job(workload)]
    return indexed_jobs(workload)
