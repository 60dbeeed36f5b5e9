"""`scalable-tf serve` as a client sees it: a real process, asked by TensorFlow Serving's own stubs."""

from __future__ import annotations

import shutil
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from tests.integration.command_server import Command, CommandServer
from tests.integration.gate import Gate, gate
from tests.integration.serve_command import SECONDS, port, refuses, serve
from tests.tiny_models import echo, half_plus


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    server = CommandServer(tmp_path_factory.mktemp("commands"), ["serving.model_server"])
    yield server
    server.close()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models by name: `plus_<n>` answers x / 2 + n."""
    folder = tmp_path_factory.mktemp("exported")
    for number in range(1, 4):
        half_plus(folder / f"plus_{number}", float(number))
    echo(folder / "echo")
    return folder


@dataclass
class Models:
    """Folders of models: `half` in version n answers x / 2 + n, unless it is said otherwise."""

    folder: Path
    exported: Path

    def release(self, version: int, name: str = "half", source: str = "", *, broken: bool = False) -> Path:
        staging = self.folder / name / ".staging"
        shutil.copytree(self.exported / (source or f"plus_{version}"), staging)
        if broken:
            (staging / "saved_model.pb").write_bytes(b"broken")
        return staging.rename(self.folder / name / str(version))

    def option(self, name: str = "half") -> str:
        return f"--model={name}={self.folder / name}"


@pytest.fixture
def models(tmp_path: Path, exported: Path) -> Models:
    return Models(tmp_path, exported)


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


@pytest.fixture(scope="module")
def running(commands: CommandServer, exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that no test changes."""
    models = Models(tmp_path_factory.mktemp("models"), exported)
    models.release(1)
    models.release(3)
    models.release(5, "echo", "echo")
    with serving(commands, models.option(), models.option("echo")) as server:
        yield server
        assert server.end() == 0


def half_request(x: float = 2.0, **spec: Any) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest(model_spec={"name": "half"} | spec)
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([[x]], tf.float32))
    return request


def example(x: float) -> tf.train.Example:
    found = tf.train.Example()
    found.features.feature["x"].float_list.value.append(x)
    return found


def code_of(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return raised.value.code().name, raised.value.details()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_predict_answers_in_typed_fields_and_says_who_answered(running: Server) -> None:
    response = running.prediction.Predict(half_request(), timeout=SECONDS)
    assert response == text_format.Parse(
        """
        outputs { key: "y" value { dtype: DT_FLOAT tensor_shape { dim { size: 1 } dim { size: 1 } } float_val: 4.0 } }
        model_spec { name: "half" version { value: 3 } signature_name: "serving_default" }
        """,
        predict_pb2.PredictResponse(),
    )


def test_predict_keeps_all_types_and_filters_outputs(running: Server) -> None:
    given = {
        "long": np.array([2**63 - 1]),
        "unsigned": np.array([2**64 - 1], np.uint64),
        "text": np.array([b"\xff\0"], object),
        "pair": np.array([[0.1, 0.2]]),
    }
    request = predict_pb2.PredictRequest(model_spec={"name": "echo"}, output_filter=["unsigned", "text"])
    for key, value in given.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    outputs = running.prediction.Predict(request, timeout=SECONDS).outputs
    assert {key: tf.make_ndarray(value).tolist() for key, value in outputs.items()} == {
        "unsigned": [2**64 - 1],
        "text": [b"\xff\0"],
    }


def test_messages_of_more_than_4_mib_pass(running: Server) -> None:
    request = half_request()
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.full((3 << 20, 1), 4, np.float32)))
    found = tf.make_ndarray(running.prediction.Predict(request, timeout=SECONDS).outputs["y"])
    assert found.shape == (3 << 20, 1)
    assert (found == 5).all()


def test_a_shape_that_the_signature_does_not_name_is_the_models_affair(running: Server) -> None:
    request = half_request()
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0, 2.0, 5.0]))
    found = tf.make_ndarray(running.prediction.Predict(request, timeout=SECONDS).outputs["y"])
    assert found.tolist() == [3.5, 4.0, 5.5]


def bad_requests() -> dict[str, tuple[predict_pb2.PredictRequest, str, str]]:
    wrong_type, extra, filtered, twice, no_values = (half_request() for _ in range(5))
    wrong_type.inputs["x"].CopyFrom(tf.make_tensor_proto([[1]], tf.int64))
    extra.inputs["more"].CopyFrom(tf.make_tensor_proto([1.0]))
    filtered.output_filter.append("z")
    twice.output_filter.extend(["y", "y"])
    no_values.inputs["x"].ClearField("float_val")
    no_values.inputs["x"].tensor_content = b"abc"
    none = predict_pb2.PredictRequest(model_spec={"name": "half"})
    return {
        "no model spec": (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        "no name": (half_request(name=""), "INVALID_ARGUMENT", "no name"),
        "model": (half_request(name="other"), "NOT_FOUND", "Servable not found for request: Latest(other)"),
        "version": (half_request(version={"value": 1}), "NOT_FOUND", "request: Specific(half, 1)"),
        "label": (half_request(version_label="x"), "INVALID_ARGUMENT", "Unrecognized servable version label: x"),
        "signature": (half_request(signature_name="no"), "FAILED_PRECONDITION", 'signature key "no" not found'),
        "no input": (none, "INVALID_ARGUMENT", "Missing but required: {x}"),
        "extra input": (extra, "INVALID_ARGUMENT", "Sent extra: {more}"),
        "dtype": (wrong_type, "INVALID_ARGUMENT", "Expects arg[0] to be float but int64 is provided"),
        "filter": (filtered, "INVALID_ARGUMENT", "output tensor alias not found in signature: z"),
        "filter twice": (twice, "INVALID_ARGUMENT", "duplicate output tensor alias: y"),
        "values": (no_values, "INVALID_ARGUMENT", "tensor parsing error: x"),
    }


@pytest.mark.parametrize("name", bad_requests())
def test_predict_refuses_with_the_right_code(running: Server, name: str) -> None:
    request, code, message = bad_requests()[name]
    found = code_of(lambda: running.prediction.Predict(request, timeout=SECONDS))
    assert found[0] == code
    assert message in found[1]


def test_a_long_error_message_arrives(running: Server) -> None:
    code, message = code_of(lambda: running.predict(name="é" * 20_000))
    assert code == "NOT_FOUND"
    assert message.startswith("Servable not found for request: Latest(éé")


def test_classify_regress_and_multi_inference(running: Server) -> None:
    examples = {"example_list": {"examples": [example(2.0), example(4.0)]}}
    spec = {"name": "half", "signature_name": "classify_x_to_y"}
    classified = running.prediction.Classify(
        classification_pb2.ClassificationRequest(model_spec=spec, input=examples), timeout=SECONDS
    )
    assert [(row.classes[0].label, row.classes[0].score) for row in classified.result.classifications] == [
        ("4.0", 4.0),
        ("5.0", 5.0),
    ]
    assert (classified.model_spec.signature_name, classified.model_spec.version.value) == ("classify_x_to_y", 3)
    spec = {"name": "half", "signature_name": "regress_x_to_y"}
    regressed = running.prediction.Regress(
        regression_pb2.RegressionRequest(model_spec=spec, input=examples), timeout=SECONDS
    )
    assert [one.value for one in regressed.result.regressions] == [4.0, 5.0]
    tasks = [
        {
            "model_spec": {"name": "half", "signature_name": f"{kind}_x_to_y"},
            "method_name": f"tensorflow/serving/{kind}",
        }
        for kind in ("regress", "classify")
    ]
    both = running.prediction.MultiInference(
        inference_pb2.MultiInferenceRequest(tasks=tasks, input=examples), timeout=SECONDS
    )
    assert both.results[0].regression_result.regressions[1].value == 5.0
    assert both.results[1].classification_result.classifications[0].classes[0].score == 4.0
    empty = classification_pb2.ClassificationRequest(model_spec={"name": "half"}, input=examples)
    assert code_of(lambda: running.prediction.Classify(empty, timeout=SECONDS))[0] == "INVALID_ARGUMENT"
    tasks[1]["method_name"] = "tensorflow/serving/predict"
    other = inference_pb2.MultiInferenceRequest(tasks=tasks, input=examples)
    assert code_of(lambda: running.prediction.MultiInference(other, timeout=SECONDS))[0] == "UNIMPLEMENTED"
    # The version is looked for before the tasks are.
    tasks[0]["model_spec"] = {"name": "other"}
    for given, code in ((tasks, "NOT_FOUND"), ([], "INVALID_ARGUMENT")):
        other = inference_pb2.MultiInferenceRequest(tasks=given)
        assert code_of(lambda: running.prediction.MultiInference(other, timeout=SECONDS))[0] == code  # noqa: B023


def test_metadata_are_the_signatures(running: Server) -> None:
    def ask(*fields: str, **spec: Any) -> get_model_metadata_pb2.GetModelMetadataResponse:
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec={"name": "half"} | spec, metadata_field=fields
        )
        return running.prediction.GetModelMetadata(request, timeout=SECONDS)

    response = ask("signature_def")
    assert (response.model_spec.name, response.model_spec.version.value) == ("half", 3)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["regress_x_to_y"].method_name == "tensorflow/serving/regress"
    assert signatures.signature_def["serving_default"].inputs["x"].tensor_shape.dim[1].size == 1
    assert code_of(ask)[0] == "INVALID_ARGUMENT"
    assert code_of(lambda: ask("signature_def", "other"))[0] == "INVALID_ARGUMENT"
    assert code_of(lambda: ask("signature_def", name="other"))[0] == "NOT_FOUND"


def test_status_is_of_all_versions_or_of_one(running: Server) -> None:
    assert running.states() == {3: "AVAILABLE"}
    request = get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "half", "version": {"value": 3}})
    (one,) = running.models.GetModelStatus(request, timeout=SECONDS).model_version_status
    assert one.HasField("status")
    assert one.status.error_code == 0
    request.model_spec.version.value = 9
    assert code_of(lambda: running.models.GetModelStatus(request, timeout=SECONDS)) == (
        "NOT_FOUND",
        "Could not find version 9 of model half",
    )
    assert code_of(lambda: running.states("other"))[0] == "NOT_FOUND"


def test_health_is_grpcs_own_protocol(running: Server) -> None:
    assert running.health() == "SERVING"
    assert running.health("tensorflow.serving.PredictionService") == running.health("ModelService") == "SERVING"
    assert code_of(lambda: running.health("other"))[0] == "NOT_FOUND"
    watch = health_pb2_grpc.HealthStub(running.channel).Watch
    for service, status in (("", "SERVING"), ("other", "SERVICE_UNKNOWN")):
        stream = watch(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
        assert next(stream).status == getattr(health_pb2.HealthCheckResponse, status)
        assert stream.cancel()


def test_what_is_counted(running: Server) -> None:
    def counts(*names: str) -> list[str]:
        url = f"http://127.0.0.1:{port(running.command, 'REST')}/monitoring/prometheus/metrics"
        with urllib.request.urlopen(url, timeout=SECONDS) as page:
            lines = page.read().decode().splitlines()
        return [line for line in lines if any(name in line for name in names)]

    spec = {"name": "counted"}
    code_of(lambda: running.predict(**spec))
    code_of(lambda: running.states("counted"))
    request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec, metadata_field=["signature_def"])
    code_of(lambda: running.prediction.GetModelMetadata(request, timeout=SECONDS))
    assert counts('"counted"') == [':tensorflow:serving:request_count{model_name="counted",status="NOT_FOUND"} 1']
    computed = 'runtime_latency_count{model_name="half",API="Predict",runtime="TF1"} '
    (before,) = counts(computed) or ("0",)
    running.predict()
    (after,) = counts(computed)
    assert int(after.rpartition(" ")[2]) == int(before.rpartition(" ")[2]) + 1


def test_what_is_no_request_harms_nobody(running: Server) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as garbage:
        garbage.sendall(b"\x00\xff" * 10_000)
        call = running.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        with pytest.raises(grpc.RpcError):
            call(b"\xff\xff\xff", timeout=SECONDS)
        unknown = running.channel.unary_unary("/tensorflow.serving.PredictionService/Nothing")
        assert code_of(lambda: unknown(b"", timeout=SECONDS))[0] == "UNIMPLEMENTED"
        assert running.predict() == (4.0, 3)


def test_versions_come_and_go_under_load_and_no_request_notices(commands: CommandServer, models: Models) -> None:
    models.release(1)
    with serving(commands, models.option(), "--batching", "--batch-timeout-micros=200") as server:
        stop = threading.Event()
        seen: list[int] = []
        wrong: list[object] = []

        def ask(x: float) -> None:
            while not stop.is_set():
                try:
                    answer, version = server.predict(x, timeout=None)  # as clients do that have no deadline
                except grpc.RpcError as error:
                    wrong.append(error)
                    continue
                seen.append(version)
                if answer != x / 2 + version:
                    wrong.append((x, answer, version))

        threads = [threading.Thread(target=ask, args=(float(x),)) for x in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: bool(seen))  # version 1
        for version in (2, 3):
            models.release(version)
            until(lambda version=version: seen[-1:] == [version])  # type: ignore[misc]
        # Broken: the file of the graph, or half of the folder.
        broken = models.release(4, source="plus_1", broken=True)
        until(lambda: server.states().get(4) == "END")
        shutil.rmtree(broken)
        shutil.rmtree(models.folder / "half" / "3")
        until(lambda: seen[-1:] == [2])
        stop.set()
        for thread in threads:
            thread.join()
        assert not wrong
        assert set(seen) == {1, 2, 3}
        for version in (1, 2):
            shutil.rmtree(models.folder / "half" / str(version))
        until(lambda: set(server.states().values()) == {"END"})
        assert code_of(server.predict)[0] == "NOT_FOUND"


def test_a_reload_serves_exactly_the_new_models(commands: CommandServer, models: Models) -> None:
    for version in (1, 2, 3):
        models.release(version)
        models.release(version, "other")
    (models.folder / "models").write_text(
        f'model_config_list {{ config {{ name: "half" base_path: "{models.folder}/half" }} }}'
    )
    options = (f"--model-config={models.folder / 'models'}", "--model-config-poll-seconds=0.05")
    with serving(commands, *options) as server:
        assert server.predict() == (4.0, 3)
        other = f'name: "other" base_path: "{models.folder}/other" model_platform: "tensorflow"'
        policy = "model_version_policy { specific { versions: 1 versions: 2 } }"
        assert server.reload(f"config {{ {other} {policy} }}").status.error_code == 0
        assert server.predict(name="other") == (3.0, 2)
        assert code_of(server.predict)[0] == "NOT_FOUND"
        labels = 'version_labels { key: "stable" value: 1 }'
        (metric,) = server.reload(f"config {{ {other} {policy} {labels} }}", "/some/metric").metric
        assert (metric.name, metric.int64_value_increase) == ("/some/metric", 0)
        assert server.predict(name="other", version_label="stable") == (2.0, 1)
        labels = 'version_labels { key: "stable" value: 3 }'
        code, message = code_of(lambda: server.reload(f"config {{ {other} {policy} {labels} }}"))
        assert code == "FAILED_PRECONDITION"
        assert "label to version 3 of model other" in message
        missing = f'config {{ name: "missing" base_path: "{models.folder}/missing" model_platform: "tensorflow" }}'
        refused = {
            missing: "Could not find base path",
            f"config {{ {other} }} config {{ {other} }}": "Illegal to list model other multiple times",
            f'config {{ name: "other" base_path: "{models.folder}/other" }}': "Illegal setting neither",
        }
        for text, message in refused.items():
            code, found = code_of(lambda text=text: server.reload(text))  # type: ignore[misc]
            assert (code, message in found) == ("INVALID_ARGUMENT", True), found
        assert server.predict(name="other", version_label="stable") == (2.0, 1)
        server.command.signal(signal.SIGHUP)
        until(lambda: code_of_or_none(lambda: server.predict(name="other")) == "NOT_FOUND")
        assert server.predict() == (4.0, 3)
        # Written anew, it is read without a signal.
        (models.folder / "models").write_text(f"model_config_list {{ config {{ {other} }} }}")
        # What is no longer listed is served until the rest is.
        until(lambda: code_of_or_none(server.predict) == "NOT_FOUND")
        assert server.predict(name="other") == (4.0, 3)


def code_of_or_none(call: Callable[[], Any]) -> str | None:
    try:
        call()
    except grpc.RpcError as error:
        return str(error.code().name)
    return None


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


@contextmanager
def half_sent(server: Server) -> Iterator[tuple[Gate, grpc.Future]]:
    """A call of echo whose message stays on the way: the server has begun to read it, or would not take so much."""
    request = predict_pb2.PredictRequest(model_spec={"name": "echo"}, output_filter=["rows"])
    rows = 1 << 20
    for key, value in {"long": np.zeros(rows, np.int64), "unsigned": np.zeros(0, np.uint64)}.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(np.zeros(0, object), tf.string))
    request.inputs["pair"].CopyFrom(tf.make_tensor_proto(np.zeros((0, 2))))
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


def test_sigterm_does_not_wait_for_a_message_without_end(commands: CommandServer, models: Models) -> None:
    models.release(5, "echo", "echo")
    with serving(commands, models.option("echo"), "--grace-seconds=0.1") as server, half_sent(server) as (_, call):
        assert server.end() == 0
        assert call.exception().code().name in ("CANCELLED", "UNAVAILABLE")
        assert "Traceback" not in server.command.text


def test_deadlines_are_the_clients(commands: CommandServer, models: Models) -> None:
    models.release(1)
    options = ("--batching", "--batch-timeout-micros=500000", "--max-batch-size=2")
    with serving(commands, models.option(), *options) as server:
        late = server.prediction.Predict.future(half_request(), timeout=0.05)
        assert late.exception().code().name == "DEADLINE_EXCEEDED"
        # It was part of the batch, and takes nothing from the one that shares it.
        assert server.predict() == (2.0, 1)


def test_what_is_wrong_at_the_start_is_told(commands: CommandServer, models: Models) -> None:
    models.release(1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        starts = {
            ("serve",): "There is no model to serve",
            ("serve", "--model=half"): "This names no model",
            ("serve", f"--model=half={models.folder}/missing"): "The folder of the model half is not there",
            ("serve", models.option(), f"--grpc-port={port}"): "The server of gRPC cannot listen there",
            (
                "serve",
                models.option(),
                "--grpc-port=0",
                f"--rest-port={port}",
            ): "The server of REST cannot listen there",
            ("serve", models.option(), "--max-batch-size=4"): "--batching",
            ("serve", models.option(), "--max-batch-size=0"): "--max-batch-size is out of range",
            ("serve", "--model-config=/missing"): "The file of models cannot be read",
        }
        for argv, message in starts.items():
            command = commands.run(list(argv))
            assert command.wait() == 1
            assert message in command.text
            assert "Traceback" not in command.text
            assert "chttp2" not in command.text
