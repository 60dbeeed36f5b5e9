"""A pool of threads that does with fewer where the machine gives it no more."""

from __future__ import annotations

import contextlib
import queue
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

from serving.server.request_error import RequestError


class WorkerThreads(ThreadPoolExecutor):
    """As `ThreadPoolExecutor`; but a thread that cannot be started is no loss while it has others.

    `ThreadPoolExecutor.submit` raises, and leaves the work in its queue nevertheless.

    Raises:
        RequestError: of `submit`: UNAVAILABLE: there is no thread at all; the work is not done.
    """

    _unstarted = 0

    def _adjust_thread_count(self) -> None:
        # Called by `submit`, under its lock, once the work is in the queue.
        while self._unstarted and self._idle_semaphore.acquire(timeout=0):
            self._unstarted -= 1
        try:
            super()._adjust_thread_count()
        except RuntimeError as error:
            if self._threads:  # they do it at its turn, and the next `submit` tries again
                if sys.version_info < (3, 12):
                    # A thread says after each piece of work that it is idle, which it is not after this one, too.
                    self._unstarted += 1
                return
            with contextlib.suppress(queue.Empty):
                while True:
                    self._work_queue.get_nowait()
            raise RequestError(
                grpc.StatusCode.UNAVAILABLE, "The server cannot start a thread for the request: try later."
            ) from error
