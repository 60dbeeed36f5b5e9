"""How a task of a dry run went."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

SUCCEEDED, FAILED, SKIPPED = "succeeded", "failed", "skipped"


@dataclass(frozen=True)
class TaskResult:
    """How a task went.

    Attributes:
        path: names of the DAGs that the task is in, but for the root's, and of the task, with slashes.
        command: as it ran, placeholders replaced; empty when it did not.
        state: succeeded, failed or skipped.
        exit_code: of the last attempt; None when there was none.
        seconds: of all attempts.
        attempts: how many.
        logs: folder of the last attempt's stdout.log and stderr.log.
        reason: why it failed or did not run, where its process does not say.
    """

    path: str
    command: tuple[str, ...] = ()
    state: str = SKIPPED
    exit_code: int | None = None
    seconds: float = 0.0
    attempts: int = 0
    logs: Path | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """Of the task."""
        return self.path.rpartition("/")[2]

    @property
    def command_line(self) -> str:
        """For a shell."""
        return shlex.join(self.command)
