"""Pods that are there and do nothing."""

from __future__ import annotations

from typing import Any

from distribution.kubernetes.cluster_api import ClusterApi
from distribution.kubernetes.pod_logs import say
from distribution.kubernetes.pod_state import is_running, task_name
from distribution.kubernetes.task_reports import TaskReports


class HungPods:
    """Removes pods whose task gives no sign of life any more; the Job controller makes others in their place.

    Args:
        api: the cluster.
        reports: where the signs are.
    """

    def __init__(self, api: ClusterApi, reports: TaskReports) -> None:
        self._api, self._reports = api, reports
        self._started: dict[str, str] = {}

    def look(self, pods: list[dict[str, Any]]) -> None:
        """At the pods that there are now."""
        for pod in filter(is_running, pods):
            task, meta = task_name(pod), pod["metadata"]
            if self._started.get(task) != meta["uid"]:
                self._started[task] = meta["uid"]
                self._reports.begins(task)
            seconds = self._reports.silent_for(task)
            if seconds is not None:
                say(task, f"no sign of life for {seconds:.0f} s: pod {meta['name']} is removed")
                self._api.delete("Pod", meta["name"], at_once=True)
