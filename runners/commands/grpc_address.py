"""Addresses of gRPC on the command line."""

from __future__ import annotations

import argparse
import re

_LAST_PORT = (1 << 16) - 1


def grpc_address(value: str) -> str:
    """HOST:PORT, or grpcs://HOST:PORT for TLS, as it is given; gRPC itself takes anything for a name, and looks it up.

    Raises:
        ArgumentTypeError: it is something else, such as a URL, or has no port.
    """
    found = re.fullmatch(r"(?:grpcs://)?(?:\[[0-9A-Fa-f:.]+\]|[^:/\s]+):([0-9]{1,5})", value)
    if found is None or int(found[1]) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be HOST:PORT of the gRPC port, or grpcs://HOST:PORT: {value}")
    return value
