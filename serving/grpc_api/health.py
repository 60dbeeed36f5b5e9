"""grpc.health.v1: whether requests may be sent."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_UNKNOWN = int(health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)

# TensorFlow Serving's names, and those of the services.
_SERVICES = (
    "",
    "PredictionService",
    "ModelService",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)
_SECONDS = 0.25  # between two looks of each that watches
_MOST = 100


class Health(health_pb2_grpc.HealthServicer):
    """Answers from what is so when it is asked; nobody has to tell it of changes.

    Args:
        ready: whether the models have been loaded and the server does not end.
    """

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready
        self._changed = asyncio.Event()
        self._watchers: dict[grpc.aio.ServicerContext, int | None] = {}  # and what each was told last

    async def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """SERVING or NOT_SERVING, for the whole server or one of its services; NOT_FOUND for another."""
        if request.service not in _SERVICES:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {request.service}")
        return health_pb2.HealthCheckResponse(status=self._status())

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> None:
        """The same as a stream: what is so now, and each change, until the client ends it.

        SERVICE_UNKNOWN for another service; RESOURCE_EXHAUSTED where a hundred watch already.
        """
        if len(self._watchers) >= _MOST:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{_MOST} streams watch already")
        self._watchers[context] = None
        try:
            while True:
                status = self._status() if request.service in _SERVICES else _UNKNOWN
                if status != self._watchers[context]:
                    await context.write(health_pb2.HealthCheckResponse(status=status))
                    self._watchers[context] = status
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), _SECONDS)
        finally:
            del self._watchers[context]

    async def tell(self, patience: float) -> None:
        """Has the watchers told what has changed.

        Args:
            patience: seconds that are waited at most until they have been.
        """
        until = time.monotonic() + patience
        while not set(self._watchers.values()) <= {self._status(), _UNKNOWN} and time.monotonic() < until:
            self._changed.set()  # wakes those that wait now
            self._changed.clear()
            await asyncio.sleep(_SECONDS / 50)

    def _status(self) -> int:
        found = health_pb2.HealthCheckResponse
        return int(found.SERVING if self._ready() else found.NOT_SERVING)
