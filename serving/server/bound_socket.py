"""The port of a server, taken before anything is loaded."""

from __future__ import annotations

import socket

from schemas.errors import RunError


def bound_socket(host: str, port: int, name: str, option: str) -> socket.socket:
    """A socket that has the port.

    Args:
        host: address.
        port: 0 takes a free one.
        name: of the server, for errors: gRPC, REST.
        option: which says the port, for errors.

    Raises:
        RunError: the port is taken, or the address is none of this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _error(host, port, name, option, error) from error
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise _error(host, port, name, option, error) from error
    return found


def _error(host: str, port: int, name: str, option: str, error: OSError) -> RunError:
    return RunError(
        f"The server of {name} cannot listen there.",
        where=f"{host}:{port}",
        received=error.strerror or str(error),
        fix=f"Give another {option} (0 picks a free one), or another --bind.",
    )
