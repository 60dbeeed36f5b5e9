"""grpc.health.v1: whether requests may be sent."""

from __future__ import annotations

import threading
from collections.abc import Callable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

Send = Callable[[health_pb2.HealthCheckResponse | None], None]

# TensorFlow Serving's names, and those of the services.
_SERVICES = (
    "",
    "PredictionService",
    "ModelService",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)
_SECONDS = 0.1  # between two looks, while somebody watches


class Health(health_pb2_grpc.HealthServicer):
    """Answers from what is so when it is asked; nobody has to tell it of changes.

    Args:
        ready: whether the models have been loaded and the server does not end.
    """

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready
        self._lock = threading.Lock()
        self._sending = threading.Lock()  # one message of a stream at a time
        self._watchers: dict[Send, int] = {}  # and what each was told
        self._looks = False

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

        SERVICE_UNKNOWN for another service.
        """
        if request.service not in _SERVICES:
            with self._sending:
                send(health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVICE_UNKNOWN))
            context.add_callback(lambda: send(None))
            return
        with self._lock:
            self._watchers[send] = health_pb2.HealthCheckResponse.UNKNOWN
            begins, self._looks = not self._looks, True
        if not context.add_callback(lambda: self._forget(send)):
            self._forget(send)
        self.tell()
        if begins:
            threading.Thread(target=self._look, name="grpc-health", daemon=True).start()

    # Without them a watcher would hold one of the threads of the server as long as it watches.
    Watch.experimental_non_blocking = True  # type: ignore[attr-defined]
    Watch.experimental_thread_pool = None  # type: ignore[attr-defined]

    def tell(self) -> None:
        """Sends the watchers what has changed."""
        with self._sending:
            status = self._status()
            with self._lock:
                late = [send for send, told in self._watchers.items() if told != status]
                self._watchers.update(dict.fromkeys(late, status))
            for send in late:
                send(health_pb2.HealthCheckResponse(status=status))

    def _look(self) -> None:
        rest = threading.Event()
        while True:
            with self._lock:
                if not self._watchers:
                    self._looks = False
                    return
            self.tell()
            rest.wait(_SECONDS)

    def _forget(self, send: Send) -> None:
        with self._lock:
            self._watchers.pop(send, None)
        send(None)

    def _status(self) -> int:
        found = health_pb2.HealthCheckResponse
        return int(found.SERVING if self._ready() else found.NOT_SERVING)
