"""A server's process and what it wrote."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.integration.command_server import ROOT
from tests.integration.servers.account import Account


class Process:
    """One that is started and ended, by who may run it."""

    def __init__(self, folder: Path, account: Account) -> None:
        self.folder, self._account = folder, account
        self._process: subprocess.Popen[Any] | None = None

    def run(self, command: Sequence[str | Path]) -> None:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **self._options)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, command: Sequence[str | Path]) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._options)

    @property
    def _options(self) -> dict[str, Any]:
        # The account may not write to the temporary folder of the tests.
        environment = {**os.environ, "TMPDIR": str(self.folder)}
        return {"cwd": self.folder, "env": environment, **self._account.options}

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def first_line(self, command: Sequence[str | Path]) -> str:
        """Starts, and gives what the process says first."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT
            )
        line: str = self._process.stdout.readline()
        assert line, self.log()
        return line.strip()

    def stop(self, sign: int) -> int:
        """Its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(sign)
        code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        return code

    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")[-2000:]
