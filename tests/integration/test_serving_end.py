"""The end of `scalable-tf serve`: what it says to those who wait."""

from __future__ import annotations

import contextlib
import http.client
import signal
from pathlib import Path

from tests.integration.command_server import CommandServer
from tests.integration.serve_command import SECONDS, port, serve
from tests.tiny_models import half_plus_two_but


def test_a_request_that_does_not_end_is_answered_503_when_the_time_is_over(
    commands: CommandServer, tmp_path: Path
) -> None:
    half_plus_two_but(tmp_path / "slow/1", sleep_micros=20_000_000)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve(commands, f"--model=slow={tmp_path / 'slow'}", "--grace-seconds=1"))
        rest = port(server, "REST")
        waiting = http.client.HTTPConnection("127.0.0.1", rest, timeout=SECONDS)
        stack.callback(waiting.close)
        waiting.request("POST", "/v1/models/slow:predict", b'{"instances": [[1.0]]}')
        # Who connects later is answered later: the request is there.
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", rest, timeout=SECONDS)) as other:
            other.request("GET", "/healthz")
            assert other.getresponse().status == 200
        server.signal(signal.SIGTERM)
        answer = waiting.getresponse()
        assert (answer.status, answer.read()) == (503, b'{\n    "error": "The server has ended."\n}')
        assert server.wait() == 0
        assert "Traceback" not in server.text
