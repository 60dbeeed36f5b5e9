"""Where a dry run's tasks run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from runners.kubeflow.dry_run.pod import Mount

IMAGE_ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONUNBUFFERED": "1",
    "TF_USE_LEGACY_KERAS": "1",
}
"""What deploy/Dockerfile sets beside PATH, for tasks that run outside of an image."""


class Place(Protocol):
    """In namespaces, in an image, or as ordinary processes."""

    name: str
    mode: int
    """Of the folders that tasks write to."""

    def command(
        self, command: Sequence[str], environment: Mapping[str, str], mounts: Sequence[Mount], folder: str
    ) -> tuple[list[str], dict[str, str]]:
        """The command line, and the whole environment, to run a task's command with.

        Args:
            command: program and arguments.
            environment: the task's variables.
            mounts: its volumes; its /tmp is one of them.
            folder: to begin in.
        """
        ...

    def here(self, path: str, mounts: Sequence[Mount]) -> Path:
        """Where this process finds what a task sees at a path below one of its mounts."""
        ...
