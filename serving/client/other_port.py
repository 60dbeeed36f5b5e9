"""What an address that does not answer is instead: the port of the other protocol, or one with TLS, or without.

Whatever speaks gRPC answers the preface of HTTP/2 with a SETTINGS frame, and whatever speaks REST with a line of
HTTP/1. Source: RFC 9113, 3.4 and 6.5.
"""

from __future__ import annotations

import socket
import ssl
from typing import Literal

from serving.client.client_tls import is_secure, place_of

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_EMPTY_SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
_SECONDS = 2.0


def other_port(address: str, wanted: Literal["gRPC", "REST"]) -> str:
    """What to do about an address that does not answer as it should; empty where it is none of these.

    Args:
        address: `HOST:PORT`, or with `http://`, or with `https://` or `grpcs://` for TLS.
        wanted: the protocol that was tried.
    """
    place = place_of(address).rstrip("/")
    answer = _answer(place)
    rest, grpc = answer.startswith(b"HTTP/"), answer[3:4] == b"\x04"
    if is_secure(address):
        plain = f"http://{place}" if wanted == "REST" else place
        return f"What answers there speaks without TLS: give {plain} instead." if rest or grpc else ""
    if wanted == "gRPC" and rest:
        return f"This looks like the REST port: give the gRPC port of the server instead of {place}."
    if wanted == "REST" and grpc:
        return f"This looks like the gRPC port: give the REST port of the server instead of {place}."
    if not rest and not grpc and _speaks_tls(place):
        return f"The server speaks TLS: give {'https' if wanted == 'REST' else 'grpcs'}://{place} instead."
    return ""


def _answer(place: str) -> bytes:
    """The first bytes, up to 9, as long as a frame's header."""
    found = b""
    try:
        with _connected(place) as connection:
            connection.sendall(_PREFACE + _EMPTY_SETTINGS)
            while len(found) < len(_EMPTY_SETTINGS) and (more := connection.recv(len(_EMPTY_SETTINGS) - len(found))):
                found += more
    except (OSError, ValueError):  # also of an address that is none
        pass
    return found


def _speaks_tls(place: str) -> bool:
    """Whether it ends a handshake, whoever it is: nothing is said to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with _connected(place) as connection, context.wrap_socket(connection):
            return True
    except (OSError, ValueError):
        return False


def _connected(place: str) -> socket.socket:
    host, _, port = place.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), _SECONDS)
