"""Connections of HTTP to model servers."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from serving.client.client_tls import ClientTls, is_secure
from serving.client.loopback import is_loopback

Connections = TypeVar("Connections", httpx.Client, httpx.AsyncClient)


def http_connections(kind: type[Connections], url: str, tls: ClientTls | None = None, **options: Any) -> Connections:
    """Connections to one server.

    Args:
        kind: httpx's, for threads or for asyncio.
        url: `http://HOST:PORT`, or `https://HOST:PORT` with TLS.
        tls: for the latter; default: that of httpx.
        options: of httpx.
    """
    # What the environment says of proxies is not of this machine itself.
    environment = not is_loopback(urlsplit(url).hostname or "")
    verify = tls.http_context() if tls and is_secure(url) else True
    return kind(trust_env=environment, verify=verify, **options)
