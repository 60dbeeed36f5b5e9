"""Commands whose tests are ended while they wait for them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from tests.integration.command_server import CommandServer, is_gone, wait_until_gone


class EndedError(Exception):
    pass


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[CommandServer]:
    server = CommandServer(tmp_path, [])
    yield server
    server.close()


def test_a_wait_that_is_ended_leaves_others_what_is_theirs(commands: CommandServer, tmp_path: Path) -> None:
    """As pytest-timeout ends it: a signal raises an exception."""

    def end(number: int, frame: FrameType | None) -> None:
        raise EndedError

    hung = commands.start(["metadata", "serve", "--url", f"sqlite:///{tmp_path}/metadata.sqlite", "--port", "0"])

    def wait() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        hung.wait()

    before = signal.signal(signal.SIGALRM, end)
    try:
        with pytest.raises(EndedError):
            wait()
    finally:
        signal.signal(signal.SIGALRM, before)
    other = commands.run(["--help"])
    assert other.wait() == 0
    assert "usage: " in other.text
    assert not is_gone(hung.pid), hung.text
    commands.close()
    assert wait_until_gone([hung.pid]) == []
