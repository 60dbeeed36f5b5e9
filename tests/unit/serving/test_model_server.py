"""Both protocols in one process."""

from __future__ import annotations

import socket

import pytest

from schemas.errors import RunError
from serving.model_server import ModelServer, ServerOptions


def test_of_a_server_that_cannot_listen_nothing_is_left() -> None:
    """The end of gRPC's server met the end of the interpreter, and its traceback the user."""
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free.bind(("127.0.0.1", 0))
        grpc, rest = free.getsockname()[1], taken.getsockname()[1]
        free.close()
        with pytest.raises(RunError, match="The server of REST cannot listen there"):
            ModelServer(ServerOptions(models=(), host="127.0.0.1", grpc_port=grpc, rest_port=rest))
    with socket.socket() as again:
        again.bind(("127.0.0.1", grpc))
