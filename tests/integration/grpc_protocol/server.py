"""`scalable-tf serve` in a process of its own, asked by TensorFlow Serving's own stubs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import tensorflow as tf
from google.protobuf import text_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.integration.command_server import Command, CommandServer
from tests.integration.serve_command import SECONDS, port, serve


class Server:
    """A running server and what asks it."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.port = port(command, "gRPC")
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options)
        # Calls that wait for the connection begin in any order.
        grpc.channel_ready_future(self.channel).result(SECONDS)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def predict(self, x: float = 2.0, timeout: float | None = SECONDS, **spec: Any) -> tuple[float, int]:
        """The answer of a version, and the version that it names."""
        response = self.prediction.Predict(half_request(x, **spec), timeout=timeout)
        return response.outputs["y"].float_val[0], response.model_spec.version.value

    def states(self, name: str = "half") -> dict[int, str]:
        response = self.models.GetModelStatus(
            get_model_status_pb2.GetModelStatusRequest(model_spec={"name": name}), timeout=SECONDS
        )
        state = get_model_status_pb2.ModelVersionStatus.State
        return {one.version: state.Name(one.state) for one in response.model_version_status}

    def reload(self, text: str, *metric_names: str) -> Any:
        request = model_management_pb2.ReloadConfigRequest(metric_names=metric_names)
        text_format.Parse(text, request.config.model_config_list)
        return self.models.HandleReloadConfigRequest(request, timeout=SECONDS)

    def health(self, service: str = "") -> str:
        stub = health_pb2_grpc.HealthStub(self.channel)
        found = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(found.status))

    def end(self) -> int:
        self.command.signal(signal.SIGTERM)
        return self.command.wait()


@contextmanager
def serving(commands: CommandServer, *options: str) -> Iterator[Server]:
    with serve(commands, *options) as command:
        server = Server(command)
        with server.channel:
            yield server


def half_request(x: float = 2.0, **spec: Any) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest(model_spec={"name": "half"} | spec)
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([[x]], tf.float32))
    return request
