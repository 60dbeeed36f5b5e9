"""Pods that have gone before their task was done."""

from __future__ import annotations

from typing import Any

from distribution.kubernetes.cluster_api import ClusterApi
from distribution.kubernetes.failure import failed_task
from distribution.kubernetes.pod_logs import say
from distribution.kubernetes.pod_state import end_of, has_failed, is_ended, is_running, role_of, task_name
from distribution.kubernetes.task_reports import TaskReports
from distribution.kubernetes.workload import Workload
from distribution.task import CRASHED

_KILLED = 128
"""Exit codes from here on are those of signals."""


class LostPods:
    """Does what the Job controller, which makes other pods in their place, cannot know of.

    A task that crashes twice, and no task was lost in between, would do so again: that ends the training. When the
    chief or a parameter server is lost, all tasks start again; workers of a synchronous training end by themselves.

    Args:
        api: the cluster.
        workload: what runs.
        reports: what the tasks themselves tell.
    """

    def __init__(self, api: ClusterApi, workload: Workload, reports: TaskReports) -> None:
        self._api, self._workload, self._reports = api, workload, reports
        self._seen: dict[str, dict[str, Any]] = {}
        self._said: set[str] = set()
        self._crashed: set[str] = set()

    def look(self, pods: list[dict[str, Any]]) -> None:
        """At the pods that there are now.

        Raises:
            ScalableTFError: a task has crashed twice.
        """
        there = {pod["metadata"]["uid"]: pod for pod in pods}
        lost = []
        for uid, pod in {**self._seen, **there}.items():
            if uid not in self._said and (has_failed(pod) or (uid not in there and not is_ended(pod))):
                self._said.add(uid)
                lost.append(pod)
        self._seen = there
        for pod in lost:
            code = end_of(pod).get("exitCode")
            how = f"ended with exit code {code}" if code is not None else "was removed"
            say(task_name(pod), f"pod {pod['metadata']['name']} {how}")
        if any(_is_taken(pod) for pod in lost):
            self._crashed.clear()
        for pod in lost:
            self._judge(pod)
        if "ps" in self._workload.tasks and any(role_of(pod) in ("chief", "ps") for pod in lost):
            self._start_again(pods)

    def _judge(self, pod: dict[str, Any]) -> None:
        if end_of(pod).get("exitCode") == CRASHED:
            if task_name(pod) in self._crashed:
                raise failed_task(self._api, pod, self._reports)
            self._crashed.add(task_name(pod))

    def _start_again(self, pods: list[dict[str, Any]]) -> None:
        for pod in filter(is_running, pods):
            if role_of(pod) != "evaluator":
                self._said.add(pod["metadata"]["uid"])
                say(task_name(pod), "starts again with the others, from the last checkpoint")
                self._api.delete("Pod", pod["metadata"]["name"], at_once=True)


def _is_taken(pod: dict[str, Any]) -> bool:
    """Whether it was killed or removed, rather than ended by itself."""
    return "deletionTimestamp" in pod["metadata"] or not end_of(pod) or end_of(pod)["exitCode"] > _KILLED
