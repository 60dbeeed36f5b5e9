from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from configs.schedule import Hook
from runners.schedule.hooks import Event, call

EVENT = Event(
    "trips", 7, "refused", "run-1", "cron", 2, error="AnomalyGate: mysql://ml:hunter2@db is 1 anomaly\nand more"
)
FACTS = {
    "id": "trips/run-1/refused/2",
    "pipeline": "trips",
    "span": 7,
    "state": "refused",
    "run": "run-1",
    "trigger": "cron",
    "attempt": 2,
    "error": "AnomalyGate: mysql://ml:***@db is 1 anomaly",
    "release": 0,
    "next_try": "",
    "since": "",
}


class Receiver(HTTPServer):
    """Keeps what it is sent; waits before it answers, where it is told to."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, object]]] = []
        self.status = 204
        self.go_on = threading.Event()
        self.go_on.set()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, json.loads(body)))
        self.server.go_on.wait(20)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


def command(script: str, seconds: float = 60.0) -> Hook:
    return Hook(command=(sys.executable, "-c", script), seconds=seconds)


def test_a_command_finds_the_facts_in_its_environment(tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    call(command(f"import json, os; json.dump(dict(os.environ), open({str(file)!r}, 'w'))"), EVENT, {"OWN": "1"})
    found = json.loads(file.read_text())
    assert found["OWN"] == "1"
    assert {name: found[f"STF_{name.upper()}"] for name in FACTS} == {name: str(fact) for name, fact in FACTS.items()}


@pytest.mark.parametrize(
    ("event", "known_by"),
    [
        (Event("trips", 7, "missing"), "trips/span 7/missing/1"),
        (
            Event("trips", None, "held up", since="2026-11-25T06:30:00+00:00"),
            "trips/2026-11-25T06:30:00+00:00/held up/1",
        ),
    ],
)
def test_what_is_no_run_has_an_id_too(event: Event, known_by: str) -> None:
    assert event.id == known_by


def test_a_webhook_gets_the_facts_as_json(receiver: Receiver) -> None:
    hook = Hook.model_validate({"webhook": f"http://127.0.0.1:{receiver.server_port}/services/T0/x?token=abc"})
    call(hook, EVENT, {})
    assert receiver.received == [("/services/T0/x?token=abc", FACTS)]


def test_what_a_hook_does_wrong_is_logged_without_secrets(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.status = 500
    with caplog.at_level(logging.WARNING):
        call(command("print('no mail'); raise SystemExit(3)"), EVENT, {})
        call(Hook(command=("/no/such/program",)), EVENT, {})
        for port in (receiver.server_port, 1):
            call(Hook.model_validate({"webhook": f"http://127.0.0.1:{port}/secret-path"}), EVENT, {})
    assert [record.getMessage() for record in caplog.records] == [
        f"The command {sys.executable} ended with 3: no mail",
        "The command /no/such/program cannot be started: No such file or directory.",
        f"The webhook at 127.0.0.1:{receiver.server_port} was not told, try 1 of 1: it answered 500.",
        "The webhook at 127.0.0.1:1 was not told, try 1 of 1: ConnectionError.",
    ]


def test_a_hook_that_hangs_is_left(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.go_on.clear()
    with caplog.at_level(logging.WARNING):
        call(command("import time; time.sleep(60)", seconds=0.3), EVENT, {})
        hook = Hook.model_validate({"webhook": f"http://127.0.0.1:{receiver.server_port}/x", "seconds": 0.3})
        call(hook, EVENT, {})
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == f"The command {sys.executable} took longer than 0.3 s and was ended."
    assert told[1].startswith(f"The webhook at 127.0.0.1:{receiver.server_port} ")
