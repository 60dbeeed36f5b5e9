"""Addresses of gRPC on the command line."""

from __future__ import annotations

import argparse
import re

_LAST_PORT = (1 << 16) - 1
# https://github.com/grpc/grpc/blob/master/doc/naming.md; `dns:8500` is a host of that name.
_SCHEMES = re.compile(r"dns:(?![0-9]+$)|(ipv4|ipv6|unix|unix-abstract|xds):[^\s]")


def grpc_address(value: str) -> str:
    """HOST:PORT, grpcs://HOST:PORT for TLS, or a target of gRPC with its scheme (dns:, unix: ...), as it is given.

    gRPC itself takes anything for a name, and looks it up.

    Raises:
        ArgumentTypeError: it is something else, such as a URL, or has no port.
    """
    if _SCHEMES.match(value):
        return value
    found = re.fullmatch(r"(?:grpcs://)?(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^:/\s]+):([0-9]{1,5})", value)
    if found is None or int(found[1]) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be HOST:PORT of the gRPC port, or grpcs://HOST:PORT: {value}")
    return value
