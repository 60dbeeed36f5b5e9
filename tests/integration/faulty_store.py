"""A proxy in front of a server of S3 that refuses requests, or hangs up in the midst of them or before it answers."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Fault = Literal["SlowDown", "ExpiredToken", "cut", "unanswered"]
"""`unanswered`: the server has done it, and nobody is told."""
_STATUS = {"SlowDown": 503, "ExpiredToken": 400}


@dataclass
class FaultyStore:
    """The proxy.

    Attributes:
        url: of it.
        fault: takes the method and the path of a request; what happens to it, or None.
        requests: methods of those that had a fault.
    """

    url: str
    fault: Callable[[str, str], Fault | None] = lambda method, path: None
    requests: list[str] = field(default_factory=list)

    def first(self, count: int, fault: Fault, method: str) -> None:
        """The first requests of a method have a fault."""
        self.requests.clear()
        self.fault = lambda one, path: fault if one == method and len(self.requests) < count else None


@contextlib.contextmanager
def faulty_store(url: str) -> Iterator[FaultyStore]:
    """A running proxy.

    Args:
        url: of the server.
    """
    target = url.removeprefix("http://")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            fault = store.fault(self.command, self.path)
            if fault is not None:
                store.requests.append(self.command)
            if fault == "cut" and self.command != "GET":
                self.rfile.read(length // 2)
                self.close_connection = True
                return
            body = self.rfile.read(length)
            if fault in _STATUS:
                text = f"<?xml version='1.0'?><Error><Code>{fault}</Code><Message>{fault}</Message></Error>".encode()
                self._answer(_STATUS[fault], {"Content-Type": "application/xml"}, text, len(text))
                return
            connection = http.client.HTTPConnection(target)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if fault == "unanswered":
                self.close_connection = True
                return
            sent = content[: len(content) // 2] if fault == "cut" else content
            size = int(answer.headers.get("Content-Length", len(content)))
            self._answer(answer.status, dict(answer.headers), sent, size)
            self.close_connection = self.close_connection or fault == "cut"

        def _answer(self, status: int, headers: dict[str, str], content: bytes, length: int) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        store = FaultyStore(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield store
        finally:
            server.shutdown()
            thread.join()
