from __future__ import annotations

import threading

import grpc
import pytest

from serving.server.request_error import RequestError
from serving.server.worker_threads import WorkerThreads


def no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at a limit of processes."""

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)


def test_without_a_thread_work_is_refused_and_not_done_later(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    with WorkerThreads(2) as threads:
        with monkeypatch.context() as limited:
            no_more_threads(limited)
            with pytest.raises(RequestError) as raised:
                threads.submit(done.append, 1)
            assert raised.value.code is grpc.StatusCode.UNAVAILABLE
        threads.submit(done.append, 2).result()
    assert done == [2]


def test_with_a_thread_work_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    with WorkerThreads(2) as threads:
        first = threads.submit(go_on.wait)
        with monkeypatch.context() as limited:
            no_more_threads(limited)
            second = threads.submit(int, "2")
        assert not second.done()
        go_on.set()
        assert (first.result(), second.result()) == (True, 2)


def test_once_threads_can_be_started_again_there_are_as_many_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, at_once = threading.Event(), threading.Barrier(4)
    with WorkerThreads(8) as threads:
        first = threads.submit(go_on.wait)
        with monkeypatch.context() as limited:
            no_more_threads(limited)
            waiting = [threads.submit(int, number) for number in range(20)]
        go_on.set()
        assert first.result()
        assert [one.result() for one in waiting] == list(range(20))
        together = [threads.submit(at_once.wait, 30.0) for _ in range(4)]
        assert sorted(one.result() for one in together) == [0, 1, 2, 3]
