"""What an address that does not answer is instead: the port of the other protocol, or one with TLS, or without.

Or which certificate it is that stands between, TlsFault.

Whatever speaks gRPC answers the preface of HTTP/2 with a SETTINGS frame, and whatever speaks REST with a line of
HTTP/1. Source: RFC 9113, 3.4 and 6.5.
"""

from __future__ import annotations

import socket
import ssl
from typing import Literal

from serving.client.client_tls import ClientTls, is_secure, place_of
from serving.client.tls_fault import TlsFault

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_EMPTY_SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
_BEGINNINGS = {
    "gRPC": _PREFACE + _EMPTY_SETTINGS,
    "REST": b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
}
_SECONDS = 2.0
_TRUST = (
    "TLS begins there, and does not end well. Name who signed the server's certificate (--tls-ca FILE, or `ca` of "
    "ClientTls), and what to show where it asks for a certificate (--tls-cert and --tls-key). The server's "
    "certificate has to have this address as a subjectAltName."
)


def other_port(address: str, wanted: Literal["gRPC", "REST"], tls: ClientTls | None = None) -> str:
    """What to do about an address that does not answer as it should; empty where it is none of these.

    Args:
        address: `HOST:PORT`, or with `http://`, or with `https://` or `grpcs://` for TLS.
        wanted: the protocol that was tried.
        tls: with which files; default: none.
    """
    place = place_of(address).rstrip("/")
    # First with our certificate, which a server that refuses it tells of in its log; what comes later, it does not.
    fault = _fault(place, wanted, tls or ClientTls()) if is_secure(address) else None
    answer = b"" if fault else _answer(place)
    rest, grpc = answer.startswith(b"HTTP/"), answer[3:4] == b"\x04"
    chosen = fault.protocol if fault else None if rest or grpc else _chosen_by_tls(place)
    # Of TLS, a proxy of REST may choose HTTP/2, too.
    if wanted == "gRPC" and (rest or chosen not in (None, "h2")):
        return f"This looks like the REST port: give the gRPC port of the server instead of {place}."
    if wanted == "REST" and grpc:
        return f"This looks like the gRPC port: give the REST port of the server instead of {place}."
    if is_secure(address) and (rest or grpc):
        plain = f"http://{place}" if rest else place
        return f"What answers there speaks without TLS: give {plain} instead."
    if chosen is None:
        return ""
    other = " If this is the gRPC port, give the REST port." if wanted == "REST" and chosen == "h2" else ""
    if fault:
        return (fault.text or _TRUST) + other
    return f"What answers there speaks TLS: give {'https' if wanted == 'REST' else 'grpcs'}://{place} instead.{other}"


def _fault(place: str, wanted: str, tls: ClientTls) -> TlsFault | None:
    """None: there is no TLS."""
    try:
        found = TlsFault.at(lambda: _connected(place), _split(place)[0], tls, _BEGINNINGS[wanted])
    except (OSError, ValueError):  # also of an address that is none
        return None
    return None if found.protocol is None else found


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


def _chosen_by_tls(place: str) -> str | None:
    """The protocol that it chooses in a handshake, whoever it is: nothing is said to it. None: it does not end one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        with _connected(place) as connection, context.wrap_socket(connection) as secure:
            return secure.selected_alpn_protocol() or ""
    except (OSError, ValueError):
        return None


def _connected(place: str) -> socket.socket:
    return socket.create_connection(_split(place), _SECONDS)


def _split(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    return host.strip("[]"), int(port)
