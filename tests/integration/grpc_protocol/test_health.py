"""gRPC's health checking."""

from __future__ import annotations

from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.integration.grpc_protocol.server import Server
from tests.integration.grpc_protocol.status_code import code_of
from tests.integration.serve_command import SECONDS


def test_health_is_grpcs_own_protocol(running: Server) -> None:
    assert running.health() == "SERVING"
    assert running.health("tensorflow.serving.PredictionService") == running.health("ModelService") == "SERVING"
    assert code_of(lambda: running.health("other"))[0] == "NOT_FOUND"
    watch = health_pb2_grpc.HealthStub(running.channel).Watch
    for service, status in (("", "SERVING"), ("other", "SERVICE_UNKNOWN")):
        stream = watch(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
        assert next(stream).status == getattr(health_pb2.HealthCheckResponse, status)
        assert stream.cancel()
