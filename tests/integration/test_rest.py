"""REST as a client sees it: a real `scalable-tf serve`, real models, real sockets."""

from __future__ import annotations

import gzip
import http.client
import json
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command_server import Command, CommandServer
from tests.integration.serve_command import SECONDS, port, refuses, serve
from tests.tiny_models import echo, half_plus

HALF = "/v1/models/half:predict"
ECHO = "/v1/models/echo:predict"


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    server = CommandServer(tmp_path_factory.mktemp("commands"), ["serving.model_server"])
    yield server
    server.close()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of models: `half` in the versions 1 and 3 answers x / 2 + n; `echo` answers what it is given."""
    folder = tmp_path_factory.mktemp("models")
    for version in (1, 3):
        half_plus(folder / "half" / str(version), float(version))
    echo(folder / "echo" / "0000005")
    return folder


class Server:
    """A running server and what asks it."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.port = port(command, "REST")

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()

    def post(self, path: str, body: bytes | str) -> tuple[int, Any]:
        status, text, headers = self.ask("POST", path, body)
        assert headers["Content-Type"] == "application/json"
        return status, json.loads(text)

    def raw(self, data: bytes) -> bytes:
        """What comes back for some bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as connection:
            found = b""
            try:
                connection.sendall(data)
                while piece := connection.recv(65536):
                    found += piece
            except (BrokenPipeError, ConnectionResetError):
                pass
            return found


@contextmanager
def serving(commands: CommandServer, *options: str) -> Iterator[Server]:
    with serve(commands, *options) as command:
        yield Server(command)


@pytest.fixture(scope="module")
def server(commands: CommandServer, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that no test changes."""
    config = tmp_path_factory.mktemp("config") / "models"
    config.write_text(
        f"""
        model_config_list {{
          config {{
            name: "half" base_path: "{models}/half" model_platform: "tensorflow"
            model_version_policy {{ specific {{ versions: 1 versions: 3 }} }}
            version_labels {{ key: "stable" value: 1 }}
          }}
          config {{ name: "echo" base_path: "{models}/echo" model_platform: "tensorflow" }}
        }}
        """
    )
    with serving(commands, f"--model-config={config}") as running:
        yield running
        running.command.signal(signal.SIGTERM)
        assert running.command.wait() == 0
        assert "Traceback" not in running.command.text


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        (HALF, '{"instances": [[1.0], [2]]}', {"predictions": [[3.5], [4.0]]}),
        (HALF, '{"instances": [{"x": [2.0]}]}', {"predictions": [[4.0]]}),
        (HALF, '{"inputs": [[2.0]]}', {"outputs": [[4.0]]}),
        (HALF, '{"inputs": {"x": [[2.0]]}, "signature_name": "serving_default"}', {"outputs": [[4.0]]}),
        (HALF, '{"instances": [[2.0]], "deep": ' + "[" * 9000 + "]" * 9000 + "} rest", {"predictions": [[4.0]]}),
        (HALF, '{"instances": [[1e39]]}', {"predictions": [[float("inf")]]}),
        ("/v1/models/half/versions/1:predict", '{"instances": [[2.0]]}', {"predictions": [[2.0]]}),
        ("/v1/models/half/versions/0003:predict", '{"instances": [[2.0]]}', {"predictions": [[4.0]]}),
        ("/v1/models/half/labels/stable:predict", '{"instances": [[2.0]]}', {"predictions": [[2.0]]}),
        ("/V1/models/%68alf:predict", '{"instances": [[2.0]]}', {"predictions": [[4.0]]}),
        (ECHO, '{"signature_name": "divide", "instances": [5, -6]}', {"predictions": [2, -2]}),
        (
            "/v1/models/half:classify",
            '{"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}, {"x": 4.0}]}',
            {"results": [[["4.0", 4.0]], [["5.0", 5.0]]]},
        ),
        (
            "/v1/models/half:classify",
            '{"signature_name": "classify_scores", "context": {"x": 2.0}, "examples": [{}]}',
            {"results": [[["", 4.0]]]},
        ),
        (
            "/v1/models/half/labels/stable:regress",
            '{"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}, {"x": [0.1]}]}',
            {"results": [2.0, 1.05]},
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_answers(server: Server, path: str, body: str, answer: object) -> None:
    assert server.post(path, body) == (200, answer)


def test_all_digits_and_all_bytes(server: Server) -> None:
    row = (
        '{"long": -9223372036854775808, "unsigned": 18446744073709551615, "text": {"b64": "w7w="}, '
        '"pair": [0.1, Infinity]}'
    )
    status, body, _ = server.ask("POST", ECHO, f'{{"inputs": {{{column(row)}}}}}')
    assert status == 200
    assert (
        body
        == (
            '{\n    "outputs": {"long": [-9223372036854775808], "pair": [[0.1, Infinity]], "rows": 1, '
            '"text": ["\u00fc"], '
            '"unsigned": [18446744073709551615]}\n}'
        ).encode()
    )
    # The number of rows has none.
    assert server.post(ECHO, f'{{"instances": [{row}]}}') == (
        400,
        {"error": "Tensor name: rows has no shape information "},
    )


def column(row: str) -> str:
    """The members of a row as columns of one."""
    found = json.loads(row, parse_constant=lambda token: token)
    return json.dumps({key: [value] for key, value in found.items()}).replace('"Infinity"', "Infinity")[1:-1]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/v1/models/none:predict", '{"instances": [1]}', 404, "Servable not found for request: Latest(none)"),
        (
            "POST",
            "/v1/models/half/versions/9:predict",
            '{"instances": [1]}',
            404,
            "Servable not found for request: Specific(half, 9)",
        ),
        ("POST", "/v1/models/half/labels/no:predict", '{"instances": [1]}', 400, "Unrecognized servable version label"),
        (
            "POST",
            HALF,
            '{"instances": [1], "signature_name": "no"}',
            400,
            'Serving signature name: "no" not found in signature def',
        ),
        ("POST", HALF, "", 400, "JSON Parse error: The document is empty"),
        ("POST", HALF, b'{"instances": ["\xff"]}', 400, "JSON Parse error: Invalid encoding in string."),
        ("POST", HALF, b"[" * 500_000, 400, "JSON Parse error: Invalid value. at offset: 500000"),
        ("POST", HALF, b'{"instances":' + b"[" * 90 + b"1" + b"]" * 90 + b"}", 400, "nested too deeply"),
        (
            "POST",
            HALF,
            b'{"signature_name":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
            400,
            "'signature_name' key must be a string value.",
        ),
        ("OPTIONS", HALF, None, 400, "Origin header is missing in CORS preflight"),
        ("POST", HALF, '{"instances": [[1.0], ["2"]]}', 400, 'JSON Value: "2" Type: String is not of expected type'),
        ("POST", ECHO, '{"signature_name": "divide", "instances": [0]}', 400, ""),
        ("POST", "/v1/models/half:classify", '{"examples": [{"x": 1.0}]}', 400, ""),
        ("POST", "/v1/models/half:regress", '{"signature_name": "no", "examples": [{"x": 1.0}]}', 400, ""),
        ("POST", "/v1/models/half:regress", '{"examples": [{"x": [1, 1.0]}]}', 400, "expecting type: int64"),
        ("GET", "/v1/models/none", None, 404, "Could not find any versions of model none"),
        ("GET", "/v1/models/half/versions/9", None, 404, "Could not find version 9 of model half"),
        ("GET", "/v1/models/none/metadata", None, 404, "Servable not found for request: Latest(none)"),
        ("GET", "/v1/models", None, 400, "Missing model name in request."),
        ("GET", HALF, None, 400, f"Malformed request: GET {HALF}"),
        ("POST", "/v1/models/half", "{}", 400, "Malformed request: POST /v1/models/half"),
        ("PUT", HALF, "{}", 400, f"Malformed request: PUT {HALF}"),
        ("POST", f"{HALF}?a=b", '{"instances": [[2.0]]}', 400, f"Malformed request: POST {HALF}?a=b"),
        ("GET", "/v1/models/half?a=b", None, 404, "Could not find any versions of model half?a=b"),
        ("DELETE", "/v1/models/half", None, 400, "Malformed request: DELETE /v1/models/half"),
        ("GET", "/v1/models/../../../etc/passwd", None, 400, "Malformed request"),
        (
            "GET",
            "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
            None,
            404,
            "Could not find any versions of model ../../etc",
        ),
        ("POST", "/v1/models/half/versions/99999999999999999999:predict", "{}", 400, "Failed to convert version"),
        ("GET", "/", None, 404, "Not found: GET /"),
        ("GET", "/v2/models/half", None, 404, "Not found"),
        ("GET", "/../etc/passwd", None, 404, "Not found"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_refusals(server: Server, method: str, path: str, body: bytes | str | None, status: int, message: str) -> None:
    found, text, headers = server.ask(method, path, body)
    assert (found, headers["Content-Type"]) == (status, "application/json")
    answer = json.loads(text)
    assert answer.keys() == {"error"}
    assert message in answer["error"]


def test_a_shape_that_the_signature_does_not_name_is_the_models_affair(server: Server) -> None:
    """TensorFlow Serving's first example: its model says [?, 1]."""
    status, body, _ = server.ask("POST", "/v1/models/half:predict", '{"instances": [1.0, 2.0, 5.0]}')
    assert (status, len(json.loads(body)["predictions"])) == (200, 3)


def test_status(server: Server) -> None:
    one = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for path in ("/v1/models/half/versions/1", "/v1/models/half/labels/stable"):
        status, body, headers = server.ask("GET", path)
        assert (status, headers["Content-Type"]) == (200, "application/json")
        assert json.loads(body) == {"model_version_status": [one]}
    _, body, _ = server.ask("GET", "/v1/models/half")
    assert [each["version"] for each in json.loads(body)["model_version_status"]] == ["3", "1"]


def test_metadata(server: Server) -> None:
    status, body, _ = server.ask("GET", "/v1/models/half/versions/1/metadata")
    assert status == 200
    found = json.loads(body)
    assert found["model_spec"] == {"name": "half", "signature_name": "", "version": "1"}
    signatures = found["metadata"]["signature_def"]["signature_def"]
    assert signatures["regress_x_to_y"]["method_name"] == "tensorflow/serving/regress"
    dims = [{"size": "-1", "name": ""}, {"size": "1", "name": ""}]
    assert signatures["serving_default"]["inputs"]["x"] == {
        "name": "x:0",
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": dims, "unknown_rank": False},
    }


def test_one_connection_for_many_requests(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.connect()
    kept = connection.sock
    for method, path, body, status in (
        ("POST", HALF, '{"instances": [[2.0]]}', 200),
        ("POST", HALF, "no", 400),
        ("PUT", "/v1/x", "ignored", 400),
        ("POST", "/other", "x" * 300_000, 404),
        ("GET", "/v1/models/half", None, 200),
    ):
        connection.request(method, path, body)
        response = connection.getresponse()
        response.read()
        assert (response.status, connection.sock) == (status, kept)
    connection.close()


def test_chunks_gzip_and_any_content_type(server: Server) -> None:
    text = b'{"instances": [[2.0]]}'
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "image/png"):
        assert server.ask("POST", HALF, text, Content_Type=content_type)[0] == 200
    assert server.ask("POST", HALF, gzip.compress(text), Content_Encoding="gzip")[0] == 200
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request("POST", HALF, iter([text[:5], text[5:]]), encode_chunked=True)
    assert json.loads(connection.getresponse().read()) == {"predictions": [[4.0]]}
    connection.close()


def test_a_client_that_asks_before_it_sends(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall(
            f"POST {HALF} HTTP/1.1\r\nHost: h\r\nContent-Length: 22\r\nExpect: 100-continue\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b'{"instances": [[2.0]]}')
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_megabytes(server: Server) -> None:
    status, found = server.post(HALF, json.dumps({"instances": [[value / 4] for value in range(200_000)]}))
    assert status == 200
    assert found == {"predictions": [[value / 8 + 3] for value in range(200_000)]}


def test_a_bomb(server: Server) -> None:
    bomb = gzip.compress(bytes(1 << 20)) * 257
    status, body, _ = server.ask("POST", HALF, bomb, Content_Encoding="gzip")
    assert (status, list(json.loads(body))) == (413, ["error"])


def test_health_and_metrics(server: Server) -> None:
    server.post(HALF, '{"instances": [[2.0]]}')
    assert server.ask("GET", "/healthz")[0] == 200
    assert server.ask("GET", "/readyz")[0] == 200
    status, body, headers = server.ask("GET", "/monitoring/prometheus/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain")
    assert server.ask("GET", "/monitoring/prometheus/metrics?a=b")[:2] == (
        400,
        b"Unexpected path: /monitoring/prometheus/metrics?a=b. Should be /monitoring/prometheus/metrics",
    )
    assert b'\n:tensorflow:serving:request_count{model_name="half",status="OK"} ' in body
    assert b':tensorflow:serving:request_latency_bucket{model_name="half",API="predict",entrypoint="REST",le="' in body


def test_versions_come_and_go(commands: CommandServer, models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    shutil.copytree(models / "half/1", folder / "1")
    with serving(commands, f"--model=half={folder}") as running:
        assert running.post(HALF, '{"instances": [[2.0]]}') == (200, {"predictions": [[2.0]]})
        shutil.copytree(models / "half/3", folder / ".3")
        (folder / ".3").rename(folder / "3")
        deadline = time.monotonic() + SECONDS
        while running.post(HALF, '{"instances": [[2.0]]}') != (200, {"predictions": [[4.0]]}):
            assert time.monotonic() < deadline
        shutil.rmtree(folder)
        folder.mkdir()
        while (answer := running.post(HALF, '{"instances": [[2.0]]}'))[0] == 200:
            assert time.monotonic() < deadline
        assert answer == (404, {"error": "Servable not found for request: Latest(half)"})
        running.command.signal(signal.SIGTERM)
        assert running.command.wait() == 0


@contextmanager
def half_sent(server: Server, head: str) -> Iterator[socket.socket]:
    """A request whose body stays on the way."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall(f"POST {HALF} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n{head}".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")  # it is read
        yield connection


def test_sigterm_waits_for_bodies_that_are_on_their_way(commands: CommandServer, models: Path) -> None:
    with (
        serving(commands, f"--model=half={models}/half") as server,
        half_sent(server, 'Content-Length: 22\r\n\r\n{"insta') as plain,
        half_sent(server, 'Transfer-Encoding: chunked\r\n\r\n7\r\n{"insta\r\n') as chunked,
    ):
        server.command.signal(signal.SIGTERM)
        deadline = time.monotonic() + SECONDS
        while not refuses(server.port):
            assert time.monotonic() < deadline
        plain.sendall(b'nces": [[2.0]]}')
        chunked.sendall(b'f\r\nnces": [[2.0]]}\r\n0\r\n\r\n')
        for connection in (plain, chunked):
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert (response.status, json.loads(response.read())) == (200, {"predictions": [[4.0]]})
        assert server.command.wait() == 0


def test_sigterm_does_not_wait_for_a_body_without_end(commands: CommandServer, models: Path) -> None:
    with (
        serving(commands, f"--model=half={models}/half", "--grace-seconds=1") as server,
        half_sent(server, "Content-Length: 22\r\n\r\n") as connection,
    ):
        server.command.signal(signal.SIGTERM)
        assert server.command.wait() == 0
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert (response.status, json.loads(response.read())) == (503, {"error": "The server has ended."})
        assert "Traceback" not in server.command.text
