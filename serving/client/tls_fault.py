"""Which side of a TLS connection refuses the other's certificate, and why.

gRPC's library tells a client no more than that a connection was closed, and servers such as it close without an alert.
So the handshake is tried once more by Python's TLS, with the same files. Of version 1.2, where it can be: there it ends
only once the server has looked at the client's certificate, and what the server asks for can be read on the way.
Source: RFC 5246, 6.2.1 and 7.4.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypeVar

from serving.certificate_dates import CertificateDates
from serving.client.client_tls import ClientTls

_T = TypeVar("_T")
_HANDSHAKE_RECORD, _SERVER_HELLO, _CERTIFICATE_REQUEST = 22, 2, 13
_CHUNK = 1 << 14
_NO_TLS_12 = "TLSV1_ALERT_PROTOCOL_VERSION"
# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID, CERT_HAS_EXPIRED, HOSTNAME_MISMATCH and IP_ADDRESS_MISMATCH.
_TIMES, _NAMES = (9, 10), (62, 64)


@dataclass(frozen=True)
class TlsFault:
    """What a handshake tells.

    Attributes:
        text: what is wrong, and what to do; empty: nothing that can be found this way.
        protocol: that the server chose of those behind TLS, empty where it chose none; None: it has no TLS.
    """

    text: str
    protocol: str | None

    @classmethod
    def at(cls, connect: Callable[[], socket.socket], host: str, tls: ClientTls, first: bytes) -> TlsFault:
        """Of a server.

        Args:
            connect: makes a connection to it.
            host: whom its certificate has to name.
            tls: the files.
            first: what the protocol that is wanted begins with, and a server answers.

        Raises:
            OSError: there is no connection, or no answer.
        """
        version = ssl.TLSVersion.TLSv1_2
        handshake = _Handshake(tls.new_context(), host, version)
        reason = handshake.fault(connect)
        if reason == _NO_TLS_12:
            version = ssl.TLSVersion.TLSv1_3
            handshake = _Handshake(tls.new_context(), host, version)
            reason = handshake.fault(connect, first)
        text = ""
        if handshake.untrusted:
            text = _of_server(handshake.untrusted, host, tls, version, connect)
        elif reason is not None and handshake.asked:
            text = _of_client(reason, tls)
        return cls(text, handshake.protocol)


class _Handshake:
    """One try, whose bytes are looked at."""

    def __init__(self, context: ssl.SSLContext, host: str, version: ssl.TLSVersion) -> None:
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.secure = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._received = b""
        self._is_readable = version is ssl.TLSVersion.TLSv1_2
        self.untrusted: ssl.SSLCertVerificationError | None = None

    @property
    def protocol(self) -> str | None:
        """As of TlsFault."""
        return (self.secure.selected_alpn_protocol() or "") if _SERVER_HELLO in _messages(self._received) else None

    @property
    def asked(self) -> bool:
        """Whether the server asks for a certificate, as far as that can be read."""
        return not self._is_readable or _CERTIFICATE_REQUEST in _messages(self._received)

    def fault(self, connect: Callable[[], socket.socket], first: bytes = b"") -> str | None:
        """The library's name for what went wrong, empty where the server just closes; None: nothing did."""
        with connect() as connection:
            try:
                self._do(connection, self.secure.do_handshake)
                if first:
                    self.secure.write(first)
                    return None if self._do(connection, lambda: self.secure.read(1)) else ""
            except ssl.SSLCertVerificationError as error:
                self.untrusted = error
            except ssl.SSLError as error:
                return error.reason or ""
            except ConnectionError:
                return ""
        return None

    def _do(self, connection: socket.socket, step: Callable[[], _T]) -> _T:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                pass
            finally:  # also an alert
                connection.sendall(self._outgoing.read())
            received = connection.recv(_CHUNK)
            if not received:
                raise ConnectionResetError
            self._received += received
            self._incoming.write(received)


def _messages(received: bytes) -> Iterator[int]:
    """The kinds of a handshake's messages, until they are encrypted."""
    messages, place = b"", 0
    while received[place : place + 1] == bytes([_HANDSHAKE_RECORD]):
        size = int.from_bytes(received[place + 3 : place + 5], "big")
        messages += received[place + 5 : place + 5 + size]
        place += 5 + size
    place = 0
    while place < len(messages):
        yield messages[place]
        place += 4 + int.from_bytes(messages[place + 1 : place + 4], "big")


def _of_server(
    error: ssl.SSLCertVerificationError,
    host: str,
    tls: ClientTls,
    version: ssl.TLSVersion,
    connect: Callable[[], socket.socket],
) -> str:
    if error.verify_code in _NAMES:
        names = ", ".join(_names(tls.new_context(), host, version, connect)) or "no name"
        return (
            f"The server's certificate is not for {host}, but for {names}. Ask by a name that it is for, or give the "
            "server one that has this one as a subjectAltName."
        )
    if error.verify_code in _TIMES:
        return (
            f"The server's certificate, or one that it stands on, is not valid now ({error.verify_message}). Give the "
            "server another one; or is this machine's clock wrong?"
        )
    trusted = f"of an authority in {tls.ca}" if tls.ca else "of an authority that the libraries bring"
    return (
        f"The server's certificate is not {trusted} ({error.verify_message}). Name who signed it: --tls-ca FILE, or "
        "`ca` of ClientTls."
    )


def _of_client(reason: str, tls: ClientTls) -> str:
    if tls.shown is None:
        return (
            "The server asks for a certificate, and none is shown. Give --tls-cert and --tls-key, or `certificate` and "
            "`key` of ClientTls, of an authority that the server trusts."
        )
    now = datetime.now(timezone.utc)
    for dates in CertificateDates.all_of(tls.shown):
        if not dates.begin <= now < dates.end:
            return f"The server does not take the certificate of {tls.shown.where}, of which one {dates.fault(now)}."
    _, alert, name = reason.partition("_ALERT_")
    said = f" (alert {name.lower().replace('_', ' ')})" if alert else ""
    return (
        f"The server does not take the certificate of {tls.shown.where}{said}. Show one of an authority that the "
        "server trusts, `custom_ca` of its SSLConfig; for clients, where it says what it is for."
    )


def _names(
    context: ssl.SSLContext, host: str, version: ssl.TLSVersion, connect: Callable[[], socket.socket]
) -> list[str]:
    """Whom the server's certificate is for."""
    context.check_hostname = False
    handshake = _Handshake(context, host, version)
    with contextlib.suppress(OSError, ValueError):  # the latter where it has not come to an end
        handshake.fault(connect)
        found = handshake.secure.getpeercert() or {}
        return [str(name[1]) for name in found.get("subjectAltName", ())]
    return []
