"""Connections that notice that the other side is gone."""

from __future__ import annotations

import socket

from components.queries.keep_alive import SECONDS, keep_alive


def test_a_minute_or_two() -> None:
    with socket.socket() as connected:
        keep_alive(connected)
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        idle, interval, probes, milliseconds = (
            connected.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        )
    assert idle + interval * probes == SECONDS == milliseconds / 1000
    assert 60 <= SECONDS <= 120
