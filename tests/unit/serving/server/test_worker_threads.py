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
