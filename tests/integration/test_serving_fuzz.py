"""What nobody would send, the same on every machine; more of it by `--fuzz-rounds`.

A real server is asked; after each round it is still there, its memory is bounded, and good requests are answered.
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import tensorflow as tf
from google.protobuf.message import DecodeError
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

from tests.integration.command_server import Command, CommandServer
from tests.integration.serve_command import SECONDS, port, serve
from tests.tiny_models import echo, half_plus

MOST_MEMORY = 512 << 20  # bytes that the server may have more than at the start

MODELS = ("/v1/models/half", "/v1/models/half/versions/1", "/v1/models/echo")
METHODS: dict[str, Any] = {
    "PredictionService/Predict": predict_pb2.PredictRequest,
    "PredictionService/Classify": classification_pb2.ClassificationRequest,
    "PredictionService/Regress": regression_pb2.RegressionRequest,
    "PredictionService/MultiInference": inference_pb2.MultiInferenceRequest,
    "PredictionService/GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    "ModelService/GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
}
CODES = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED"}


class Server:
    """A running server and what asks it."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.rest_port, self.grpc_port = port(command, "REST"), port(command, "gRPC")
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}", options)
        self.check(most_memory=1 << 40)
        self.memory = self._memory()

    def post(self, path: str, body: bytes) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.rest_port, timeout=SECONDS)
        try:
            connection.request("POST", path, body)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def call(self, method: str, message: bytes) -> str:
        """The name of the code that a message is answered with."""
        try:
            self.channel.unary_unary(f"/tensorflow.serving.{method}")(message, timeout=SECONDS)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    def raw(self, port: int, data: bytes) -> bytes:
        """What comes back for some bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
            found = b""
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    found += piece
            except (BrokenPipeError, ConnectionResetError):
                pass
            return found

    def check(self, most_memory: int | None = None) -> None:
        """Whether it goes on."""
        assert self.post("/v1/models/half:predict", b'{"instances": [[2.0]]}') == (200, {"predictions": [[4.0]]})
        response = self.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")(
            good_request().SerializeToString(), timeout=SECONDS
        )
        assert predict_pb2.PredictResponse.FromString(response).outputs["y"].float_val == [4.0]
        assert self._memory() < (self.memory + MOST_MEMORY if most_memory is None else most_memory)

    def _memory(self) -> int:
        lines = Path(f"/proc/{self.command.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) << 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("models")
    for version in (1, 3):
        half_plus(folder / "half" / str(version), float(version))
    echo(folder / "echo" / "5")
    config = folder / "config"
    entries = (
        f'config {{ name: "{name}" base_path: "{folder}/{name}" model_version_policy {{ all {{}} }} }}'
        for name in ("half", "echo")
    )
    config.write_text(f"model_config_list {{ {' '.join(entries)} }}")
    commands = CommandServer(tmp_path_factory.mktemp("commands"), ["serving.model_server"])
    with serve(commands, f"--model-config={config}") as command:
        found = Server(command)
        with found.channel:
            yield found
        command.signal(signal.SIGTERM)
        assert command.wait() == 0
        assert "Traceback" not in command.text, command.text[-10_000:]
    commands.close()


@pytest.fixture
def rounds(server: Server, request: pytest.FixtureRequest) -> Callable[[st.SearchStrategy[Any], Any], None]:
    """Checks examples, round after round of other ones."""

    def run(examples: st.SearchStrategy[Any], check: Callable[[Any], None]) -> None:
        for number in range(request.config.getoption("--fuzz-rounds")):
            one_round = settings(max_examples=50, deadline=None, database=None, derandomize=False)(
                seed(number)(given(examples)(lambda example: check(example)))
            )
            one_round()
            server.check()

    return run


def good_request() -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest(model_spec={"name": "half"})
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([[2.0]], tf.float32))
    return request


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=3),
    st.just({"b64": "AAAA"}),
    st.just({"b64": "?"}),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["x", "long", "text", "pair", "unsigned", "b64"]), inner, max_size=4),
    max_leaves=8,
)
_DOCUMENTS = st.dictionaries(
    st.sampled_from(["instances", "inputs", "examples", "context", "signature_name"]), _VALUES, max_size=3
).map(lambda document: json.dumps(document).encode())
_BODIES = st.binary(max_size=60) | st.text('{}[]",:0123.eE-+NaInfity \\u', max_size=60).map(str.encode)


def test_no_body_is_the_servers_fault(server: Server, rounds: Any) -> None:
    paths = st.sampled_from([f"{model}:{verb}" for model in MODELS for verb in ("predict", "classify", "regress")])

    def check(example: tuple[str, bytes]) -> None:
        status, answer = server.post(*example)
        assert status in (200, 400)
        assert status == 200 or answer.keys() == {"error"}

    rounds(st.tuples(paths, _DOCUMENTS | _BODIES), check)


_SPECS = st.fixed_dictionaries(
    {"name": st.sampled_from(["half", "echo", "", "other"])},
    optional={
        "signature_name": st.sampled_from(["serving_default", "regress_x_to_y", "classify_x_to_y", "divide", "none"]),
        "version": st.fixed_dictionaries({"value": st.sampled_from([1, 3, 5, -1, 2**63 - 1])}),
    },
)
_TENSORS = st.builds(
    lambda fields: TensorProto(**fields),
    st.fixed_dictionaries(
        {"dtype": st.integers(0, 30)},
        optional={
            "tensor_shape": st.fixed_dictionaries(
                {
                    "dim": st.lists(
                        st.fixed_dictionaries({"size": st.sampled_from([-1, 0, 1, 2, 3, 100, 2**40, 2**62])}),
                        max_size=4,
                    )
                },
                optional={"unknown_rank": st.booleans()},
            ),
            "tensor_content": st.binary(max_size=24),
            "float_val": st.lists(st.floats(width=32), max_size=3),
            "double_val": st.lists(st.floats(), max_size=3),
            "int_val": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3),
            "int64_val": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
            "half_val": st.lists(st.integers(-5, 70_000), max_size=3),
            "bool_val": st.lists(st.booleans(), max_size=3),
            "string_val": st.lists(st.binary(max_size=5), max_size=3),
        },
    ),
)
_PREDICTIONS = st.builds(
    predict_pb2.PredictRequest,
    model_spec=_SPECS,
    inputs=st.dictionaries(st.sampled_from(["x", "long", "divisor", ""]), _TENSORS, max_size=2),
    output_filter=st.lists(st.sampled_from(["y", "long", ""]), max_size=2),
)


def test_no_tensor_is_the_servers_fault(server: Server, rounds: Any) -> None:
    def check(request: predict_pb2.PredictRequest) -> None:
        assert server.call("PredictionService/Predict", request.SerializeToString()) in CODES

    rounds(_PREDICTIONS, check)


def test_no_message_is_the_servers_fault(server: Server, rounds: Any) -> None:
    """Good messages with some bytes changed, left out or added, and any bytes."""
    example = tf.train.Example()
    example.features.feature["x"].float_list.value.append(2.0)
    given_examples = {"example_list": {"examples": [example]}}
    spec = {"name": "half", "signature_name": "regress_x_to_y"}
    task = {"model_spec": spec, "method_name": "tensorflow/serving/regress"}
    good = {
        "PredictionService/Predict": good_request(),
        "PredictionService/Classify": classification_pb2.ClassificationRequest(model_spec=spec, input=given_examples),
        "PredictionService/Regress": regression_pb2.RegressionRequest(model_spec=spec, input=given_examples),
        "PredictionService/MultiInference": inference_pb2.MultiInferenceRequest(tasks=[task], input=given_examples),
        "PredictionService/GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=spec, metadata_field=["signature_def"]
        ),
        "ModelService/GetModelStatus": get_model_status_pb2.GetModelStatusRequest(model_spec=spec),
    }

    def check(case: tuple[str, float, int, bytes]) -> None:
        method, place, left_out, added = case
        message = good[method].SerializeToString()
        start = int(place * len(message))
        message = message[:start] + added + message[start + left_out :]
        try:
            METHODS[method].FromString(message)
            codes = CODES
        except (DecodeError, SystemError):  # the latter of protobuf 3, which may read strings that are no UTF-8
            codes = {"INTERNAL", *CODES}
        assert server.call(method, message) in codes

    places = st.floats(0, 1)
    rounds(st.tuples(st.sampled_from(sorted(good)), places, st.integers(0, 3), st.binary(max_size=4)), check)


def test_no_bytes_are_the_servers_fault(server: Server, rounds: Any) -> None:
    starts = [b"", b"GET ", b"POST /v1/models/half:predict HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nA:"]
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    def check(case: tuple[bytes, bytes]) -> None:
        # What cannot be the end of a request is added, so that the server does not wait.
        found = server.raw(server.rest_port, b"".join(case) + b"\r\n\r\n\r\n\x00\x00 : bad\r\n\r\n")
        assert not found or found.split(b" ", 2)[1] in (b"400", b"404", b"431")
        server.raw(server.grpc_port, preface + case[1])

    rounds(st.tuples(st.sampled_from(starts), st.binary(max_size=60)), check)
