"""TLS of a running server, with certificates that change under it."""

from __future__ import annotations

import logging
import os
import ssl
import threading
from pathlib import Path

import grpc

from schemas.errors import SettingsError
from serving.server.ssl_config import SslConfig

_LOG = logging.getLogger(__name__)


class ServerTls:
    """The SSLConfig of a file, which is looked at whenever a client connects.

    Connections that there are keep what they began with. A file that cannot be used is told in the log, and changes
    nothing; nor can `client_verify` change.

    Args:
        path: the file.

    Raises:
        SettingsError: it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen = _mark(path)
        self._config = SslConfig.read(path)
        self._context = self._config.context()

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """For one server of gRPC."""
        given = self._config

        def changed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal given
            before, (given, _) = given, self._current()
            return None if given is before else _certificates(given)

        return grpc.dynamic_ssl_server_credentials(_certificates(given), changed, given.client_verify)

    def http_context(self) -> ssl.SSLContext:
        """For one server of HTTP."""

        def choose(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            _, connection.context = self._current()

        context = self._config.context()
        # It is called for clients that name no server, too.
        context.sni_callback = choose
        return context

    def _current(self) -> tuple[SslConfig, ssl.SSLContext]:
        with self._lock:
            mark = _mark(self._path)
            if mark != self._seen:
                self._seen = mark
                try:
                    self._take(SslConfig.read(self._path))
                except SettingsError as error:
                    _LOG.error("The certificates stay as they are: %s", error)
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
        _LOG.info("New connections get the certificates that are in %s now.", self._path)


def _certificates(config: SslConfig) -> grpc.ServerCertificateConfiguration:
    authorities = config.authorities.content if config.authorities else None
    return grpc.ssl_server_certificate_configuration([(config.key.content, config.certificate.content)], authorities)


def _mark(path: Path) -> tuple[int, ...]:
    """What differs once a file is another one; a secret of Kubernetes is one behind a link that moves."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size
