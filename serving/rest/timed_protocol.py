"""HTTP/1.1 as uvicorn speaks it, for clients that may be slow, endless or wrong."""

from __future__ import annotations

import asyncio
import enum
from http import HTTPStatus
from typing import Any

from serving.rest.json_answer import error_json
from serving.rest.limits import RestLimits
from serving.rest.plain_protocol import PlainProtocol


class _State(enum.Enum):
    """What comes next: anything, the rest of the headers, the rest of the body."""

    IDLE = enum.auto()
    HEADERS = enum.auto()
    BODY = enum.auto()


class TimedProtocol(PlainProtocol):
    """Adds what uvicorn has not: limits of time and size for headers, of time for bodies.

    Subclasses set `limits`.
    """

    limits = RestLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._state = _State.IDLE
        self._header_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """A client has connected."""
        super().connection_made(transport)
        self._arm(self.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._disarm()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes, wherever they begin and end."""
        if self.transport.is_closing():
            return
        before = self._state
        super().data_received(data)
        if before is self._state is _State.HEADERS:
            # Inside the parser, a header's value grows unseen until it ends.
            self._header_bytes += len(data)
            if self._header_bytes > self.limits.header_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Request headers are too large.")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._state, self._header_bytes = _State.HEADERS, 0
        self._arm(self.limits.header_seconds)

    def on_headers_complete(self) -> None:
        """What follows is the body."""
        self._state = _State.BODY
        super().on_headers_complete()
        self._arm(self.limits.body_seconds)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        # What follows a chunked body is no use to us.
        if self._state is _State.HEADERS:
            super().on_header(name, value)

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._disarm()
        super().on_message_complete()
        self._state = _State.IDLE
        if self.cycle is not None and self.cycle.response_complete:
            # The answer went before the body had come: uvicorn does not count this time as idle.
            self._arm(self.limits.idle_seconds)

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.pipeline:
            # It is not read before those that came before it are answered.
            self._arm(self.limits.body_seconds)
        elif self._state is _State.IDLE:
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive.")

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        """Answers without the application, unless an answer is under way, and closes."""
        if self.transport.is_closing():
            return
        answering = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not answering:
            body = error_json(message)
            self.transport.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode("ascii")
                + body
            )
        self.transport.close()
