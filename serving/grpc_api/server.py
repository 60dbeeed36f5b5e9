"""The server of gRPC, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future

import grpc
from grpc_health.v1 import health_pb2_grpc

from schemas.errors import RunError
from serving.grpc_api.answering import Answering
from serving.grpc_api.call_count import CallCount
from serving.grpc_api.health import Health
from serving.grpc_api.loop_thread import LoopThread
from serving.grpc_api.model_service import model_service
from serving.grpc_api.prediction_service import prediction_service
from serving.server.bound_socket import bound_socket
from serving.server.manager import ModelManager
from serving.server.metrics import Metrics
from serving.server.unsent_bytes import unsent_bytes
from serving.server.worker_threads import WorkerThreads

_LOG = logging.getLogger(__name__)
# More than processors: a request may wait for a batch, or for a model that is loaded.
_THREADS = 64
_PATIENCE = 1.0  # seconds, until clients have been told of the end
_SETTLING = 0.1  # seconds
_LOOK = 0.01  # seconds, between two looks whether all calls are answered
_QUEUED = 64 << 10  # bytes; a large answer is on its way to a client that is slow to take it
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
        credentials: for TLS; default: none, in plain text.

    Attributes:
        port: on which it listens.

    Raises:
        RunError: the port is taken, the address is none of this machine's, or gRPC does not take the certificate.
    """

    def __init__(
        self,
        manager: ModelManager,
        metrics: Metrics,
        host: str,
        port: int,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self._manager = manager
        self._ending = False
        self._calls = CallCount()
        self._threads = WorkerThreads(_THREADS, thread_name_prefix="grpc")
        # Of what it cannot listen on, gRPC itself prints an account of its own.
        bound_socket(host, port, "gRPC", "--grpc-port").close()
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._loop = LoopThread("grpc-server")
        try:
            self.port = self._loop.call(
                self._open(Answering(metrics, self._calls, self._threads), address, credentials)
            )
        except RuntimeError as error:
            self._loop.end()
            fix = "Is the key RSA, or EC on P-256, P-384 or P-521? gRPC takes no other curve." if credentials else ""
            raise RunError("The server of gRPC cannot listen there.", where=address, received=error, fix=fix) from error

    def start(self) -> None:
        """Begins to answer; connections that were made before wait until then."""
        self._loop.call(self._server.start())

    def stop(self, grace: float) -> threading.Event:
        """Takes no further calls.

        Args:
            grace: seconds for those that are running; then they are cancelled.

        Returns:
            What is set when all have ended.
        """
        ended = threading.Event()

        def end(ending: Future[None]) -> None:
            if error := ending.exception():
                _LOG.error("The server of gRPC did not end well.", exc_info=error)
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._loop.end()
            ended.set()

        self._loop.begin(self._end(grace)).add_done_callback(end)
        return ended

    async def _open(self, answering: Answering, address: str, credentials: grpc.ServerCredentials | None) -> int:
        """Makes the server, which belongs to the loop that it is made in, and takes the port."""
        self._server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=_MOST_CALLS)
        self._health = Health(lambda: self._manager.ready() and not self._ending)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        services = prediction_service(self._manager, answering), model_service(self._manager, answering)
        self._server.add_generic_rpc_handlers(services)
        if credentials is None:
            return int(self._server.add_insecure_port(address))
        return int(self._server.add_secure_port(address, credentials))

    async def _end(self, grace: float) -> None:
        # One that never started keeps its port.
        await self._server.start()
        self._ending = True
        await self._health.tell(_PATIENCE)
        # Calls that gRPC has and has not handed over yet: it would cancel them, which no client tries again.
        await asyncio.sleep(min(_SETTLING, grace))
        until = time.monotonic() + grace
        # gRPC closes a connection as soon as the system has its last bytes: a client that takes them slowly, and tells
        # so meanwhile, is answered by a reset, which drops what is still in the queue. Half of the time is for those
        # who have not been told to go elsewhere, and who might ask for large answers without end.
        while unsent_bytes(self.port) > _QUEUED and time.monotonic() < until - grace / 2:
            await asyncio.sleep(_SETTLING)  # with many connections, to look takes a while
        stopping = asyncio.ensure_future(self._server.stop(max(until - time.monotonic(), 0.0)))
        # The last one that is handed over is counted soon.
        await asyncio.wait({stopping}, timeout=_SETTLING)
        while not self._calls.wait(0.0) and time.monotonic() < until:
            await asyncio.sleep(_LOOK)
        # Once all calls are answered and read, the connections are ended: gRPC waits seconds for clients that are idle.
        await asyncio.wait({stopping}, timeout=_PATIENCE)
        while not stopping.done() and unsent_bytes(self.port) and time.monotonic() < until:
            await asyncio.wait({stopping}, timeout=_SETTLING)
        await self._server.stop(None)
        await stopping
        # With the last of them, gRPC ends the thread that polls for it, which would outlive the interpreter.
        del self._server
