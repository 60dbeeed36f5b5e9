"""The logs of all pods of a training as one stream, each line with the task that said it."""

from __future__ import annotations

import sys
import threading
import time
from itertools import islice
from typing import Any

from distribution.kubernetes.api_server import ApiError
from distribution.kubernetes.cluster_api import ClusterApi
from distribution.kubernetes.pod_state import is_ended, task_name

_AGAIN_SECONDS = 5.0


class PodLogs:
    """Follows each pod from its start to its end.

    Args:
        api: the cluster.
    """

    def __init__(self, api: ClusterApi) -> None:
        self._api = api
        self._threads: dict[str, threading.Thread] = {}
        self._ended: dict[str, threading.Event] = {}
        self._stopped = False

    def follow(self, pods: list[dict[str, Any]]) -> None:
        """Takes note of the pods that there are now."""
        for pod in pods:
            uid = pod["metadata"]["uid"]
            if uid not in self._threads and pod["status"].get("phase") not in (None, "Pending"):
                self._ended[uid] = threading.Event()
                self._threads[uid] = threading.Thread(target=self._copy, args=(pod,), daemon=True)
                self._threads[uid].start()
            if uid in self._threads and is_ended(pod):
                self._ended[uid].set()

    def finish(self, seconds: float) -> None:
        """Waits for the last lines of the pods that have ended, and leaves the others."""
        deadline = time.monotonic() + seconds
        for uid, ended in self._ended.items():
            if ended.is_set():
                self._threads[uid].join(max(0.0, deadline - time.monotonic()))
        self._stopped = True
        for ended in self._ended.values():
            ended.set()

    def _copy(self, pod: dict[str, Any]) -> None:
        name, task, ended = pod["metadata"]["name"], task_name(pod), self._ended[pod["metadata"]["uid"]]
        shown = 0
        while True:
            # The connection may end before the pod does; then the log is read anew, and what was shown is skipped.
            last = ended.is_set()
            try:
                for line in islice(self._api.follow_log(name), shown, None):
                    if self._stopped:
                        return
                    shown += 1
                    say(task, line)
            except ApiError as error:
                if error.status in (403, 404):  # may not be read, or has gone
                    return
            else:
                last = last or ended.wait(_AGAIN_SECONDS)
            if last:
                return


def say(task: str, line: str) -> None:
    """One line to the log of the node that trains."""
    sys.stdout.write(f"[{task}] {line}\n")
    sys.stdout.flush()
