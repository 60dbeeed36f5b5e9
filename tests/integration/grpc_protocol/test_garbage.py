"""Bytes and calls that are no request."""

from __future__ import annotations

import socket

import grpc
import pytest

from tests.integration.grpc_protocol.server import Server
from tests.integration.grpc_protocol.status_code import code_of
from tests.integration.serve_command import SECONDS


def test_what_is_no_request_harms_nobody(running: Server) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as garbage:
        garbage.sendall(b"\x00\xff" * 10_000)
        call = running.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        with pytest.raises(grpc.RpcError):
            call(b"\xff\xff\xff", timeout=SECONDS)
        unknown = running.channel.unary_unary("/tensorflow.serving.PredictionService/Nothing")
        assert code_of(lambda: unknown(b"", timeout=SECONDS))[0] == "UNIMPLEMENTED"
        assert running.predict() == (4.0, 3)
