"""The HTTP server of the REST side, in a thread of its own."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import uvicorn

from schemas.errors import RunError
from serving.rest.application import RestApplication
from serving.rest.limits import RestLimits
from serving.rest.timed_protocol import TimedProtocol
from serving.rest.tls_handshakes import TlsHandshakes
from serving.server.bound_socket import bound_socket
from serving.server.manager import ModelManager
from serving.server.metrics import Metrics
from serving.server.worker_threads import WorkerThreads

_START_SECONDS = 30.0
_BACKLOG = 2048


class RestServer:
    """Serves TensorFlow Serving's REST protocol.

    Args:
        manager: the models.
        metrics: what has been counted.
        host: to listen on; default: this machine only.
        port: to listen on; 0 takes a free one.
        limits: of memory, time and connections.
        cors: whether pages of other origins may read its answers.
        tls: for HTTPS; default: none, in plain text.

    Attributes:
        port: that it listens on.

    Raises:
        RunError: the port is taken, or the address is none of this machine's.
    """

    def __init__(
        self,
        manager: ModelManager,
        metrics: Metrics,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: RestLimits | None = None,
        *,
        cors: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits or RestLimits()
        self._executor = WorkerThreads(self._limits.threads, thread_name_prefix="rest")
        self._draining = False
        application = RestApplication(manager, metrics, self._limits, self._executor, lambda: self._draining, cors=cors)
        self._socket = bound_socket(host, port, "REST", "--rest-port")
        self._socket.listen(_BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        protocol = type("LimitedProtocol", (TimedProtocol,), {"limits": self._limits})
        self._config = uvicorn.Config(
            application,
            loop="uvloop",
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=self._limits.connections,
            timeout_keep_alive=max(1, round(self._limits.idle_seconds)),
            backlog=_BACKLOG,
        )
        self._started = threading.Event()
        self._ended = threading.Event()
        handshake = None
        if tls is not None:
            handshake = functools.partial(
                TlsHandshakes, context=tls, seconds=self._limits.header_seconds, refused=metrics.refused
            )
        self._server = _Server(self._config, self._started.set, handshake)
        self._thread = threading.Thread(target=self._serve, name="rest-server", daemon=True)

    def start(self) -> None:
        """Begins to answer; connections that were made before wait until then.

        Raises:
            RunError: it does not start.
        """
        self._thread.start()
        if not self._started.wait(_START_SECONDS) or not self._server.started:
            raise RunError("The REST server does not start.", fix="See the log.")

    def stop(self, grace: float) -> threading.Event:
        """Takes no further connections; `/readyz` says no.

        Args:
            grace: seconds for requests that are running; then their connections are closed.

        Returns:
            What is set when all have ended.
        """
        self._draining = True
        self._config.timeout_graceful_shutdown = max(1, round(grace))
        self._server.should_exit = True
        if not self._thread.is_alive():
            self._close()
        return self._ended

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._close()

    def _close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._socket.close()
        self._ended.set()
        # Whoever waits for the start learns that there is none.
        self._started.set()


class _Server(uvicorn.Server):
    """Tells when it accepts connections. With TLS that is ours: uvicorn would read files, and tell of no failure."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_start: Callable[[], None],
        handshake: Callable[[Callable[[], asyncio.Protocol]], TlsHandshakes] | None,
    ) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._handshake = handshake

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._handshake is not None:
            loop = asyncio.get_running_loop()
            loop.create_server = functools.partial(  # type: ignore[method-assign]
                _create_server, loop.create_server, self._handshake
            )
        await super().startup(sockets)
        self._on_start()


def _create_server(create: Any, handshake: Any, protocol: Callable[[], asyncio.Protocol], **named: Any) -> Any:
    return create(handshake(protocol), **named)
