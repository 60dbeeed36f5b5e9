"""An API server that does not answer at first, over HTTP."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from distribution.kubernetes.api_server import ApiServer
from distribution.kubernetes.cluster_api import ClusterApi


@contextlib.contextmanager
def api_that_is_away(requests: int) -> Iterator[tuple[ClusterApi, list[str]]]:
    """A cluster, and the names of what has been removed from it.

    Args:
        requests: how many it answers with 503 before all others succeed.
    """
    from kubernetes.client import Configuration

    asked: list[str] = []
    removed: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_DELETE(self) -> None:  # the name is the base class's
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            if len(asked) > requests:
                removed.append(self.path.rpartition("/")[2])
            self.send_response(200 if len(asked) > requests else 503)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        configuration = Configuration()
        configuration.host = f"http://127.0.0.1:{server.server_port}"
        api = ClusterApi(ApiServer(configuration), "ml", inside=False)
        try:
            yield api, removed
        finally:
            api.close()
            server.shutdown()
            thread.join()
