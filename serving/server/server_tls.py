"""TLS of a running server, with certificates that change under it."""

from __future__ import annotations

import logging
import os
import ssl
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import grpc

from schemas.errors import SettingsError
from serving.certificate_dates import CertificateDates
from serving.server.refused_handshakes import RefusedHandshake
from serving.server.ssl_config import SslConfig

_LOG = logging.getLogger(__name__)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class ServerTls:
    """The SSLConfig of a file, which is looked at whenever a client connects.

    Connections that there are keep what they began with. A file that cannot be used is told in the log, and changes
    nothing; nor can `client_verify` change.

    Certificates that end soon are told in the log once a day, and each hour once they have ended.

    Args:
        path: the file.
        now: the time, with its zone.

    Raises:
        SettingsError: it cannot be used.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        self._path, self._now = path, now
        self._lock = threading.Lock()
        self._seen = self._told = _mark(path)
        self._config = SslConfig.read(path)
        self._context = self._config.context()
        self._look_at_dates = datetime.min.replace(tzinfo=timezone.utc)

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """For one server of gRPC."""
        given, _ = self._current()

        def changed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal given
            before, (given, _) = given, self._current()
            return None if given is before else _certificates(given)

        return grpc.dynamic_ssl_server_credentials(_certificates(given), changed, given.client_verify)

    def http_context(self) -> ssl.SSLContext:
        """For one server of HTTP."""
        self._current()
        return _CurrentContext(lambda: self._current()[1])

    def _current(self) -> tuple[SslConfig, ssl.SSLContext]:
        with self._lock:
            mark = _mark(self._path)
            if mark != self._seen:
                try:
                    self._take(SslConfig.read(self._path))
                    self._seen = mark
                except (SettingsError, OSError) as error:
                    # What cannot be read may be soon, as it is.
                    if not isinstance(error, OSError) and not isinstance(error.__cause__, OSError):
                        self._seen = mark
                    if mark != self._told:
                        _LOG.error("The certificates stay as they are: %s", error)
                    self._told = mark
            self._tell_dates()
            return self._config, self._context

    def _take(self, config: SslConfig) -> None:
        if config.client_verify != self._config.client_verify:
            raise SettingsError(
                "A running server cannot begin or cease to ask clients for certificates.",
                where=f"{self._path}, client_verify",
                received=str(config.client_verify).lower(),
                fix="Start it anew.",
            )
        self._config, self._context = config, config.context()
        self._look_at_dates = self._now()
        _LOG.info("New connections get the certificates that are in %s now.", self._path)

    def _tell_dates(self) -> None:
        now = self._now()
        if now < self._look_at_dates:
            return
        looks = []
        for pem in filter(None, (self._config.certificate, self._config.authorities)):
            for dates in CertificateDates.all_of(pem):
                if fault := dates.fault(now):
                    _LOG.warning("A certificate of %s %s.", pem.where, fault)
                    ends_soon = dates.begin <= now < dates.end
                    looks.append(min(now + _DAY, dates.end) if ends_soon else now + _HOUR)
        self._look_at_dates = min(looks, default=now + _HOUR)


class _CurrentContext(ssl.SSLContext):
    """Begins each connection with the context of now, whole: a session of one before is not taken up again.

    `sni_callback` would come too late for that: by then a client of an authority that is not trusted any more has
    its old session back, without showing a certificate.
    """

    def __new__(cls, current: Callable[[], ssl.SSLContext]) -> _CurrentContext:
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, current: Callable[[], ssl.SSLContext]) -> None:
        self._now = current

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *given: Any, **named: Any) -> ssl.SSLObject:
        context = self._now()
        context.sslobject_class = _Connection
        connection = context.wrap_bio(incoming, outgoing, *given, **named)
        if isinstance(connection, _Connection):
            connection.outgoing = outgoing
        return connection


class _Connection(ssl.SSLObject):
    """Gives a handshake's failure the alert that the client is to get: event loops let it lie."""

    outgoing: ssl.MemoryBIO

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError):
            raise
        except ssl.SSLError as error:
            raise RefusedHandshake(error, self.outgoing.read()) from error


def _certificates(config: SslConfig) -> grpc.ServerCertificateConfiguration:
    authorities = config.authorities.content if config.authorities else None
    return grpc.ssl_server_certificate_configuration([(config.key.content, config.certificate.content)], authorities)


def _mark(path: Path) -> tuple[int, ...]:
    """What differs once a file is another one; a secret of Kubernetes is one behind a link that moves."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
