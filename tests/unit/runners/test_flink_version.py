"""A REST service that says what Flink's says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from runners.flink_version import check_flink_version
from schemas.errors import SetupError


@pytest.fixture
def jars(tmp_path: Path) -> Path:
    (tmp_path / "beam-runners-flink-1.19-2.62.0.jar").touch()
    return tmp_path


@pytest.fixture
def says(request: pytest.FixtureRequest) -> Iterator[str]:
    """HOST:PORT of a service that answers with what the test's parameter says."""
    status, body = request.param

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/v1/config"
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("says", [(200, json.dumps({"flink-version": "1.17.2"}))], indirect=True)
def test_a_cluster_of_another_version_is_refused(says: str, jars: Path) -> None:
    with pytest.raises(SetupError) as caught:
        check_flink_version(says, jars)
    assert caught.value.where == "engine.flink.master"
    assert caught.value.received == f"{says} is Flink 1.17.2; the jars in {jars} are for 1.19"
    assert "make engines FLINK_VERSION=1.17," in caught.value.fix


@pytest.mark.parametrize(
    "says",
    [
        (200, json.dumps({"flink-version": "1.19.3"})),
        (200, json.dumps({"refresh-interval": 3000})),
        (200, "[1]"),
        (200, "<html>Log in</html>"),
        (401, ""),
    ],
    indirect=True,
)
def test_the_same_version_and_what_tells_none_are_let_through(says: str, jars: Path) -> None:
    check_flink_version(says, jars)


@pytest.mark.parametrize("says", [(200, json.dumps({"flink-version": "1.17.2"}))], indirect=True)
def test_jars_of_a_beam_without_a_name_are_let_through(says: str, tmp_path: Path) -> None:
    check_flink_version(says, tmp_path)


def test_a_cluster_that_does_not_answer_is_left_to_the_job_server(jars: Path) -> None:
    check_flink_version("127.0.0.1:1", jars)
