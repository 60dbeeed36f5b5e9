"""grpc.health.v1: whether requests may be sent."""

from __future__ import annotations

import threading
from collections.abc import Callable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

Send = Callable[[health_pb2.HealthCheckResponse | None], None]

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

    Each stream has a thread: a client that takes nothing up would hold up the others.

    Args:
        ready: whether the models have been loaded and the server does not end.
    """

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready
        self._changed = threading.Condition()
        self._watchers: dict[Send, int | None] = {}  # and what each was told last

    def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """SERVING or NOT_SERVING, for the whole server or one of its services; NOT_FOUND for another."""
        if request.service not in _SERVICES:
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {request.service}")
        return health_pb2.HealthCheckResponse(status=self._status())

    def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext, send: Send
    ) -> None:
        """The same as a stream: what is so now, and each change, until the client ends it.

        SERVICE_UNKNOWN for another service; RESOURCE_EXHAUSTED where a hundred watch already.
        """
        with self._changed:
            if len(self._watchers) >= _MOST:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{_MOST} streams watch already")
            self._watchers[send] = None
        if not context.add_callback(lambda: self._forget(send)):
            self._forget(send)
        known = request.service in _SERVICES
        threading.Thread(target=self._watch, args=(send, known), name="grpc-health", daemon=True).start()

    # Without them a watcher would hold one of the threads of the server as long as it watches.
    Watch.experimental_non_blocking = True  # type: ignore[attr-defined]
    Watch.experimental_thread_pool = None  # type: ignore[attr-defined]

    def tell(self, patience: float) -> None:
        """Has the watchers told what has changed.

        Args:
            patience: seconds that are waited at most until they have been.
        """
        with self._changed:
            self._changed.notify_all()
            self._changed.wait_for(lambda: set(self._watchers.values()) <= {self._status(), _UNKNOWN}, patience)

    def _watch(self, send: Send, known: bool) -> None:
        told: int | None = None
        while True:
            status = self._status() if known else _UNKNOWN
            if status != told:
                send(health_pb2.HealthCheckResponse(status=status))
            with self._changed:
                if send not in self._watchers:
                    return
                if status != told:
                    self._watchers[send] = told = status
                    self._changed.notify_all()
                else:
                    self._changed.wait(_SECONDS)

    def _forget(self, send: Send) -> None:
        with self._changed:
            self._watchers.pop(send, None)
            self._changed.notify_all()
        send(None)

    def _status(self) -> int:
        found = health_pb2.HealthCheckResponse
        return int(found.SERVING if self._ready() else found.NOT_SERVING)
