"""What becomes of requests when SIGTERM ends the server."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.integration.command_server import CommandServer
from tests.integration.gate import Gate, gate
from tests.integration.grpc_protocol.models import Models
from tests.integration.grpc_protocol.server import Server, half_request, serving
from tests.integration.grpc_protocol.status_code import code_of
from tests.integration.serve_command import SECONDS, refuses
from tests.until import until

_CLIENT = """
import sys, grpc
call = grpc.insecure_channel(sys.argv[1]).unary_unary("/tensorflow.serving.PredictionService/Predict")
call(open(sys.argv[2], "rb").read(), timeout=60)
"""


def test_sigterm_ends_what_is_being_answered_and_then_the_server(commands: CommandServer, models: Models) -> None:
    models.release(1)
    with serving(
        commands, models.option(), "--batching", "--batch-timeout-micros=2000000", "--max-batch-size=2"
    ) as server:
        # It waits for a second request to share its batch: long enough to be there when the server is ended.
        waiting = server.prediction.Predict.future(half_request(), timeout=SECONDS)
        assert server.health() == "SERVING"
        assert server.end() == 0
        assert waiting.result().outputs["y"].float_val[0] == 2.0
        assert code_of(server.predict)[0] == "UNAVAILABLE"


def test_sigterm_ends_the_server_also_when_a_request_does_not_end(commands: CommandServer, models: Models) -> None:
    models.release(1)
    hour = "--batch-timeout-micros=3600000000"
    with serving(commands, models.option(), "--batching", hour, "--grace-seconds=0") as server:
        waiting = server.prediction.Predict.future(half_request(), timeout=SECONDS)
        assert server.health() == "SERVING"
        assert server.end() == 0
        assert waiting.exception().code().name in ("CANCELLED", "UNAVAILABLE")


def large_request() -> predict_pb2.PredictRequest:
    """One for echo, of 8 MiB."""
    request = predict_pb2.PredictRequest(model_spec={"name": "echo"}, output_filter=["rows"])
    rows = 1 << 20
    for key, value in {"long": np.zeros(rows, np.int64), "unsigned": np.zeros(0, np.uint64)}.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(np.zeros(0, object), tf.string))
    request.inputs["pair"].CopyFrom(tf.make_tensor_proto(np.zeros((0, 2))))
    return request


@contextmanager
def half_sent(server: Server) -> Iterator[tuple[Gate, grpc.Future]]:
    """A call of echo whose message stays on the way: the server has begun to read it, or would not take so much."""
    request = large_request()
    with gate(server.port, 4 << 20) as way, grpc.insecure_channel(f"127.0.0.1:{way.port}") as channel:
        call = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict.future(request, timeout=SECONDS)
        assert way.reached.wait(SECONDS)
        yield way, call


def test_sigterm_waits_for_a_message_that_is_on_its_way(commands: CommandServer, models: Models) -> None:
    models.release(5, "echo", "echo")
    with serving(commands, models.option("echo")) as server, half_sent(server) as (way, call):
        server.command.signal(signal.SIGTERM)
        until(lambda: refuses(server.port))
        with pytest.raises(grpc.FutureTimeoutError):  # longer than the server waits for who has been answered
            call.result(1.5)
        way.opened.set()
        assert call.result().outputs["rows"].int_val == [1 << 20]
        assert server.command.wait() == 0


def test_sigterm_does_not_wait_for_a_message_without_end(
    commands: CommandServer, models: Models, tmp_path: Path
) -> None:
    models.release(5, "echo", "echo")
    (tmp_path / "request").write_bytes(large_request().SerializeToString())
    with serving(commands, models.option("echo"), "--grace-seconds=0.1") as server, gate(server.port, 4 << 20) as way:
        # In a process of its own: gRPC's client may lock itself up, for ever, as a connection ends to which it writes.
        command = [sys.executable, "-c", _CLIENT, f"127.0.0.1:{way.port}", str(tmp_path / "request")]
        client = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            assert way.reached.wait(SECONDS)
            assert server.end() == 0
            assert "Traceback" not in server.command.text
        finally:
            client.kill()
            client.wait()
