"""What Google Cloud Storage is asked for: to compare generations."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from runners.kubeflow.root.gs_objects import GsObjects
from runners.kubeflow.root.object_store import Stat


def test_an_object_that_was_written_anew_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Changed(BaseHTTPRequestHandler):
        """Answers that the object has another generation by now."""

        def do_DELETE(self) -> None:
            asked.append(self.path)
            self.send_response(412)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Changed) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        try:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_address[1]}")
            GsObjects("gs://pipelines/taxi").delete_same({"rows": Stat(1, "7")})
        finally:
            server.shutdown()
    (path,) = asked
    assert path.startswith("/storage/v1/b/pipelines/o/taxi%2Frows?")
    assert "ifGenerationMatch=7" in path.partition("?")[2].split("&")
