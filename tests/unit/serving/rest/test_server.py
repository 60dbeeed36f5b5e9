"""The HTTP server against clients that are slow, large, many or gone: real sockets, small limits."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from schemas.errors import RunError
from serving.rest.application import RestApplication
from serving.rest.handler import RestHandler
from serving.rest.limits import RestLimits
from serving.rest.server import RestServer
from serving.server.metrics import Metrics
from serving.server.request_error import not_found
from serving.server.run_metrics import RunMetrics
from serving.server.version_state import VersionState

SECONDS = 30.0
PREDICT = "/v1/models/m:predict"


class Model:
    """Doubles x; both the manager and the version of its only model. The real ones do not wait when told to."""

    name, version, batches = "m", 7, False

    def __init__(self) -> None:
        signature = SignatureDef(method_name=tf.saved_model.PREDICT_METHOD_NAME)
        signature.inputs["x"].dtype = signature.outputs["y"].dtype = tf.float32.as_datatype_enum
        self.signatures = {"serving_default": signature}
        self.runs = RunMetrics()
        self.is_ready = True
        self.go_on = threading.Event()
        self.go_on.set()
        self.began = threading.Semaphore(0)
        self.deadlines: list[float | None] = []

    @contextmanager
    def lease(
        self, name: str, version: int | None = None, label: str | None = None, *, predicts: bool = False
    ) -> Iterator[Model]:
        if name != self.name:
            raise not_found(f"Servable not found for request: Latest({name})")
        yield self

    def run(
        self,
        signature: str,
        feeds: Mapping[str, np.ndarray[Any, Any]],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
    ) -> dict[str, np.ndarray[Any, Any]]:
        self.deadlines.append(deadline)
        self.began.release()
        assert self.go_on.wait(SECONDS)
        if (feeds["x"] < 0).any():
            raise RuntimeError("secret of the server's inside")
        return {"y": feeds["x"] * 2}

    def states(self, name: str, version: int | None = None, label: str | None = None) -> list[VersionState]:
        return [VersionState(7, "AVAILABLE"), VersionState(6, "END", "UNKNOWN", "broken")]

    def names(self) -> list[str]:
        return [self.name]

    def canaries(self) -> dict[str, Any]:
        self.began.release()
        assert self.go_on.wait(SECONDS)
        return {}

    def ready(self) -> bool:
        return self.is_ready


class Served:
    """A running server and what asks it."""

    def __init__(self, model: Model, limits: RestLimits, *, cors: bool = False) -> None:
        self.model = model
        self.metrics = Metrics()
        self.server = RestServer(model, self.metrics, limits=limits, cors=cors)  # type: ignore[arg-type]

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=SECONDS)
        try:
            connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()

    @contextmanager
    def socket(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=SECONDS) as connection:
            yield connection


Start = Callable[..., Served]


@pytest.fixture(scope="module")
def ending() -> Iterator[list[threading.Event]]:
    """What is set when servers have ended, which takes each a few ticks of uvicorn: they end beside the next tests."""
    servers: list[threading.Event] = []
    yield servers
    assert all(server.wait(SECONDS) for server in servers)


@pytest.fixture
def start(ending: list[threading.Event]) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(*, cors: bool = False, waits: bool = False, **limits: Any) -> Served:
            served = Served(Model(), RestLimits(**limits), cors=cors)
            if not waits:
                served.server.start()
            stack.callback(lambda: ending.append(served.server.stop(0.0)))
            stack.callback(served.model.go_on.set)
            return served

        yield started


def request(body: bytes, *headers: str) -> bytes:
    lines = [f"POST {PREDICT} HTTP/1.1", "Host: h", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answers(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


def test_a_request_and_its_answer(start: Start) -> None:
    status, body, headers = start().ask("POST", PREDICT, '{"instances": [1.5, 0.1]}', Content_Type="text/plain")
    assert (status, body) == (200, b'{\n    "predictions": [3.0, 0.2]\n}')
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(body))


def test_status_names_what_is_wrong_with_a_version(start: Start) -> None:
    status, body, _ = start().ask("GET", "/v1/models/m")
    assert status == 200
    assert body.startswith(b'{\n "model_version_status": [\n  {\n   "version": "7",\n   "state": "AVAILABLE",\n')
    assert json.loads(body)["model_version_status"][1] == {
        "version": "6",
        "state": "END",
        "status": {"error_code": "UNKNOWN", "error_message": "broken"},
    }


def test_inner_errors_stay_inside(start: Start) -> None:
    status, body, _ = start().ask("POST", PREDICT, '{"instances": [-1.0]}')
    assert (status, json.loads(body)) == (500, {"error": "Internal error."})


def test_pipelined_requests_are_answered_in_their_order(start: Start) -> None:
    with start().socket() as connection:
        connection.sendall(
            request(b'{"instances": [1]}') + request(b"x") + request(b'{"instances": [2]}', "Connection: close")
        )
        found = answers(connection)
    bodies = [part for part in found.split(b"\r\n") if part.startswith(b"{")]
    assert [b"[2.0]" in bodies[0], b"error" in bodies[1], b"[4.0]" in bodies[2]] == [True] * 3


@pytest.mark.parametrize("pieces", [1, 4096], ids=["byte-by-byte", "at-once"])
def test_who_offers_another_protocol_is_answered_in_this_one(start: Start, pieces: int) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    chunked = request(b"", *offer, "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    sent = request(b'{"instances": [1]}', *offer) + chunked + b'10\r\n{"instances":[2]\r\n1\r\n}\r\n0\r\n\r\n'
    sent += f"GET /v1/models/m HTTP/1.1\r\nHost: h\r\nConnection: close, {offer[0][12:]}\r\n{offer[1]}\r\n\r\n".encode()
    with start().socket() as connection:
        for begin in range(0, len(sent), pieces):
            connection.sendall(sent[begin : begin + pieces])
        found = answers(connection)
    assert found.count(b"HTTP/1.1 200 ") == found.count(b"HTTP/1.1 ") == 3
    assert -1 < found.find(b"[2.0]") < found.find(b"[4.0]") < found.find(b"AVAILABLE")


@pytest.mark.parametrize("close", ["close", "Close", "TE, close"])
def test_a_connection_is_closed_as_asked(start: Start, close: str) -> None:
    with start().socket() as connection:
        connection.sendall(request(b'{"instances": [1]}', f"Connection: {close}"))
        assert b"[2.0]" in answers(connection)


def test_headers_that_do_not_end_are_given_up(start: Start) -> None:
    served = start(waits=True, header_seconds=0.1)  # until what comes is there, whose time begins with the connection
    with served.socket() as connection:
        connection.sendall(b"POST /v1/models/m:predict HTTP/1.1\r\nHost: h\r\nX")
        served.server.start()
        assert answers(connection).startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_says_nothing_is_closed(start: Start) -> None:
    with start(header_seconds=0.1).socket() as connection:
        assert answers(connection) == b""


def test_a_body_that_does_not_end_is_given_up(start: Start) -> None:
    served = start(body_seconds=0.1)
    with served.socket() as connection:
        connection.sendall(request(b'{"instances": [1]}')[:-1])
        assert answers(connection).startswith(b"HTTP/1.1 408 ")
    assert served.ask("POST", PREDICT, '{"instances": [1]}')[0] == 200


def test_a_second_request_that_does_not_end_is_given_up(start: Start) -> None:
    served = start(waits=True, header_seconds=0.1)
    with served.socket() as connection:
        connection.sendall(request(b'{"instances": [1]}') + b"POST /v1/")
        served.server.start()
        found = answers(connection)
    assert found.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in found


@pytest.mark.parametrize("path", ["/monitoring/prometheus/metrics", "/monitoring/canary"])
def test_what_is_counted_is_told_while_other_connections_are_answered(start: Start, path: str) -> None:
    served = start()
    served.model.go_on.clear()
    with ThreadPoolExecutor(1) as threads:
        told = threads.submit(served.ask, "GET", path)
        assert served.model.began.acquire(timeout=SECONDS)
        try:
            assert served.ask("GET", "/healthz")[0] == 200
            assert not told.done()
        finally:
            served.model.go_on.set()
        assert told.result()[0] == 200


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /" + b"a" * 300_000,
        b"GET / HTTP/1.1\r\nX: " + b"a" * 300_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 60_000,
    ],
    ids=["url", "value", "headers"],
)
def test_headers_without_end_are_refused(start: Start, endless: bytes) -> None:
    served = start()
    with served.socket() as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(endless)
        found = answers(connection)
    assert not found or found.startswith(b"HTTP/1.1 431 ")
    assert served.ask("GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    "garbage", [b"\x00\xff\x16\x03" * 100, b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"], ids=["bytes", "line", "version"]
)
def test_what_is_no_http_is_refused(start: Start, garbage: bytes) -> None:
    with start().socket() as connection:
        connection.sendall(garbage)
        assert answers(connection).startswith(b"HTTP/1.1 400 ")


def test_a_body_over_the_limit_is_refused(start: Start) -> None:
    served = start(body_bytes=1000)
    status, body, _ = served.ask("POST", PREDICT, b" " * 1001)
    assert (status, json.loads(body)) == (413, {"error": "Request body is larger than 1000 bytes."})
    connection = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=SECONDS)
    connection.request("POST", PREDICT, iter([b" " * 600] * 100), encode_chunked=True)
    assert connection.getresponse().read() == body
    # The rest of that body was read and forgotten: the connection goes on.
    connection.request("POST", PREDICT, '{"instances": [1]}')
    assert connection.getresponse().status == 200
    connection.close()


def test_unpacked_bodies_have_the_same_limit(start: Start) -> None:
    served = start(body_bytes=10_000)
    text = b'{"instances": [1]}'.ljust(10_000)
    assert served.ask("POST", PREDICT, gzip.compress(text), Content_Encoding="gzip")[0] == 200
    assert served.ask("POST", PREDICT, gzip.compress(text + b" "), Content_Encoding="gzip")[0] == 413
    assert served.ask("POST", PREDICT, text, Content_Encoding="gzip")[0] == 400
    # TensorFlow Serving looks for gzip only.
    assert served.ask("POST", PREDICT, text, Content_Encoding="br")[0] == 200


def test_answers_are_packed_when_that_is_wanted(start: Start) -> None:
    served = start()
    text = json.dumps({"instances": [1.0] * 1000})
    _, body, headers = served.ask("POST", PREDICT, text, Accept_Encoding="deflate, gzip;q=0.5")
    assert (headers["Content-Encoding"], headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert json.loads(gzip.decompress(body)) == {"predictions": [2.0] * 1000}
    for other in ("identity", "gzip;q=0", "br"):
        assert served.ask("POST", PREDICT, text, Accept_Encoding=other)[2]["Content-Encoding"] is None


def test_all_bodies_together_have_a_limit(start: Start) -> None:
    served = start(buffered_bytes=1000)
    status, body, _ = served.ask("POST", PREDICT, b" " * 1001)
    assert (status, json.loads(body)) == (503, {"error": "The server is full of requests: try later."})
    # What was refused, answered or cut off is no longer counted.
    for _ in range(3):
        assert served.ask("POST", PREDICT, b'{"instances": [1]}'.ljust(900))[0] == 200


def test_connections_have_a_limit(start: Start) -> None:
    served = start(connections=3)
    with served.socket(), served.socket():
        # Both are known to the server when it has answered a third.
        assert served.ask("GET", "/healthz")[0] == 503
    assert served.ask("GET", "/healthz")[0] in (200, 503)


def test_a_request_whose_time_is_over_at_its_turn_is_not_run() -> None:
    model = Model()
    handler = RestHandler(model, Metrics(), RestLimits(request_seconds=5.0))  # type: ignore[arg-type]
    began = time.monotonic() - 5.0
    answer = handler.answer(handler.call("POST", PREDICT, {}, b'{"instances": [1]}', began))
    assert (answer.status, model.deadlines) == (504, [])
    in_time = handler.call("POST", PREDICT, {}, b'{"instances": [1]}', began + 4.0)
    assert handler.answer(in_time).status == 200
    assert model.deadlines == [began + 9.0]


def test_nothing_is_done_for_who_is_gone() -> None:
    model = Model()
    sent: list[object] = []
    go_on = threading.Event()
    messages = [
        {"type": "http.request", "body": b'{"instances": [1]}', "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: object) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as executor:
        # The only thread is busy, so that the request waits.
        executor.submit(go_on.wait, SECONDS)
        application = RestApplication(model, Metrics(), RestLimits(), executor)  # type: ignore[arg-type]
        scope = {"type": "http", "method": "POST", "raw_path": PREDICT.encode(), "query_string": b"", "headers": []}
        asyncio.run(application(scope, receive, send))
        go_on.set()
    assert (sent, model.deadlines) == ([], [])


def test_health_and_readiness(start: Start) -> None:
    served = start()
    served.model.is_ready = False
    assert served.ask("GET", "/healthz")[:2] == (200, b"ok\n")
    assert served.ask("GET", "/readyz")[:2] == (503, b"not ready\n")
    served.model.is_ready = True
    assert served.ask("GET", "/readyz")[:2] == (200, b"ok\n")
    assert served.ask("HEAD", "/readyz")[:2] == (200, b"")


def test_requests_are_counted_also_for_models_and_paths_that_there_are_not(start: Start) -> None:
    served = start()
    assert served.ask("OPTIONS", PREDICT)[0] == 400
    assert served.ask("OPTIONS", PREDICT, Origin="https://x.org")[:2] == (200, b"")
    served.ask("POST", PREDICT, '{"instances": [1]}')
    served.ask("POST", PREDICT, "x")
    served.ask("POST", "/v1/models/unknown:predict", '{"instances": [1]}')
    text = served.ask("POST", "/monitoring/prometheus/metrics")[1].decode()
    assert ':tensorflow:serving:request_count{model_name="m",status="OK"} 1' in text
    assert ':tensorflow:serving:request_count{model_name="m",status="INVALID_ARGUMENT"} 1' in text
    assert 'model_name="m",API="predict",entrypoint="REST",le="+Inf"} 1' in text
    assert ':tensorflow:serving:request_count{model_name="unknown",status="NOT_FOUND"} 1' in text
    assert ':tensorflow:serving:request_count{model_name="",status="FAILED_PRECONDITION"} 1' in text


@pytest.mark.parametrize("cors", [False, True])
def test_cors(start: Start, cors: bool) -> None:
    served = start(cors=cors)
    for method, body in (("OPTIONS", None), ("POST", '{"instances": [1]}'), ("POST", "x")):
        headers = served.ask(method, PREDICT, body, Origin="https://x.org")[2]
        assert headers["Access-Control-Allow-Origin"] == ("*" if cors else None)
        assert headers["Access-Control-Allow-Methods"] == ("POST, GET" if cors else None)
    assert served.ask("GET", "/healthz")[2]["Access-Control-Allow-Origin"] is None


def test_at_the_end_requests_that_run_are_answered(start: Start) -> None:
    served = start()
    served.model.go_on.clear()
    with served.socket() as connection:
        connection.sendall(request(b'{"instances": [1]}'))
        assert served.model.began.acquire(timeout=SECONDS)
        ended = served.server.stop(SECONDS)
        served.model.go_on.set()
        found = answers(connection)
    assert found.startswith(b"HTTP/1.1 200 ")
    assert b"[2.0]" in found
    assert ended.wait(SECONDS)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", served.server.port))


def test_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(RunError, match="cannot listen there"):
            RestServer(Model(), Metrics(), port=taken.getsockname()[1])  # type: ignore[arg-type]


def test_a_server_that_never_started_ends_at_once() -> None:
    server = RestServer(Model(), Metrics())  # type: ignore[arg-type]
    assert server.stop(1.0).is_set()
