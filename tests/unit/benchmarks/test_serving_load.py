from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest

from benchmarks.serving_load import run

REQUESTS = [b"one", b"two", b"wrong"]
PATH = "/service/Method"


@contextmanager
def _grpc_server() -> Iterator[int]:
    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        if request == b"wrong":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no")
        return b"<" + request + b">"

    handlers = {"Method": grpc.unary_unary_rpc_method_handler(answer)}
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("service", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = b"<" + body + b">"
        self.send_response(400 if body == b"wrong" else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()  # goes before the body, in a packet of its own
        self.wfile.write(answer)

    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def _rest_server() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("protocol", "server"), [("grpc", _grpc_server), ("rest", _rest_server)])
def test_every_request_is_answered_or_failed(protocol: str, server: Any) -> None:
    with server() as port:
        plan = {
            "protocol": protocol,
            "host": "127.0.0.1",
            "port": port,
            "path": PATH,
            "requests": [base64.b64encode(one).decode() for one in REQUESTS],
            "concurrency": 4,
            "connections": 2 if protocol == "grpc" else 4,
            "warm": 0,
            "seconds": 60,
            "count": 300,
        }
        found = asyncio.run(run(plan))
    answers = {(place, base64.b64decode(text)): count for place, text, count in found["answers"]}
    assert answers == {(0, b"<one>"): 100, (1, b"<two>"): 100}
    assert found["requests"] == 200
    assert sum(found["failures"].values()) == 100
    assert 0 < found["p50"] <= found["p99"]
