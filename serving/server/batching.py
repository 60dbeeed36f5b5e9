"""Dynamic batching: requests that arrive at the same time are run together.

A few threads run the batches; requests have none. Who asks on an event loop is woken with all others of its batch at
once: to hand every request from one of Python's threads to another takes longer than to compute it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt

from serving.server.on_thread import ended
from serving.server.request_error import RequestError
from serving.server.worker_threads import WorkerThreads

_LOG = logging.getLogger(__name__)
Arrays = Sequence[npt.NDArray[Any]]
Results = list[npt.NDArray[Any]]


@dataclass(frozen=True)
class BatchingOptions:
    """How requests are combined.

    Attributes:
        max_batch_size: rows of a batch.
        timeout_micros: how long the first request of a batch waits for others; on an event loop, whose clock has
            milliseconds, rounded up to them.
        queued_batches: how many may wait of one signature of one version; above that, requests are UNAVAILABLE.
        parallel_batches: how many are run at a time; default: one for each processor.
    """

    max_batch_size: int = 64
    timeout_micros: int = 1000
    queued_batches: int = 100
    parallel_batches: int = field(default_factory=lambda: os.cpu_count() or 1)


class Batcher:
    """Combines requests for one signature along their first dimension; safe to use from any thread.

    Args:
        options: how.
        run: runs the signature's inputs, in its order; gives its outputs.
        combine: whether requests may be combined at all.
    """

    def __init__(self, options: BatchingOptions, run: Callable[[Arrays], Results], *, combine: bool = True) -> None:
        self._options = options
        self._run = run
        self._combine = combine
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting: list[_Batch] = []
        self._open: dict[tuple[tuple[int, ...], ...], _Batch] = {}  # that others may join
        self._working = 0
        self._closed = False
        # They begin with the first batch, and end with `close` or with this.
        self._threads = WorkerThreads(options.parallel_batches, thread_name_prefix="batch")

    def combines(self, feeds: Arrays) -> bool:
        """Whether a request may be combined with others; if not, it is none for this."""
        rows = _rows(feeds)
        fits = self._combine and 0 < rows <= self._options.max_batch_size
        return fits and all(feed.shape[:1] == (rows,) for feed in feeds)

    def __call__(self, feeds: Arrays, deadline: float | None = None) -> Results:
        """The outputs of one request, to a thread that waits for them.

        Args:
            feeds: its inputs, which may be combined; those of a batch agree in all but the first dimension.
            deadline: of `time.monotonic()`.

        Raises:
            RequestError: UNAVAILABLE: too many batches wait; DEADLINE_EXCEEDED; what running it raises.
        """
        future: concurrent.futures.Future[Results] = concurrent.futures.Future()
        part = self._join(_Part(feeds, deadline, future))
        try:
            return future.result(None if deadline is None else max(deadline - time.monotonic(), 0.0))
        except concurrent.futures.TimeoutError:
            if self._withdraw(part):
                raise _too_late() from None
            return future.result()

    async def answer(self, feeds: Arrays, deadline: float | None = None) -> Results:
        """As a call, to a coroutine; where that is cancelled it ends when the request does not run any more."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Results] = loop.create_future()
        part = self._join(_Part(feeds, deadline, future, loop))
        timer = None if deadline is None else loop.call_later(deadline - time.monotonic(), self._expire, part)
        try:
            return await future
        except asyncio.CancelledError:
            if not self._withdraw(part) and not part.ended:
                part.at_end = loop.create_future()
                await ended(part.at_end)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        """Ends the threads; there are no requests any more."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        self._threads.shutdown(wait=False)

    def _withdraw(self, part: _Part) -> bool:
        """Takes a request out; not once it runs: until then its version has to stay loaded, so whoever asks waits."""
        with self._lock:
            part.withdrawn = not part.begun
            batch = part.batch
            if part.withdrawn and batch in self._waiting and all(one.withdrawn for one in batch.parts):
                # Its place is free for others, and nobody joins what only an ended loop would have run.
                self._waiting.remove(batch)
                self._shut(batch)
            return part.withdrawn

    def _expire(self, part: _Part) -> None:
        if self._withdraw(part) and not part.future.done():
            part.future.set_exception(_too_late())

    def _join(self, part: _Part) -> _Part:
        """Makes a request part of a batch."""
        most = self._options.max_batch_size
        key = tuple([feed.shape[1:] for feed in part.feeds])
        wake = False
        with self._lock:
            batch = self._open.get(key)
            if batch is None or batch.rows + part.rows > most:
                if len(self._waiting) >= self._options.queued_batches:
                    raise RequestError(
                        grpc.StatusCode.UNAVAILABLE,
                        f"The batch scheduling queue is full: {len(self._waiting)} batches wait.",
                    )
                if batch is not None:
                    self._fill(batch)
                batch = self._open[key] = self._new_batch(key, part.loop)
                wake = part.loop is None  # a thread that waits until it is due
            elif part.loop is not batch.loop and batch.due == math.inf:
                # Who is not of that loop does not depend on it: it may be busy, or end.
                batch.due = time.monotonic() + self._options.timeout_micros / 1e6
                wake = True
            part.batch = batch
            batch.parts.append(part)
            batch.rows += part.rows
            if batch.rows >= most:
                self._fill(batch)
            elif wake:
                self._wake()
        return part

    def _new_batch(self, key: tuple[tuple[int, ...], ...], loop: asyncio.AbstractEventLoop | None) -> _Batch:
        seconds = self._options.timeout_micros / 1e6
        if loop is None:
            batch = _Batch(key, time.monotonic() + seconds)
        else:
            # By its clock, what has arrived at the loop is part of the batch when its time is over. A thread would
            # stop the loop to take what is there.
            batch = _Batch(key, math.inf, loop)
            loop.call_later(math.ceil(seconds * 1e3) / 1e3, self._ripen, batch)
        self._waiting.append(batch)
        return batch

    def _fill(self, batch: _Batch) -> None:
        """A batch waits for no others any more."""
        self._shut(batch)
        batch.due = 0.0
        self._wake()

    def _shut(self, batch: _Batch) -> None:
        if self._open.get(batch.key) is batch:
            del self._open[batch.key]

    def _ripen(self, batch: _Batch) -> None:
        """The time of a batch is over: it is run, with those that come until a thread is free."""
        with self._lock:
            if batch.due and not self._closed and batch in self._waiting:
                batch.due = 0.0
                self._wake()

    def _wake(self) -> None:
        # All: who waits for a batch that another one takes would wait on, also at the interpreter's end.
        self._changed.notify_all()
        if self._working < self._options.parallel_batches:
            try:
                self._threads.submit(self._work)
            except RequestError as error:
                self._refuse(error)
            else:
                self._working += 1

    def _refuse(self, error: RequestError) -> None:
        """There is no thread that runs batches: nobody waits for one in vain."""
        batches, self._waiting = self._waiting, []
        self._open.clear()
        for batch in batches:
            for part in batch.parts:
                part.begun, part.error = True, error
            _deliver(batch.parts)

    def _work(self) -> None:
        """Runs batches as long as there are any."""
        try:
            while (batch := self._next()) is not None:
                self._execute(batch.parts)
                _deliver(batch.parts)
        except BaseException:  # another thread takes its place
            with self._lock:
                self._working -= 1
            raise

    def _next(self) -> _Batch | None:
        with self._lock:
            while True:
                now = time.monotonic()
                for place, batch in enumerate(self._waiting):
                    if batch.due <= now:
                        del self._waiting[place]
                        self._shut(batch)
                        for part in batch.parts:
                            part.begun = True
                        return batch
                due = min((batch.due for batch in self._waiting), default=math.inf)
                if due == math.inf:
                    self._working -= 1
                    return None
                self._changed.wait(due - now)

    def _execute(self, parts: Sequence[_Part]) -> None:
        now = time.monotonic()
        live = [part for part in parts if not part.withdrawn and (part.deadline is None or part.deadline > now)]
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


def _deliver(parts: Sequence[_Part]) -> None:
    """Tells those who ask, those of an event loop all at once."""
    for loop in {part.loop for part in parts}:
        mine = [part for part in parts if part.loop is loop]
        if loop is None:
            _settle(mine)
        else:
            with contextlib.suppress(RuntimeError):  # it is closed: nobody is there any more
                loop.call_soon_threadsafe(_settle, mine)


def _settle(parts: Sequence[_Part]) -> None:
    for part in parts:
        try:
            part.settle()
        except Exception:  # the others are told
            _LOG.exception("A request of a batch cannot be told what became of it.")
            part.future.cancel()


def _rows(feeds: Arrays) -> int:
    """In the first dimension; 0 where there is none."""
    return feeds[0].shape[0] if feeds and feeds[0].ndim else 0


@dataclass(eq=False, slots=True)
class _Part:
    """One request of a batch.

    Attributes:
        future: what whoever asks waits for.
        loop: of the future; default: it is that of a thread.
        rows: in the first dimension.
        batch: that it is of.
        begun: it is not withdrawn any more.
        withdrawn: nobody waits for it.
        ended: it does not run any more.
        at_end: set then, for a coroutine that was cancelled.
    """

    feeds: Arrays
    deadline: float | None
    future: asyncio.Future[Results] | concurrent.futures.Future[Results]
    loop: asyncio.AbstractEventLoop | None = None
    rows: int = field(init=False)
    batch: _Batch = field(init=False)
    begun: bool = False
    withdrawn: bool = False
    ended: bool = False
    at_end: asyncio.Future[None] | None = None
    results: Results = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.rows = _rows(self.feeds)

    def settle(self) -> None:
        """Gives the outcome to whoever asks."""
        self.ended = True
        if self.at_end is not None and not self.at_end.done():
            self.at_end.set_result(None)
        if self.withdrawn or self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.results)


@dataclass(eq=False, slots=True)
class _Batch:
    """Requests that are run together, when it is due, of `time.monotonic()`; infinite: a timer of `loop` says so."""

    key: tuple[tuple[int, ...], ...]
    due: float
    loop: asyncio.AbstractEventLoop | None = None
    parts: list[_Part] = field(default_factory=list)
    rows: int = 0


def _too_late() -> RequestError:
    return RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, "The deadline of the request has passed.")
