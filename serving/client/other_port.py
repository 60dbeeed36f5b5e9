"""Whether an address is the port of the server's other protocol: gRPC and REST are easily confused.

Whatever speaks gRPC answers the preface of HTTP/2 with a SETTINGS frame, and whatever speaks REST with a line of
HTTP/1. Source: RFC 9113, 3.4 and 6.5.
"""

from __future__ import annotations

import socket
from typing import Literal

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_EMPTY_SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
_SECONDS = 2.0


def other_port(address: str, wanted: Literal["gRPC", "REST"]) -> str:
    """What to do about an address that does not answer as it should; empty where it is not the other port.

    Args:
        address: `HOST:PORT`, without TLS.
        wanted: the protocol that was tried.
    """
    answer = _answer(address)
    if wanted == "gRPC" and answer.startswith(b"HTTP/"):
        return f"This looks like the REST port: give the gRPC port of the server instead of {address}."
    if wanted == "REST" and answer[3:4] == b"\x04":
        return f"This looks like the gRPC port: give the REST port of the server instead of {address}."
    return ""


def _answer(address: str) -> bytes:
    """The first bytes, up to 9, as long as a frame's header."""
    host, _, port = address.rpartition(":")
    found = b""
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _SECONDS) as connection:
            connection.sendall(_PREFACE + _EMPTY_SETTINGS)
            while len(found) < len(_EMPTY_SETTINGS) and (more := connection.recv(len(_EMPTY_SETTINGS) - len(found))):
                found += more
    except (OSError, ValueError):  # also of an address that is none
        pass
    return found
