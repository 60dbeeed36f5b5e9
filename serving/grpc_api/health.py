"""grpc.health.v1: whether requests may be sent."""

from __future__ import annotations

from collections.abc import Callable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_SERVICES = ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")


class Health(health_pb2_grpc.HealthServicer):
    """Answers from what is so when it is asked; nobody has to tell it of changes.

    Watch is not implemented: who uses it then asks again and again, as the protocol says.

    Args:
        ready: whether the models have been loaded and the server does not end.
    """

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready

    def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """SERVING or NOT_SERVING, for the whole server or one of its services; NOT_FOUND for another."""
        if request.service not in _SERVICES:
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {request.service}")
        status = health_pb2.HealthCheckResponse.SERVING if self._ready() else health_pb2.HealthCheckResponse.NOT_SERVING
        return health_pb2.HealthCheckResponse(status=status)
