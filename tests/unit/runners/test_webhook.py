from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from runners.webhook import tell


@contextmanager
def server(*answers: int, hang: threading.Event | None = None) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that gives these answers in turn, and the bodies that it got."""
    got: list[dict[str, Any]] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if hang is not None:
                hang.wait(30)
            self.send_response(left.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/services/s3cret", got
    finally:
        if hang is not None:
            hang.set()
        running.shutdown()
        running.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between tries."""
    monkeypatch.setattr("runners.webhook._PAUSE", 0.01)


def test_the_outcome_is_posted_as_json() -> None:
    with server(200) as (address, got):
        assert tell(address, {"run_id": "1", "release": 3})
    assert got == [{"run_id": "1", "release": 3}]


def test_passwords_of_addresses_do_not_go_out() -> None:
    with server(200) as (address, got):
        tell(address, {"message": "cannot reach mysql://ml:hunter2@db/ml"})
    assert got == [{"message": "cannot reach mysql://ml:***@db/ml"}]


def test_a_refusal_is_tried_again_and_logged_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    with server(500, 503, 204) as (address, got), caplog.at_level(logging.WARNING):
        assert tell(address, {"run_id": "1"})
    assert len(got) == 3
    assert "it answered 500" in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/s3cret", "https://[/s3cret", "nothing"])
def test_an_address_where_nobody_is(address: str, caplog: pytest.LogCaptureFixture) -> None:
    assert not tell(address, {"run_id": "1"}, seconds=5.0)
    assert "was not told" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_server_that_does_not_answer_is_left_in_time(caplog: pytest.LogCaptureFixture) -> None:
    with server(200, hang=threading.Event()) as (address, _):  # 200 after 30 seconds, to who is still there
        assert not tell(address, {"run_id": "1"}, seconds=0.3)
    assert "s3cret" not in caplog.text


def test_what_was_sent_is_not_sent_again_where_the_answer_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    got: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def take_and_hang_up() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection:
                    got.append(connection.recv(1 << 16))

    thread = threading.Thread(target=take_and_hang_up, daemon=True)
    thread.start()
    assert not tell(f"http://127.0.0.1:{listening.getsockname()[1]}/s3cret", {"run_id": "1"})
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()
    assert len(got) == 1
    assert "did not answer" in caplog.text
    assert "s3cret" not in caplog.text
