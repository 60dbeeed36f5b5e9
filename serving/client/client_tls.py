"""TLS of a client: whom it trusts, and what it shows."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import SettingsError
from serving.pem import Pem, load_authorities, load_identity

if TYPE_CHECKING:
    import grpc

_SECURE = ("grpcs://", "https://")
_PLAIN = ("http://",)


class ClientTls:
    """Files in PEM, for the addresses that begin with `grpcs://` or `https://`.

    Args:
        ca: certificates of the authorities that are trusted; default: those that gRPC and httpx bring.
        certificate: shown to a server that asks for one, with its chain; default: none.
        key: of that certificate, without a password.

    Attributes:
        ca: the file of the authorities; None: those that the libraries bring.
        shown: the certificate that is shown.

    Raises:
        SettingsError: a file cannot be read or used, or one of certificate and key is missing.
    """

    def __init__(
        self, ca: Path | str | None = None, certificate: Path | str | None = None, key: Path | str | None = None
    ) -> None:
        if (certificate is None) != (key is None):
            raise SettingsError(
                "A certificate is shown with its key.",
                where="TLS of the client",
                received=f"{certificate or key} alone",
                fix="Give both files, or neither.",
            )
        self._ca, self._certificate, self._key = (
            Pem.read(Path(file)) if file else None for file in (ca, certificate, key)
        )
        self.ca, self.shown = self._ca.where if self._ca else None, self._certificate
        self._context = self.new_context()

    def grpc_credentials(self) -> grpc.ChannelCredentials:
        """For a channel of gRPC."""
        import grpc

        return grpc.ssl_channel_credentials(
            *(pem.content if pem else None for pem in (self._ca, self._key, self._certificate))
        )

    def http_context(self) -> ssl.SSLContext:
        """For connections of HTTP."""
        return self._context

    def new_context(self) -> ssl.SSLContext:
        """One that nobody else changes."""
        context = _trusting(self._ca)
        if self._certificate and self._key:
            load_identity(context, self._certificate, self._key)
        return context


def _trusting(authorities: Pem | None) -> ssl.SSLContext:
    if authorities is None:
        import httpx

        return httpx.create_ssl_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    load_authorities(context, authorities)
    return context


def is_secure(address: str) -> bool:
    """Whether an address is asked with TLS.

    >>> [is_secure(address) for address in ("grpcs://serving:8500", "https://serving", "serving:8500", "http://serving")]
    [True, True, False, False]
    """
    return address.startswith(_SECURE)


def place_of(address: str) -> str:
    """`HOST:PORT` of an address, without what says how it is asked.

    >>> [place_of(address) for address in ("grpcs://serving:8500", "http://serving:8501", "dns:///serving:8500")]
    ['serving:8500', 'serving:8501', 'dns:///serving:8500']
    """
    return next((address.removeprefix(one) for one in (*_SECURE, *_PLAIN) if address.startswith(one)), address)


def refuse_plain(addresses: Sequence[str]) -> None:
    """Checks that one of some addresses is asked with TLS, where files for it are given.

    Raises:
        SettingsError: none is.
    """
    if not any(is_secure(address) for address in addresses):
        raise SettingsError(
            "Files for TLS are given, and nothing is asked with TLS.",
            where="TLS of the client",
            received=", ".join(addresses) or "no address",
            fix="Write grpcs://HOST:PORT for gRPC, or https://HOST:PORT for REST.",
        )
