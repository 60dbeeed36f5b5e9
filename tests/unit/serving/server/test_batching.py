from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
import pytest

from serving.server.batching import Batcher, BatchingOptions
from serving.server.request_error import RequestError, invalid
from tests.until import until

Arrays = Sequence[npt.NDArray[Any]]
MakeBatcher = Callable[..., Batcher]
HOUR = 3_600_000_000  # microseconds: only a full batch goes


class Model:
    """Doubles its input; refuses a negative number. A gate may hold it."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)

    def __call__(self, feeds: Arrays) -> list[npt.NDArray[Any]]:
        self.batches.append(len(feeds[0]))
        self.entered.release()
        self.gate.wait()
        if (feeds[0] < 0).any():
            raise invalid("negative")
        return [feeds[0] * 2]


@pytest.fixture
def batcher_of() -> Iterator[MakeBatcher]:
    """Makes batchers that are closed after the test: a thread that waits for an hour holds up the process's end."""
    with contextlib.ExitStack() as after:

        def make(options: BatchingOptions, run: Callable[[Arrays], Sequence[npt.NDArray[Any]]]) -> Batcher:
            return after.enter_context(contextlib.closing(Batcher(options, run)))

        yield make


def rows(*values: float) -> list[npt.NDArray[Any]]:
    return [np.array(values, np.float32)]


def together(batcher: Batcher, requests: Sequence[Arrays]) -> list[Future[list[npt.NDArray[Any]]]]:
    with ThreadPoolExecutor(len(requests)) as threads:
        return [threads.submit(batcher, request) for request in requests]


def test_a_thread_does_not_wait_on_for_a_batch_that_another_one_has_taken(batcher_of: MakeBatcher) -> None:
    batcher = batcher_of(BatchingOptions(2, HOUR, parallel_batches=2), Model())
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(batcher, rows(1))
        until(lambda: bool(batcher._changed._waiters))  # type: ignore[attr-defined]
        assert batcher(rows(2))[0].tolist() == [4]
        assert first.result()[0].tolist() == [2]
    until(lambda: batcher._working == 0)


def test_a_full_batch_is_run_once_and_each_request_gets_its_rows(batcher_of: MakeBatcher) -> None:
    model = Model()
    batcher = batcher_of(BatchingOptions(4, HOUR), model)
    answers = together(batcher, [rows(1), rows(2, 3), rows(4)])
    assert [one.result()[0].tolist() for one in answers] == [[2], [4, 6], [8]]
    assert model.batches == [4]


def test_a_batch_that_does_not_fill_up_goes_when_its_time_is_over(batcher_of: MakeBatcher) -> None:
    model = Model()
    assert batcher_of(BatchingOptions(4, 1000), model)(rows(1))[0].tolist() == [2]
    assert model.batches == [1]


def test_a_bad_request_does_not_fail_its_neighbours(batcher_of: MakeBatcher) -> None:
    model = Model()
    good, bad, other = together(batcher_of(BatchingOptions(3, HOUR), model), [rows(1), rows(-1), rows(3)])
    assert good.result()[0].tolist() == [2]
    assert other.result()[0].tolist() == [6]
    with pytest.raises(RequestError, match="negative"):
        bad.result()
    assert model.batches == [3, 1, 1, 1]


def test_requests_of_other_inner_shapes_are_not_combined(batcher_of: MakeBatcher) -> None:
    model = Model()
    batcher = batcher_of(BatchingOptions(2, HOUR), model)
    wide = [np.ones((1, 2), np.float32)]
    answers = together(batcher, [rows(1), wide, rows(2), wide])
    assert [one.result()[0].shape for one in answers] == [(1,), (1, 2), (1,), (1, 2)]
    assert model.batches == [2, 2]


def test_a_request_of_more_rows_than_a_batch_is_run_alone(batcher_of: MakeBatcher) -> None:
    model = Model()
    assert len(batcher_of(BatchingOptions(2, HOUR), model)(rows(1, 2, 3))[0]) == 3
    assert model.batches == [3]


def test_outputs_without_a_row_for_each_row_are_not_split(batcher_of: MakeBatcher) -> None:
    def total(feeds: Arrays) -> list[npt.NDArray[Any]]:
        return [feeds[0].sum(keepdims=True)]

    answers = together(batcher_of(BatchingOptions(2, HOUR), total), [rows(1), rows(2)])
    assert [one.result()[0].tolist() for one in answers] == [[1], [2]]


def test_requests_for_which_no_batch_is_left_are_unavailable(batcher_of: MakeBatcher) -> None:
    model = Model()
    model.gate.clear()
    batcher = batcher_of(BatchingOptions(1, 0, queued_batches=1, parallel_batches=1), model)
    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(batcher, rows(1))
        model.entered.acquire()
        waiting = threads.submit(batcher, rows(2))
        until(lambda: len(batcher._waiting) == 1)
        with pytest.raises(RequestError) as refused:
            batcher(rows(3))
        model.gate.set()
        assert (running.result()[0].tolist(), waiting.result()[0].tolist()) == ([2], [4])
    assert refused.value.code is grpc.StatusCode.UNAVAILABLE
    assert batcher(rows(4))[0].tolist() == [8]


def test_a_request_does_not_wait_longer_than_its_deadline_and_is_then_not_run(
    batcher_of: MakeBatcher,
) -> None:
    model = Model()
    model.gate.clear()
    batcher = batcher_of(BatchingOptions(3, HOUR, parallel_batches=1), model)
    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(batcher, rows(1, 2, 3))
        model.entered.acquire()
        leading = threads.submit(batcher, rows(4))
        until(lambda: len(batcher._waiting) == 1)
        with pytest.raises(RequestError) as late:
            batcher(rows(-1), time.monotonic() + 0.01)
        model.gate.set()
        assert batcher(rows(5))[0].tolist() == [10]
        assert (len(running.result()[0]), leading.result()[0].tolist()) == (3, [8])
    assert late.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert model.batches == [3, 2]


def test_requests_of_an_event_loop_share_a_batch_when_its_time_is_over(batcher_of: MakeBatcher) -> None:
    model = Model()
    batcher = batcher_of(BatchingOptions(4, 1000), model)

    async def ask() -> list[Any]:
        return await asyncio.gather(*(batcher.answer(rows(value)) for value in (1, 2, 3)))

    assert [one[0].tolist() for one in asyncio.run(ask())] == [[2], [4], [6]]
    assert model.batches == [3]


def test_on_an_event_loop_a_request_that_waits_is_taken_out_and_one_that_runs_is_waited_for(
    batcher_of: MakeBatcher,
) -> None:
    model = Model()
    model.gate.clear()
    batcher = batcher_of(BatchingOptions(1, 0, parallel_batches=1), model)
    ended: list[str] = []

    async def ask(name: str, deadline: float | None = None) -> None:
        try:
            await batcher.answer(rows(1), deadline)
        finally:
            ended.append(name)

    async def scenario() -> RequestError:
        loop = asyncio.get_running_loop()
        running = loop.create_task(ask("running"))
        await loop.run_in_executor(None, model.entered.acquire)
        late, waiting = loop.create_task(ask("late", time.monotonic() + 0.01)), loop.create_task(ask("waiting"))
        with pytest.raises(RequestError) as refused:
            await late
        running.cancel()
        waiting.cancel()
        await asyncio.wait({waiting})
        assert not running.done()
        model.gate.set()
        await asyncio.wait({running})
        assert running.cancelled()
        assert waiting.cancelled()
        return refused.value

    assert asyncio.run(scenario()).code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert ended == ["late", "waiting", "running"]
    assert batcher(rows(4))[0].tolist() == [8]
    assert model.batches == [1, 1]


def test_who_shares_a_batch_with_an_event_loop_does_not_depend_on_it(batcher_of: MakeBatcher) -> None:
    model = Model()
    batcher = batcher_of(BatchingOptions(4, 1000), model)

    async def begin() -> asyncio.Task[list[npt.NDArray[Any]]]:
        task = asyncio.ensure_future(batcher.answer(rows(1)))
        await asyncio.sleep(0)
        return task

    loop = asyncio.new_event_loop()  # which runs no further: its timer never comes
    task = loop.run_until_complete(begin())
    assert batcher(rows(2))[0].tolist() == [4]
    assert model.batches == [2]
    assert loop.run_until_complete(task)[0].tolist() == [2]
    loop.close()


def test_a_batch_that_nobody_waits_for_any_more_leaves_its_place(batcher_of: MakeBatcher) -> None:
    model = Model()
    batcher = batcher_of(BatchingOptions(4, HOUR, queued_batches=1), model)
    for _ in range(3):
        with pytest.raises(RequestError) as late:
            batcher(rows(1), time.monotonic() + 0.001)
        assert late.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert batcher._waiting == []
    assert model.batches == []


def test_a_batch_of_a_version_that_is_gone_is_not_run(batcher_of: MakeBatcher) -> None:
    model = Model()
    batcher = batcher_of(BatchingOptions(4, 1000), model)

    async def scenario() -> list[str]:
        faults: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: faults.append(context["message"]))
        task = loop.create_task(batcher.answer(rows(1)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        batcher.close()
        await asyncio.sleep(0.01)  # longer than the time of the batch
        return faults

    assert asyncio.run(scenario()) == []


def test_only_what_fits_is_combined() -> None:
    batcher = Batcher(BatchingOptions(2, 0), Model())
    assert batcher.combines(rows(1, 2))
    assert not batcher.combines(rows(1, 2, 3))
    assert not batcher.combines(rows())
    assert not batcher.combines([np.float32(1).reshape(())])
    assert not batcher.combines([np.zeros(2), np.zeros(1)])
    assert not Batcher(BatchingOptions(2, 0), Model(), combine=False).combines(rows(1))


def test_no_request_of_a_batch_waits_where_there_is_no_thread_to_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def full_and_timed_out() -> list[object]:
        batcher = Batcher(BatchingOptions(2, 1000), Model())
        with monkeypatch.context() as limited:
            limited.setattr(threading.Thread, "start", start)
            full = [asyncio.ensure_future(batcher.answer(rows(x))) for x in (1.0, 2.0)]
            found: list[object] = await asyncio.gather(*full, batcher.answer(rows(3, 4)), return_exceptions=True)
            found += await asyncio.gather(batcher.answer(rows(5)), return_exceptions=True)
            with pytest.raises(RequestError):
                batcher(rows(6))
        return [*found, (await batcher.answer(rows(7)))[0].tolist()]

    *refused, answered = asyncio.run(asyncio.wait_for(full_and_timed_out(), 30))
    assert [one.code for one in refused if isinstance(one, RequestError)] == [grpc.StatusCode.UNAVAILABLE] * 4
    assert answered == [14]
