"""Requests that are run together, and what becomes of each."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt

from serving.server.request_error import RequestError

_LOG = logging.getLogger(__name__)
Arrays = Sequence[npt.NDArray[Any]]
Results = list[npt.NDArray[Any]]
Run = Callable[[Arrays], Results]


@dataclass(eq=False, slots=True)
class Batch:
    """Requests that are run together, when it is due, of `time.monotonic()`; infinite: a timer of `loop` says so."""

    key: tuple[tuple[int, ...], ...]
    due: float
    loop: asyncio.AbstractEventLoop | None = None
    parts: list[BatchPart] = field(default_factory=list)
    rows: int = 0

    def execute(self, run: Run) -> None:
        """Gives each request what it is answered, or why not; nobody is told yet."""
        now = time.monotonic()
        live = []
        for part in self.parts:
            if part.withdrawn or (part.deadline is not None and part.deadline <= now):
                part.error = too_late()
            else:
                live.append(part)
        if len(live) > 1 and _together(live, run):
            return
        # Whatever is wrong with one of them, the others do not pay for it.
        for part in live:
            try:
                part.results, part.error = run(part.feeds), None
            except Exception as error:
                part.error = error

    def deliver(self) -> None:
        """Tells those who ask, those of an event loop all at once."""
        for loop in {part.loop for part in self.parts}:
            mine = [part for part in self.parts if part.loop is loop]
            if loop is None:
                _settle(mine)
            else:
                with contextlib.suppress(RuntimeError):  # it is closed: nobody is there any more
                    loop.call_soon_threadsafe(_settle, mine)


@dataclass(eq=False, slots=True)
class BatchPart:
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
    batch: Batch = field(init=False)
    begun: bool = False
    withdrawn: bool = False
    ended: bool = False
    at_end: asyncio.Future[None] | None = None
    results: Results = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.rows = rows_of(self.feeds)

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


def rows_of(feeds: Arrays) -> int:
    """In the first dimension; 0 where there is none."""
    return feeds[0].shape[0] if feeds and feeds[0].ndim else 0


def too_late() -> RequestError:
    """What a request is told whose deadline has passed."""
    return RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, "The deadline of the request has passed.")


def _together(parts: Sequence[BatchPart], run: Run) -> bool:
    """Runs requests as one; whether that was possible."""
    try:
        results = run([np.concatenate(column) for column in zip(*(part.feeds for part in parts), strict=True)])
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


def _settle(parts: Sequence[BatchPart]) -> None:
    for part in parts:
        try:
            part.settle()
        except Exception:  # the others are told
            _LOG.exception("A request of a batch cannot be told what became of it.")
            part.future.cancel()
