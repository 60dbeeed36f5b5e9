"""What REST lets its clients take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RestLimits:
    """Bounds of memory, time and connections.

    Attributes:
        body_bytes: largest body of a request, also after unpacking; beyond: 413.
        buffered_bytes: of the bodies of all requests together, as received; beyond: 503.
        header_bytes: request line and headers; beyond: 431.
        header_seconds: from a connection's or a request's first byte to the end of its headers; beyond: 408.
        body_seconds: from there to the end of the body; beyond: 408.
        request_seconds: from there to the model's answer; beyond: 504. TensorFlow Serving's rest_api_timeout_in_ms.
        idle_seconds: how long a connection stays open between requests.
        connections: at a time; beyond: 503.
        threads: requests that are worked on at a time; more wait. More than processors: those that wait for a batch to
            fill up do nothing else.
    """

    body_bytes: int = 256 << 20
    buffered_bytes: int = 1 << 30
    header_bytes: int = 64 << 10
    header_seconds: float = 10.0
    body_seconds: float = 120.0
    request_seconds: float = 30.0
    idle_seconds: float = 75.0
    connections: int = 1000
    threads: int = 64
