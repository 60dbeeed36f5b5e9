"""The logs of all pods of a training as one stream, each line with the task that said it."""

from __future__ import annotations

import math
import sys
import threading
import time
from typing import Any

from distribution.kubernetes.cluster_api import ApiError, ClusterApi
from distribution.kubernetes.pod_state import is_ended, task_name

_AGAIN_SECONDS = 1.0


class PodLogs:
    """Follows each pod from its start to its end.

    Args:
        api: the cluster.
    """

    def __init__(self, api: ClusterApi) -> None:
        self._api = api
        self._threads: dict[str, threading.Thread] = {}
        self._ended: set[str] = set()
        self._stopped = threading.Event()

    def follow(self, pods: list[dict[str, Any]]) -> None:
        """Takes note of the pods that there are now."""
        for pod in pods:
            uid = pod["metadata"]["uid"]
            if is_ended(pod):
                self._ended.add(uid)
            if uid not in self._threads and pod["status"].get("phase") not in (None, "Pending"):
                self._threads[uid] = threading.Thread(target=self._copy, args=(pod,), daemon=True)
                self._threads[uid].start()

    def finish(self, seconds: float) -> None:
        """Waits for the last lines of the pods that have ended, and leaves the others."""
        deadline = time.monotonic() + seconds
        for uid in self._ended & set(self._threads):
            self._threads[uid].join(max(0.0, deadline - time.monotonic()))
        self._stopped.set()

    def _copy(self, pod: dict[str, Any]) -> None:
        name, uid, task = pod["metadata"]["name"], pod["metadata"]["uid"], task_name(pod)
        newest = time.monotonic()
        since: int | None = None
        while not self._stopped.is_set():
            ended = uid in self._ended
            try:
                for line in self._api.follow_log(name, seconds=since):
                    if self._stopped.is_set():
                        return
                    newest = time.monotonic()
                    say(task, line)
            except ApiError as error:
                if error.status in (403, 404):  # may not be read, or has gone
                    return
            # The connection may end before the pod does; some lines may then come twice, but none is missed.
            if ended or self._stopped.wait(_AGAIN_SECONDS):
                return
            since = math.ceil(time.monotonic() - newest) + 1


def say(task: str, line: str) -> None:
    """One line to the log of the node that trains."""
    sys.stdout.write(f"[{task}] {line}\n")
    sys.stdout.flush()
