"""A module of ours as a process that writes what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from schemas.errors import RunError

_ROOT = Path(__file__).resolve().parent.parent
_LOG_TAIL = 30


class TimedProcess:
    """A Python module that runs as a process and writes its outcome as JSON.

    Args:
        command: module and arguments.
        result: where the outcome will be.
        processors: processors that it may use; default: all.
        environment: variables to add.
    """

    def __init__(
        self,
        command: list[str],
        result: Path,
        processors: Collection[int] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._result, self._log = result, result.parent.parent / "log"
        pin = None if processors is None else lambda: os.sched_setaffinity(0, processors)
        self._started = time.time()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=_ROOT,
                env={**child_environment(), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=pin,
            )

    def outcome(self) -> dict[str, Any]:
        """Waits for the end.

        Returns:
            The outcome, with `started`, seconds since 1970.

        Raises:
            RunError: it failed; the message holds the end of what it wrote.
        """
        self.wait()
        found: dict[str, Any] = json.loads(self._result.read_text(encoding="utf-8"))
        return {**found, "started": self._started}

    def wait(self) -> None:
        """Waits for the end.

        Raises:
            RunError: as `outcome`.
        """
        code = self._process.wait()
        if code != 0:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
            raise RunError(
                "A training failed; the end of its output:\n" + "\n".join(lines[-_LOG_TAIL:]),
                where=str(self._log),
                received=f"exit code {code}",
            )

    def log(self) -> str:
        """What it wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")


def child_environment() -> dict[str, str]:
    """The environment of processes that import our packages from here."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
