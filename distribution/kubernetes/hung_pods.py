"""Pods that are there and do nothing."""

from __future__ import annotations

from typing import Any

from distribution.kubernetes.cluster_api import ClusterApi
from distribution.kubernetes.pod_logs import say
from distribution.kubernetes.pod_state import is_ended, is_running, task_name
from distribution.kubernetes.task_reports import TaskReports


class HungPods:
    """Removes pods whose task gives no sign of life any more; the Job controller makes others in their place.

    Args:
        api: the cluster.
        reports: where the signs are.
    """

    def __init__(self, api: ClusterApi, reports: TaskReports) -> None:
        self._api, self._reports = api, reports
        self._begun: set[str] = set()

    def look(self, pods: list[dict[str, Any]]) -> None:
        """At the pods that there are now.

        Raises:
            ApiError: one could not be removed; another look tries again.
        """
        for pod in pods:
            # What there is of its task was told by an earlier pod; one that has ended already may have told it itself.
            if pod["metadata"]["uid"] not in self._begun and not is_ended(pod):
                self._begun.add(pod["metadata"]["uid"])
                self._reports.begins(task_name(pod))
        for pod in filter(is_running, pods):
            task, name = task_name(pod), pod["metadata"]["name"]
            seconds = self._reports.silent_for(task)
            if seconds is not None:
                self._api.delete("Pod", name, at_once=True)
                say(task, f"no sign of life for {seconds:.0f} s: pod {name} is removed")
