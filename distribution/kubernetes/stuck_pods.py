"""Pods that do not start."""

from __future__ import annotations

import time
from typing import Any

from distribution.kubernetes.cluster_api import ClusterApi
from distribution.kubernetes.failure import failed_start
from distribution.kubernetes.pod_state import made_no_pods, obstacle_of
from schemas.errors import TrainingError

_CREATED_SECONDS = 10.0


class StuckPods:
    """Notices pods that do not start within their time, and Jobs that may not make any.

    Args:
        api: the cluster.
        start_seconds: how long a pod may wait for a node, and for its volumes.
        pull_seconds: how long a node may fail to start its container.
    """

    def __init__(self, api: ClusterApi, start_seconds: float, pull_seconds: float) -> None:
        self._api = api
        self._patience = {"container": pull_seconds, "schedule": start_seconds, "start": start_seconds}
        self._since: dict[tuple[str, str], float] = {}

    def look(self, jobs: list[dict[str, Any]], pods: list[dict[str, Any]]) -> None:
        """At what there is now.

        Raises:
            TrainingError: something has waited too long.
        """
        now = time.monotonic()
        since: dict[tuple[str, str], float] = {}
        for pod in pods:
            obstacle = obstacle_of(pod)
            if obstacle is not None:
                key = (pod["metadata"]["uid"], obstacle.kind)
                since[key] = self._since.get(key, now)
                if now - since[key] >= self._patience[obstacle.kind]:
                    raise failed_start(self._api, pod, obstacle, now - since[key])
        for job in jobs:
            if made_no_pods(job):
                key = (job["metadata"]["uid"], "no pods")
                since[key] = self._since.get(key, now)
                if now - since[key] >= _CREATED_SECONDS:
                    self._ask_why(job)
        self._since = since

    def _ask_why(self, job: dict[str, Any]) -> None:
        name = job["metadata"]["name"]
        refusals = [event for event in self._api.events(name) if event.get("reason") == "FailedCreate"]
        if refusals:
            raise TrainingError(
                "Kubernetes does not let the training's pods be made.",
                where=f"Job {name} in namespace {self._api.namespace}",
                received=refusals[-1].get("message"),
                fix="Change what it names in training.cluster.kubernetes, or in the namespace.",
            )
