"""A server that speaks KFP's v2beta1 API over HTTP, and fails when it is told to."""

from __future__ import annotations

import contextlib
import email
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.integration.kubeflow_api.api_state import AnswerError, KubeflowApi
from tests.integration.kubeflow_api.request_check import BadRequestError

_CODES = {400: 3, 401: 16, 404: 5, 409: 6}


@contextmanager
def kubeflow_api() -> Iterator[KubeflowApi]:
    """Starts one on a free port."""
    api = KubeflowApi()

    class Handler(_Handler):
        state = api

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: KubeflowApi
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.state.headers = dict(self.headers)
        fault = self.state.take_fault(f"{self.command} {parts.path}")
        if fault is not None:
            time.sleep(fault.delay)
            if fault.cut == "before":
                self._cut(parts.path)
                return
            if fault.status:
                self._send(parts.path, fault.status, fault.body, {"Content-Type": "application/json", **fault.headers})
                return
        status, answer = self._carry_out(parts.path, parts.query, content)
        if fault is not None and fault.cut == "after":
            self._cut(parts.path)
            return
        body = json.dumps(answer).encode()
        headers = {"Content-Type": "application/json"}
        if fault is not None and fault.cut == "within":
            headers["Content-Length"] = str(len(body) + 100)
        self._send(parts.path, status, body, headers)
        if fault is not None and fault.cut == "within":
            self._reset()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _carry_out(self, path: str, query: str, content: bytes) -> tuple[int, Any]:
        try:
            if self.state.token and self.headers.get("Authorization") != f"Bearer {self.state.token}":
                raise AnswerError(401, "Request header error: there is no valid token")
            given = {key: values[-1] for key, values in parse_qs(query).items()}
            upload, body = None, None
            if "multipart/form-data" in self.headers.get("Content-Type", ""):
                upload = self._uploaded(content)
            elif content:
                body = json.loads(content)
            return 200, self.state.handle(self.command, path, given, body, upload)
        except BadRequestError as error:
            return 400, _error(400, str(error))
        except AnswerError as error:
            return error.status, _error(error.status, str(error))

    def _uploaded(self, content: bytes) -> bytes:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        (part,) = email.message_from_bytes(head + content).get_payload()
        name = part.get_param("name", header="Content-Disposition")
        if name != "uploadfile" or not str(part.get_filename()).endswith((".yaml", ".yml", ".zip", ".tar.gz")):
            raise BadRequestError("the upload is no file of YAML named uploadfile")
        return bytes(part.get_payload(decode=True))

    def _send(self, path: str, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.state.requests.append((self.command, path, status))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who has waited long enough
            self.wfile.write(body)

    def _cut(self, path: str) -> None:
        """With a reset, as a proxy does that gives up."""
        self.state.requests.append((self.command, path, 0))
        self._reset()

    def _reset(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


def _error(status: int, message: str) -> dict[str, Any]:
    return {"error": message, "code": _CODES[status], "message": message, "details": []}
