"""The beginning of TLS on connections, which tells who does not come through."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any

from serving.server.refused_handshakes import RefusedHandshake, RefusedHandshakes

_SHUTDOWN_SECONDS = 1.0  # who is idle does not answer the end of TLS, and 30 would be waited for


class TlsHandshakes:
    """Makes the protocols of a server without TLS, and hands each connection on to TLS, with another protocol behind.

    A server that has TLS itself (`create_server`) tells nobody what fails, and sends the client no alert.

    Args:
        protocol: makes that of HTTP.
        context: of this server.
        seconds: for a handshake.
        refused: is told who does not come through.
    """

    def __init__(
        self,
        protocol: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext,
        seconds: float,
        refused: RefusedHandshakes,
    ) -> None:
        self._protocol, self._refused = protocol, refused
        self._options = {
            "ssl": context,
            "ssl_handshake_timeout": seconds,
            "ssl_shutdown_timeout": _SHUTDOWN_SECONDS,
        }
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self) -> asyncio.Protocol:
        """For one connection."""
        return _Accepted(self._begin)

    def _begin(self, connection: socket.socket) -> None:
        task = asyncio.get_running_loop().create_task(self._shake(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _shake(self, connection: socket.socket) -> None:
        try:
            # The loop has closed its own by the time that the error is here, and the alert is not sent yet.
            with connection.dup() as other:
                client = other.getpeername()[0]
                loop: Any = asyncio.get_running_loop()
                try:
                    await loop.connect_accepted_socket(self._protocol, connection, **self._options)
                except RefusedHandshake as error:
                    with contextlib.suppress(OSError):
                        other.send(error.alert)
                    self._refused.tell(client, error.why)
        except OSError:  # it left, or took too long, or there is no room for more
            connection.close()


class _Accepted(asyncio.Protocol):
    """Nothing is read of the connection: it is given away as it is."""

    def __init__(self, take: Callable[[socket.socket], None]) -> None:
        self._take = take

    def connection_made(self, transport: Any) -> None:
        with contextlib.suppress(OSError):  # no room for more
            self._take(transport.get_extra_info("socket").dup())
        transport.abort()
