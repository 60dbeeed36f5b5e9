"""Programs of an engine as processes of a test."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runners.java import jars, java

_SECONDS = 90.0


class JavaProcesses:
    """Programs from the jars of an engine; they end with the block.

    Args:
        engine: flink or spark.
        folder: for their logs and temporary files.
        before: what comes before each command line.
    """

    def __init__(self, engine: str, folder: Path, before: Sequence[str] = ()) -> None:
        self.folder = folder
        self._before = before
        self.jars = jars(engine, None, os.environ)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> JavaProcesses:
        return self

    def __exit__(self, *_: Any) -> None:
        for process in self._processes.values():
            os.killpg(process.pid, 9)  # with what it has started
        for process in self._processes.values():
            process.wait()

    def start(self, name: str, options: Sequence[str], program: Sequence[str], **environment: str) -> None:
        """Starts a class with its arguments under a name of its own."""
        command = [
            *self._before,
            java(os.environ),
            *options,
            f"-Djava.io.tmpdir={self.folder}",
            "-cp",
            f"{self.jars}/*",
            *program,
        ]
        with (self.folder / f"{name}.log").open("wb") as log:
            self._processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        """What it has written."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def said(self, name: str, pattern: str) -> str:
        """Waits until it says something, and gives the pattern's group."""
        deadline = time.monotonic() + _SECONDS
        while not (found := re.search(pattern, self.log(name))):
            assert self._processes[name].poll() is None, self.log(name)[-2000:]
            assert time.monotonic() < deadline, self.log(name)[-2000:]
            time.sleep(0.1)
        return found[1]
