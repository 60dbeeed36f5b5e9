"""Health's streams, over a real channel."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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
