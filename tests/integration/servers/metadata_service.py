"""`scalable-tf metadata serve` in a process of its own."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.integration.servers.account import Account
from tests.integration.servers.port import free_port
from tests.integration.servers.process import Process
from tests.integration.servers.started import started

_COMMAND = """
import sys
from runners import cli
from runners.commands import metadata
cli.COMMANDS = tuple(dict.fromkeys((*cli.COMMANDS, metadata)))
sys.exit(cli.main())
"""


class Service:
    """`scalable-tf metadata serve` over an SQLite file."""

    def __init__(self, folder: Path) -> None:
        self._process = Process(folder, Account())
        self._folder = folder
        self.port = free_port()

    def start(self, *options: str | Path) -> None:
        """Each time on the same port, which was free."""
        url = f"sqlite:///{self._folder}/metadata.sqlite"
        command = [
            sys.executable,
            "-c",
            _COMMAND,
            "metadata",
            "serve",
            "--url",
            url,
            "--port",
            str(self.port),
            *options,
        ]
        self.port = int(self._process.first_line(command).rpartition(":")[2])

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """The exit code."""
        return self._process.stop(sign)

    @property
    def url(self) -> str:
        """For metadata.url."""
        return f"grpc://127.0.0.1:{self.port}"


@contextlib.contextmanager
def service() -> Iterator[Service]:
    """ML Metadata's gRPC service."""
    with tempfile.TemporaryDirectory(prefix="stf-") as name, started(Service(Path(name))) as server:
        yield server
