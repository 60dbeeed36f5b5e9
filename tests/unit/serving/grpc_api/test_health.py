"""Health's streams, over a real channel."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.grpc_api.health import Health

SECONDS = 30.0
SERVING, NOT_SERVING, UNKNOWN = (
    getattr(health_pb2.HealthCheckResponse, name) for name in ("SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
)


class Ready:
    """Whether the server is ready; a test changes it."""

    def __init__(self) -> None:
        self.value = False

    def __call__(self) -> bool:
        return self.value


class Context:
    """A call's, of which only the end is asked."""

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self.ends = callback
        return True


@pytest.fixture
def ready() -> Ready:
    return Ready()


@pytest.fixture
def stub(ready: Ready) -> Iterator[health_pb2_grpc.HealthStub]:
    """One thread answers all calls."""
    server = grpc.server(ThreadPoolExecutor(1))
    health_pb2_grpc.add_HealthServicer_to_server(Health(ready), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield health_pb2_grpc.HealthStub(channel)
    server.stop(None).wait()


def test_watchers_are_told_of_changes_and_hold_no_thread(ready: Ready, stub: health_pb2_grpc.HealthStub) -> None:
    streams = [stub.Watch(health_pb2.HealthCheckRequest(service=name), timeout=SECONDS) for name in ("", "", "other")]
    assert [next(stream).status for stream in streams] == [NOT_SERVING, NOT_SERVING, UNKNOWN]
    ready.value = True
    assert [next(stream).status for stream in streams[:2]] == [SERVING, SERVING]
    assert stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS).status == SERVING
    for stream in streams:
        stream.cancel()
    # The last one is gone, and the next one is told all the same.
    assert next(stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS)).status == SERVING


def test_who_takes_nothing_up_holds_nobody_up(ready: Ready) -> None:
    health, let_go, told = Health(ready), threading.Event(), queue.SimpleQueue[Any]()
    gone = Context()
    health.Watch(health_pb2.HealthCheckRequest(), gone, lambda _: let_go.wait(SECONDS))
    health.Watch(health_pb2.HealthCheckRequest(), Context(), told.put)
    try:
        assert told.get(timeout=SECONDS).status == NOT_SERVING
        ready.value = True
        health.tell(0.01)
        assert told.get(timeout=SECONDS).status == SERVING
    finally:
        let_go.set()
        gone.ends()


def test_so_many_watch_and_no_more(ready: Ready, stub: health_pb2_grpc.HealthStub) -> None:
    streams = [stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS) for _ in range(100)]
    assert {next(stream).status for stream in streams} == {NOT_SERVING}
    with pytest.raises(grpc.RpcError) as refused:
        next(stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # type: ignore[attr-defined]
    for stream in streams:
        stream.cancel()
