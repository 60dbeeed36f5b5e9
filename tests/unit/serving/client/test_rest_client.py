"""The REST client against a server of the standard library: what is sent again, and what is said of silence."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from schemas.errors import ServingError
from serving.client.rest_client import AsyncRestClient, RestClient

METADATA = {
    "metadata": {
        "signature_def": {
            "signature_def": {
                "predict": {
                    "inputs": {"x": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}]}}},
                    "outputs": {"y": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}]}}},
                }
            }
        }
    }
}


class Server(ThreadingHTTPServer):
    """Doubles what it gets, after as many refusals as it is told to give."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.busy, self.paths = 0, list[str]()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200, METADATA)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.busy:
            self.server.busy -= 1
            self._answer(503, {"error": "the queue is full"})
        else:
            self._answer(200, {"outputs": [2 * x for x in asked["inputs"]["x"]]})

    def _answer(self, code: int, content: object) -> None:
        self.server.paths.append(self.path)
        text = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def test_predicts_and_asks_for_metadata_once(server: Server) -> None:
    with RestClient(server.url, "taxi", label="stable") as client:
        assert client.predict({"x": [1, 2.5]}).outputs["y"].tolist() == [2.0, 5.0]
        client.predict({"x": [1]})
    place = "/v1/models/taxi/labels/stable"
    assert server.paths == [f"{place}/metadata", f"{place}:predict", f"{place}:predict"]


def test_the_address_may_name_the_model(server: Server) -> None:
    with RestClient(f"{server.url}/v1/models/taxi/versions/3:predict") as client:
        client.predict({"x": [1]})
    assert server.paths[-1] == "/v1/models/taxi/versions/3:predict"


def test_a_busy_server_is_asked_again(server: Server) -> None:
    server.busy = 2
    with RestClient(server.url, "taxi", retries=2) as client:
        assert client.predict({"x": [1]}).outputs["y"].tolist() == [2.0]


def test_a_server_that_stays_busy_is_told(server: Server) -> None:
    server.busy = 3
    with RestClient(server.url, "taxi", retries=2) as client, pytest.raises(ServingError, match="refused") as caught:
        client.predict({"x": [1]})
    assert caught.value.received == "503: the queue is full"
    assert server.busy == 0


def test_a_proxy_is_not_asked_for_this_machine(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as gone:
        monkeypatch.setenv("http_proxy", gone.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with RestClient(server.url, "taxi") as client:
        assert client.predict({"x": [1]}).outputs["y"].tolist() == [2.0]


def test_no_server() -> None:
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with (
            RestClient(url, "taxi", retries=1) as client,
            pytest.raises(ServingError, match="does not answer") as caught,
        ):
            client.status()
    assert url in caught.value.where


def test_async(server: Server) -> None:
    server.busy = 1

    async def ask() -> list[list[float]]:
        async with AsyncRestClient(server.url, "taxi") as client:
            found = await asyncio.gather(*(client.predict({"x": [float(n)]}) for n in range(5)))
        return [one.outputs["y"].tolist() for one in found]

    assert asyncio.run(ask()) == [[0.0], [2.0], [4.0], [6.0], [8.0]]


@pytest.mark.parametrize(
    ("url", "model", "text"),
    [
        ("ftp://host", "taxi", "no address of a model server"),
        ("http://user:word@host", "taxi", "no address of a model server"),
        ("http://host/v1/models/taxi/version/3", "", "no address of a model"),
        ("http://host/v1/models/taxi", "fare", "names another model"),
        ("http://host", "", "by its name"),
    ],
)
def test_addresses_that_are_none(url: str, model: str, text: str) -> None:
    with pytest.raises(ServingError, match=text):
        RestClient(url, model)


def test_the_address_and_the_options_name_one_version() -> None:
    """The options went before, unseen."""
    with pytest.raises(ServingError, match="another version or label") as caught:
        RestClient("http://host/v1/models/taxi/versions/1", label="stable")
    assert caught.value.received == "stable"
    with pytest.raises(ServingError, match="another version or label"):
        RestClient("http://host/v1/models/taxi/versions/1", version=2)
    with RestClient("http://host/v1/models/taxi/versions/1", version=1) as client:
        assert client.target.version == 1
    with RestClient("http://host/v1/models/taxi", label="stable") as client:
        assert client.target.label == "stable"
