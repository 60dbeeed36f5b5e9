"""Health's streams, over a real channel."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.grpc_api.health import Health
from serving.grpc_api.loop_thread import LoopThread

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


class Served:
    """A server of Health alone."""

    def __init__(self, loop: LoopThread, ready: Ready) -> None:
        self.loop = loop
        self.port = loop.call(self._start(ready))

    async def _start(self, ready: Ready) -> int:
        self.health = Health(ready)
        self.server = grpc.aio.server()
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
        port = self.server.add_insecure_port("127.0.0.1:0")
        await self.server.start()
        return int(port)


@pytest.fixture
def ready() -> Ready:
    return Ready()


@pytest.fixture
def served(ready: Ready) -> Iterator[Served]:
    loop = LoopThread("health")
    found = Served(loop, ready)
    yield found
    loop.call(found.server.stop(None))
    loop.end()


@pytest.fixture
def stub(served: Served) -> Iterator[health_pb2_grpc.HealthStub]:
    with grpc.insecure_channel(f"127.0.0.1:{served.port}") as channel:
        yield health_pb2_grpc.HealthStub(channel)


def test_watchers_are_told_of_changes(ready: Ready, served: Served, stub: health_pb2_grpc.HealthStub) -> None:
    streams = [stub.Watch(health_pb2.HealthCheckRequest(service=name), timeout=SECONDS) for name in ("", "", "other")]
    assert [next(stream).status for stream in streams] == [NOT_SERVING, NOT_SERVING, UNKNOWN]
    ready.value = True
    # The first two are told before this returns.
    served.loop.call(served.health.tell(SECONDS))
    assert [next(stream).status for stream in streams[:2]] == [SERVING, SERVING]
    ready.value = False
    # Without being called, it looks.
    assert [next(stream).status for stream in streams[:2]] == [NOT_SERVING, NOT_SERVING]
    assert stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS).status == NOT_SERVING
    for stream in streams:
        stream.cancel()
    # The last one is gone, and the next one is told all the same.
    assert next(stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS)).status == NOT_SERVING


def test_so_many_watch_and_no_more(stub: health_pb2_grpc.HealthStub) -> None:
    streams = [stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS) for _ in range(100)]
    assert {next(stream).status for stream in streams} == {NOT_SERVING}
    with pytest.raises(grpc.RpcError) as refused:
        next(stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # type: ignore[attr-defined]
    for stream in streams:
        stream.cancel()
