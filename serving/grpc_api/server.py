"""The server of gRPC."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from schemas.errors import RunError
from serving.grpc_api.call_count import CallCount
from serving.grpc_api.health import Health
from serving.grpc_api.model_service import ModelService
from serving.grpc_api.prediction_service import PredictionService
from serving.server.bound_socket import bound_socket
from serving.server.manager import ModelManager
from serving.server.metrics import Metrics

# More than processors: those that wait for a batch to fill up do nothing else.
_THREADS = 64
_PATIENCE = 1.0  # seconds, until who watches its health has been told of the end
# Those above are RESOURCE_EXHAUSTED: each that waits holds its message.
_MOST_CALLS = 4096
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Or a second server would share the port, and get half of the requests.
    ("grpc.so_reuseport", 0),
)


class GrpcServer:
    """The services, on one port.

    Args:
        manager: the models.
        metrics: where calls are counted.
        host: address to listen on.
        port: 0 picks one.

    Attributes:
        port: on which it listens.

    Raises:
        RunError: the port is taken, or the address is none of this machine's.
    """

    def __init__(self, manager: ModelManager, metrics: Metrics, host: str, port: int) -> None:
        self._ended = threading.Event()
        self._calls = CallCount()
        threads = _Threads(self._calls)
        self._server = grpc.server(threads, options=_OPTIONS, maximum_concurrent_rpcs=_MOST_CALLS)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(manager, metrics, self._calls), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(manager, metrics, self._calls), self._server
        )
        self._health = Health(lambda: manager.ready() and not self._ended.is_set())
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        # Of what it cannot listen on, gRPC itself prints an account of its own.
        bound_socket(host, port, "gRPC", "--grpc-port").close()
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            self.port = int(self._server.add_insecure_port(address))
        except RuntimeError as error:
            raise RunError("The server of gRPC cannot listen there.", where=address, received=error) from error

    def start(self) -> None:
        """Begins to answer; connections that were made before wait until then."""
        self._server.start()

    def stop(self, grace: float) -> threading.Event:
        """Takes no further calls.

        Args:
            grace: seconds for those that are running; then they are cancelled.

        Returns:
            What is set when all have ended.
        """
        self._ended.set()
        self._health.tell(_PATIENCE)
        ended: threading.Event = self._server.stop(grace)
        threading.Thread(target=self._cut, args=(grace,), name="grpc-end", daemon=True).start()
        return ended

    def _cut(self, grace: float) -> None:
        """Ends the connections once all calls are answered: gRPC waits seconds for idle clients to do it."""
        self._calls.wait(grace)
        self._server.stop(0)


class _Threads(ThreadPoolExecutor):
    """Threads for calls, which are counted from when they arrive."""

    def __init__(self, calls: CallCount) -> None:
        super().__init__(_THREADS, thread_name_prefix="grpc")
        self._calls = calls

    def submit(self, *arguments: Any, **named: Any) -> Future[Any]:
        """Begins something as soon as a thread is free."""
        self._calls.begin()
        try:
            future = super().submit(*arguments, **named)
        except BaseException:
            self._calls.end()
            raise
        future.add_done_callback(self._calls.end)
        return future
