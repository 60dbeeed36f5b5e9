"""Dynamic batching: requests that arrive at the same time are run together.

A few threads run the batches; requests have none. Who asks on an event loop is woken with all others of its batch at
once: to hand every request from one of Python's threads to another takes longer than to compute it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
import os
import threading
import time
from dataclasses import dataclass, field

import grpc

from serving.server.batch import Arrays, Batch, BatchPart, Results, Run, rows_of, too_late
from serving.server.on_thread import ended
from serving.server.request_error import RequestError
from serving.server.worker_threads import WorkerThreads


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

    def __init__(self, options: BatchingOptions, run: Run, *, combine: bool = True) -> None:
        self._options = options
        self._run = run
        self._combine = combine
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting: list[Batch] = []
        self._open: dict[tuple[tuple[int, ...], ...], Batch] = {}  # that others may join
        self._working = 0
        self._closed = False
        # They begin with the first batch, and end with `close` or with this.
        self._threads = WorkerThreads(options.parallel_batches, thread_name_prefix="batch")

    def combines(self, feeds: Arrays) -> bool:
        """Whether a request may be combined with others; if not, it is none for this."""
        rows = rows_of(feeds)
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
        part = self._join(BatchPart(feeds, deadline, future))
        try:
            return future.result(None if deadline is None else max(deadline - time.monotonic(), 0.0))
        except concurrent.futures.TimeoutError:
            if self._withdraw(part):
                raise too_late() from None
            return future.result()

    async def answer(self, feeds: Arrays, deadline: float | None = None) -> Results:
        """As a call, to a coroutine; where that is cancelled it ends when the request does not run any more."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Results] = loop.create_future()
        part = self._join(BatchPart(feeds, deadline, future, loop))
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

    def _withdraw(self, part: BatchPart) -> bool:
        """Takes a request out; not once it runs: until then its version has to stay loaded, so whoever asks waits."""
        with self._lock:
            part.withdrawn = not part.begun
            batch = part.batch
            if part.withdrawn and batch in self._waiting and all(one.withdrawn for one in batch.parts):
                # Its place is free for others, and nobody joins what only an ended loop would have run.
                self._waiting.remove(batch)
                self._shut(batch)
            return part.withdrawn

    def _expire(self, part: BatchPart) -> None:
        if self._withdraw(part) and not part.future.done():
            part.future.set_exception(too_late())

    def _join(self, part: BatchPart) -> BatchPart:
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

    def _new_batch(self, key: tuple[tuple[int, ...], ...], loop: asyncio.AbstractEventLoop | None) -> Batch:
        seconds = self._options.timeout_micros / 1e6
        if loop is None:
            batch = Batch(key, time.monotonic() + seconds)
        else:
            # By its clock, what has arrived at the loop is part of the batch when its time is over. A thread would
            # stop the loop to take what is there.
            batch = Batch(key, math.inf, loop)
            loop.call_later(math.ceil(seconds * 1e3) / 1e3, self._ripen, batch)
        self._waiting.append(batch)
        return batch

    def _fill(self, batch: Batch) -> None:
        """A batch waits for no others any more."""
        self._shut(batch)
        batch.due = 0.0
        self._wake()

    def _shut(self, batch: Batch) -> None:
        if self._open.get(batch.key) is batch:
            del self._open[batch.key]

    def _ripen(self, batch: Batch) -> None:
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
            batch.deliver()

    def _work(self) -> None:
        """Runs batches as long as there are any."""
        try:
            while (batch := self._next()) is not None:
                batch.execute(self._run)
                batch.deliver()
        except BaseException:  # another thread takes its place
            with self._lock:
                self._working -= 1
            raise

    def _next(self) -> Batch | None:
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
