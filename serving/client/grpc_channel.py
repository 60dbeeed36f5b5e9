"""Channels of gRPC to model servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from serving.client.client_tls import ClientTls, is_secure, place_of
from serving.client.loopback import grpc_proxy_option


def grpc_channel(
    address: str, options: Sequence[tuple[str, Any]] = (), tls: ClientTls | None = None, library: Any = grpc
) -> Any:
    """A channel.

    Args:
        address: `HOST:PORT` in plain text, `grpcs://HOST:PORT` with TLS.
        options: of gRPC.
        tls: for the latter; default: that of the authorities that gRPC brings.
        library: `grpc`, or `grpc.aio`.
    """
    place = place_of(address)
    options = [*options, grpc_proxy_option(place)]
    if not is_secure(address):
        return library.insecure_channel(place, options)
    credentials = tls.grpc_credentials() if tls else grpc.ssl_channel_credentials()
    return library.secure_channel(place, credentials, options)
