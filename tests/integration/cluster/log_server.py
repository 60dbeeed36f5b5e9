"""The part of a kubelet's HTTPS server that gives the API server the logs of containers."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

Log = tuple[Path, Callable[[], bool]]
"""A file, and whether it is still written to."""


def serve_logs(address: str, certificate: Path, key: Path, find: Callable[[str, str], Log | None]) -> int:
    """Serves until the process ends; gives the port.

    Args:
        address: to listen on.
        certificate: PEM.
        key: PEM.
        find: the log of a namespace and pod.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            _, _, namespace, pod, _ = parts.path.split("/")
            query = parse_qs(parts.query)
            log = find(namespace, pod)
            if log is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                self._send(log, query.get("follow") == ["true"], int(query.get("tailLines", ["0"])[0]))
            except OSError:  # the reader has gone
                self.close_connection = True

        def _send(self, log: Log, follow: bool, tail: int) -> None:
            path, writing = log
            with path.open("rb") as file:
                if tail:
                    self._chunk(b"".join(file.readlines()[-tail:]))
                while True:
                    ended = not writing()
                    text = file.read()
                    if text:
                        self._chunk(text)
                    elif ended or not follow:
                        break
                    else:
                        time.sleep(0.05)
            self.wfile.write(b"0\r\n\r\n")

        def _chunk(self, text: bytes) -> None:
            if text:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
                self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((address, 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])
