"""Addresses of this machine itself, which no proxy can reach for us, whatever the environment says."""

from __future__ import annotations

import ipaddress


def grpc_proxy_option(address: str) -> tuple[str, int]:
    """The option of a channel to `HOST:PORT`."""
    return "grpc.enable_http_proxy", int(not is_loopback(address.rpartition(":")[0]))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine.

    >>> [is_loopback(host) for host in ("127.0.0.1", "[::1]", "localhost", "10.0.0.1", "serving")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
