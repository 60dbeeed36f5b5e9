"""Dynamic batching: requests that arrive at the same time are run together.

The thread of the first request of a batch runs it, so that there is nothing to start or to end: it waits until the
batch is full or its time is over, and then for its turn. Meanwhile others join.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt

from serving.server.request_error import RequestError

Arrays = Sequence[npt.NDArray[Any]]


@dataclass(frozen=True)
class BatchingOptions:
    """How requests are combined.

    Attributes:
        max_batch_size: rows of a batch; a request with more is run alone.
        timeout_micros: how long the first request of a batch waits for others.
        queued_batches: how many may wait of one signature of one version; above that, requests are UNAVAILABLE.
        parallel_batches: how many are run at a time; default: one for each processor.
    """

    max_batch_size: int = 64
    timeout_micros: int = 1000
    queued_batches: int = 100
    parallel_batches: int = field(default_factory=lambda: os.cpu_count() or 1)


class Batcher:
    """Combines requests for one signature along their first dimension.

    Args:
        options: how.
        run: runs the signature's inputs, in its order; gives its outputs.
    """

    def __init__(self, options: BatchingOptions, run: Callable[[Arrays], list[npt.NDArray[Any]]]) -> None:
        self._options = options
        self._run = run
        self._lock = threading.Lock()
        self._open: dict[tuple[tuple[int, ...], ...], _Batch] = {}
        self._queued = 0
        self._turns = threading.BoundedSemaphore(options.parallel_batches)

    def __call__(self, feeds: Arrays, deadline: float | None = None) -> list[npt.NDArray[Any]]:
        """The outputs of one request.

        Args:
            feeds: its inputs; those of a batch agree in all but the first dimension.
            deadline: of `time.monotonic()`.

        Raises:
            RequestError: UNAVAILABLE: too many batches wait; DEADLINE_EXCEEDED; what running it raises.
        """
        rows = feeds[0].shape[0] if feeds and feeds[0].ndim else 0
        if not 0 < rows <= self._options.max_batch_size or any(feed.shape[:1] != (rows,) for feed in feeds):
            return self._run(feeds)
        part = _Part(feeds, rows, deadline)
        key = tuple(feed.shape[1:] for feed in feeds)
        batch, leads = self._join(key, part)
        if leads:
            self._lead(key, batch)
        elif not part.done.acquire(timeout=-1 if deadline is None else max(deadline - time.monotonic(), 0.0)):
            raise _too_late()
        return part.answer()

    def _join(self, key: tuple[tuple[int, ...], ...], part: _Part) -> tuple[_Batch, bool]:
        """The batch that a request is now part of, and whether it is the first one there."""
        most = self._options.max_batch_size
        with self._lock:
            batch = self._open.get(key)
            leads = batch is None or batch.rows + part.rows > most
            if batch is None or leads:
                if self._queued >= self._options.queued_batches:
                    raise RequestError(
                        grpc.StatusCode.UNAVAILABLE,
                        f"The batch scheduling queue is full: {self._queued} batches wait.",
                    )
                if batch is not None:
                    batch.full.set()
                batch = self._open[key] = _Batch()
                self._queued += 1
            batch.parts.append(part)
            batch.rows += part.rows
            if batch.rows >= most:
                del self._open[key]
                batch.full.set()
            return batch, leads

    def _lead(self, key: tuple[tuple[int, ...], ...], batch: _Batch) -> None:
        try:
            batch.full.wait(self._options.timeout_micros / 1e6)
            with self._turns:
                with self._lock:
                    if self._open.get(key) is batch:
                        del self._open[key]
                    self._queued -= 1
                self._execute(batch.parts)
        finally:
            for part in batch.parts:
                part.done.release()

    def _execute(self, parts: Sequence[_Part]) -> None:
        now = time.monotonic()
        live = [part for part in parts if part.deadline is None or part.deadline > now]
        for part in parts:
            part.error = _too_late()  # those that are not live keep it
        if len(live) > 1 and self._together(live):
            return
        # Whatever is wrong with one of them, the others do not pay for it.
        for part in live:
            try:
                part.results, part.error = self._run(part.feeds), None
            except Exception as error:
                part.error = error

    def _together(self, parts: Sequence[_Part]) -> bool:
        """Runs requests as one; whether that was possible."""
        try:
            results = self._run(
                [np.concatenate(column) for column in zip(*(part.feeds for part in parts), strict=True)]
            )
        except Exception:
            return False
        total = sum(part.rows for part in parts)
        if any(result.shape[:1] != (total,) for result in results):
            return False
        start = 0
        for part in parts:
            part.results = [result[start : start + part.rows] for result in results]
            part.error = None
            start += part.rows
        return True


def _held() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False)
class _Part:
    """One request of a batch.

    Attributes:
        done: held until there are results or an error; an event, which has a lock for each that waits, takes longer.
    """

    feeds: Arrays
    rows: int
    deadline: float | None
    results: list[npt.NDArray[Any]] = field(default_factory=list)
    error: Exception | None = None
    done: threading.Lock = field(default_factory=_held)

    def answer(self) -> list[npt.NDArray[Any]]:
        if self.error is not None:
            raise self.error
        return self.results


@dataclass(eq=False)
class _Batch:
    """Requests that are run together."""

    parts: list[_Part] = field(default_factory=list)
    rows: int = 0
    full: threading.Event = field(default_factory=threading.Event)


def _too_late() -> RequestError:
    return RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, "The deadline of the request has passed.")
