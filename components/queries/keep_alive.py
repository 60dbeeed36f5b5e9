"""Connections that notice that the other side, or the way to it, is gone."""

from __future__ import annotations

import socket

_IDLE, _INTERVAL, _PROBES = 30, 10, 6
SECONDS = _IDLE + _INTERVAL * _PROBES
"""After which a connection is taken for lost; by itself, Linux waits for two hours."""


def keep_alive(connected: socket.socket) -> None:
    """Lets the kernel ask whether the other side is there, while it is silent and when it does not acknowledge.

    A server that computes for hours answers: its kernel does.

    Source: https://man7.org/linux/man-pages/man7/tcp.7.html

    Args:
        connected: by TCP.
    """
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _INTERVAL)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SECONDS * 1000)
