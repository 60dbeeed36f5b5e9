"""Ports of this machine that nobody listens at."""

from __future__ import annotations

import random
import socket

_RANGE = range(20_000, 32_000)
"""Below the ports that Linux gives to outgoing connections, which could take one before its task listens there."""


def free_ports(number: int, host: str = "127.0.0.1") -> list[int]:
    """So many different ports. Another process may still take one: a task that finds its port taken asks for others.

    Raises:
        OSError: there are not so many.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(_RANGE, len(_RANGE)):
        if len(found) == number:
            return found
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            found.append(port)
    raise OSError(f"no {number} free ports in {_RANGE}")
