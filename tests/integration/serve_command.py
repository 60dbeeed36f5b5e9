"""`scalable-tf serve` in a process of its own."""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.command_server import Command, CommandServer

SECONDS = 120.0
"""Of a machine that does other things, too: nothing waits so long where all is well."""


@contextmanager
def serve(commands: CommandServer, *options: str, **environment: str) -> Iterator[Command]:
    """A server on free ports, which is ended if the test has not."""
    common = ["serve", "--grpc-port=0", "--rest-port=0", "--poll-seconds=0.05"]
    command = commands.start([*common, *options], **environment)
    try:
        yield command
    except BaseException:
        sys.stderr.write(command.text)  # pytest shows it
        raise
    finally:
        if command._status is None:
            command.signal(signal.SIGKILL)
            command.wait()


def port(command: Command, name: str) -> int:
    """That of gRPC or REST, once the server tells it: then it answers."""
    deadline = time.monotonic() + SECONDS
    while not (lines := [line for line in _lines(command) if line.startswith(f"{name}: ")]):
        assert time.monotonic() < deadline, command.text
        time.sleep(0.01)
    return int(lines[0].rpartition(":")[2])


def refuses(port: int) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


def _lines(command: Command) -> list[str]:
    return command.stdout.read_text().splitlines() if command.stdout.exists() else []
