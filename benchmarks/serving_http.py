"""Connections of the load generator: just enough of HTTP/1.1 and of HTTP/2 to ask a server that speaks them well."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Protocol

import httptools

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM = _ACK = 0x1
_END_HEADERS = 0x4
_MOST = (1 << 31) - 1
_FIRST_WINDOW = 65535


class Connection(Protocol):
    """One connection to a server.

    Attributes:
        closed: whether it must be opened again.
    """

    closed: bool

    async def open(self) -> None:
        """Connects."""

    def ask(self, body: bytes) -> asyncio.Future[bytes]:
        """The answer's body.

        Raises:
            OSError: the connection broke.
            ValueError: the server refused.
        """

    def close(self) -> None:
        """Ends it."""


class _Stream(asyncio.Protocol):
    """What both have in common: a transport, and that who waits is told of its end."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self._host, self._port, self._path = host, port, path
        self._transport: Any = None
        self._loop = asyncio.get_running_loop()
        self.closed = True

    async def open(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        await self._loop.sock_connect(self._socket, (self._host, self._port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self._loop.create_connection(lambda: self, sock=self._socket)

    def connection_made(self, transport: Any) -> None:
        self._transport, self.closed = transport, False

    def close(self) -> None:
        self.closed = True
        self._transport.close()


class RestConnection(_Stream):
    """HTTP/1.1, a request at a time: POST with JSON to one path."""

    def __init__(self, host: str, port: int, path: str) -> None:
        super().__init__(host, port, path)
        self._head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n".encode()
        self._waiting: asyncio.Future[bytes] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []

    def ask(self, body: bytes) -> asyncio.Future[bytes]:
        """The answer's body."""
        self._waiting = self._loop.create_future()
        if self.closed:
            self._waiting.set_exception(ConnectionError("closed"))
        else:
            self._transport.write(b"%sContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body))
        return self._waiting

    def data_received(self, data: bytes) -> None:
        """Some bytes, wherever they begin and end."""
        self._whole = False
        self._parser.feed_data(data)
        if not self._whole:
            # Some servers send an answer's body when its headers are acknowledged: at once, not after 40 ms.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def on_body(self, body: bytes) -> None:
        """A piece of an answer's body."""
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """The last byte of an answer."""
        body, self._pieces, self._whole = b"".join(self._pieces), [], True
        status = self._parser.get_status_code()
        if not self._parser.should_keep_alive():
            self.close()
        self._parser = httptools.HttpResponseParser(self)
        if self._waiting is not None and not self._waiting.done():
            if status == 200:
                self._waiting.set_result(body)
            else:
                self._waiting.set_exception(ValueError(f"{status}: {body[:200]!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self.closed = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError(f"lost: {exc}"))


class GrpcConnection(_Stream):
    """HTTP/2, any number of unary calls of one method at a time.

    Headers that come are not read: an answer with a message is one, and an answer without is an error, whose headers
    are told as they came. What is in flight is to be less than half of the window of 64 KiB that a server grants.
    """

    def __init__(self, host: str, port: int, path: str) -> None:
        super().__init__(host, port, path)
        fields = {
            ":method": "POST",
            ":scheme": "http",
            ":path": path,
            ":authority": f"{host}:{port}",
            "te": "trailers",
            "content-type": "application/grpc",
        }
        # Literals that are not indexed, of fewer than 127 bytes.
        self._block = b"".join(
            b"\x00" + bytes([len(key)]) + key.encode() + bytes([len(value)]) + value.encode()
            for key, value in fields.items()
        )

    def connection_made(self, transport: Any) -> None:
        """Sends what HTTP/2 begins with."""
        super().connection_made(transport)
        self._next, self._window = 1, _FIRST_WINDOW
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._messages: dict[int, bytes] = {}
        self._buffer, self._why = b"", ""
        settings = b"\x00\x01" + (0).to_bytes(4, "big") + b"\x00\x04" + _MOST.to_bytes(4, "big")
        window = (_MOST - _FIRST_WINDOW).to_bytes(4, "big")
        # At once: what the server sends must not be answered before.
        transport.write(_PREFACE + _frame(_SETTINGS, 0, 0, settings) + _frame(_WINDOW, 0, 0, window))

    def ask(self, body: bytes) -> asyncio.Future[bytes]:
        """The answer's body."""
        waiting = self._loop.create_future()
        size = len(body) + 5
        if self.closed or self._window < size:
            waiting.set_exception(ConnectionError(self._why if self.closed else "the server grants no window"))
            return waiting
        stream, self._next = self._next, self._next + 2
        self._window -= size
        self._waiting[stream] = waiting
        message = b"\x00" + len(body).to_bytes(4, "big") + body
        self._transport.write(
            _frame(_HEADERS, _END_HEADERS, stream, self._block) + _frame(_DATA, _END_STREAM, stream, message)
        )
        return waiting

    def data_received(self, data: bytes) -> None:
        """Some bytes, wherever they begin and end."""
        data = self._buffer + data if self._buffer else data
        position, end = 0, len(data)
        while position + 9 <= end:
            size = int.from_bytes(data[position : position + 3], "big")
            if position + 9 + size > end:
                break
            kind, flags = data[position + 3], data[position + 4]
            stream = int.from_bytes(data[position + 5 : position + 9], "big")
            self._take(kind, flags, stream, data[position + 9 : position + 9 + size])
            position += 9 + size
        self._buffer = data[position:]

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _DATA:
            self._messages[stream] = self._messages.get(stream, b"") + payload
        elif kind == _SETTINGS and not flags & _ACK:
            self._transport.write(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            self._transport.write(_frame(_PING, _ACK, 0, payload))
        elif kind == _WINDOW and not stream:
            self._window += int.from_bytes(payload, "big")
        elif kind == _GOAWAY:
            self._why = f"the server says goodbye: {payload!r}"
            self.close()
        if stream and (kind == _RESET or (kind in (_DATA, _HEADERS) and flags & _END_STREAM)):
            waiting, message = self._waiting.pop(stream, None), self._messages.pop(stream, b"")
            if waiting is None or waiting.done():
                return
            if kind != _RESET and len(message) >= 5 and len(message) == 5 + int.from_bytes(message[1:5], "big"):
                waiting.set_result(message[5:])
            else:
                waiting.set_exception(ValueError(f"refused: {payload!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self.closed = True
        self._why = self._why or f"lost: {exc}"
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError(self._why))


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
