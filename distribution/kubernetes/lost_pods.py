"""Pods that have gone before their task was done."""

from __future__ import annotations

from typing import Any

from distribution.kubernetes.pod_logs import say
from distribution.kubernetes.pod_state import end_of, has_failed, is_ended, task_name


class LostPods:
    """Says which pods were lost, once each; the Job controller makes others in their place."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, Any]] = {}
        self._said: set[str] = set()

    def look(self, pods: list[dict[str, Any]]) -> None:
        """At the pods that there are now."""
        there = {pod["metadata"]["uid"]: pod for pod in pods}
        for uid, pod in {**self._seen, **there}.items():
            gone = uid not in there
            if uid not in self._said and (has_failed(pod) or (gone and not is_ended(pod))):
                self._said.add(uid)
                code = end_of(pod).get("exitCode")
                how = f"ended with exit code {code}" if code is not None else "was removed"
                say(task_name(pod), f"pod {pod['metadata']['name']} {how}")
        self._seen = there
