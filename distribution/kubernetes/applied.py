"""The objects of a training in the cluster, for as long as it is launched."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from distribution.kubernetes.api_server import ApiError
from distribution.kubernetes.cluster_api import ClusterApi
from distribution.kubernetes.indexed_jobs import indexed_jobs
from distribution.kubernetes.pod_logs import say
from distribution.kubernetes.workload import Workload

_LOOK_SECONDS = 0.25
_CLEAN_SECONDS = 10.0
"""Beyond the grace that the pods have."""


@contextlib.contextmanager
def applied(api: ClusterApi, workload: Workload) -> Iterator[None]:
    """Has the objects in the cluster meanwhile, and removes them however it ends.

    Raises:
        ApiError: the cluster refuses them.
    """
    if api.jobs(workload.selector):
        say("launcher", "removing what an earlier launcher, which was killed, has left of this training")
        _remove(api, workload)
    try:
        _create(api, workload)
        yield
    finally:
        try:
            _remove(api, workload)
        except ApiError as error:
            left = f"kubectl delete jobs,services -n {api.namespace} -l {workload.selector}"
            say("launcher", f"the training could not be removed ({error.message}); {left}")


def _create(api: ClusterApi, workload: Workload) -> None:
    """Creates the leader's Job first, which owns the others, as this process's pod owns it where there is one.

    Should nobody be left to remove them, the cluster does when that pod or that Job has gone.
    """
    service, *jobs = indexed_jobs(workload)
    own_pod = api.own_pod()
    leader = api.create(_owned(jobs[0], "v1", "Pod", own_pod) if own_pod else jobs[0])
    for document in (service, *jobs[1:]):
        api.create(_owned(document, "batch/v1", "Job", leader))


def _owned(document: dict[str, Any], version: str, kind: str, owner: dict[str, Any]) -> dict[str, Any]:
    meta = owner["metadata"]
    reference = {"apiVersion": version, "kind": kind, "name": meta["name"], "uid": meta["uid"]}
    return {**document, "metadata": {**document["metadata"], "ownerReferences": [reference]}}


def _remove(api: ClusterApi, workload: Workload) -> None:
    """Removes everything, and waits until the pods have ended."""
    for job in api.jobs(workload.selector):
        api.delete("Job", job["metadata"]["name"])
    api.delete("Service", workload.name)
    deadline = time.monotonic() + workload.grace_seconds + _CLEAN_SECONDS
    while api.pods(workload.selector) or api.jobs(workload.selector):
        if time.monotonic() > deadline:
            say("launcher", f"still ending: kubectl get pods -n {api.namespace} -l {workload.selector}")
            return
        time.sleep(_LOOK_SECONDS)
