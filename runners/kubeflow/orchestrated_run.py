"""A run that Kubeflow orchestrates: its id, its name as an orchestrator, and its folder."""

from __future__ import annotations

import re
import socket

from configs.settings import Settings
from pipeline.pipeline import root
from runners.kubeflow.root.shared_root import SharedRoot
from runners.run_folder import RunFolder, run_folder
from schemas.errors import RunError

ORCHESTRATOR = "kubeflow"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


class NotBegunError(RunError):
    """The task begin has not made the run."""


def check_run_id(run_id: str) -> None:
    """Refuses what Kubeflow did not fill in, and what would lead out of the folder of the logs.

    Raises:
        RunError: it is no id of a run.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise RunError(
            "This is not the id of a run.",
            where="--run-id",
            received=run_id,
            fix="Kubeflow Pipelines fills it in, since release 2.14; letters, digits, hyphens, dots and underscores.",
        )


def begun_run(settings: Settings, run_id: str) -> RunFolder:
    """The folder that the task begin has made.

    Raises:
        NotBegunError: it is not there.
    """
    check_run_id(run_id)
    path = run_folder(settings, run_id)
    if not path.is_dir():
        raise NotBegunError(
            "The run was not begun, or its folder is not on this machine.",
            where=str(path),
            fix="The task begin makes it; output_dir must be on a volume that every task mounts, kubeflow.volumes, or "
            "its files at an address that every task reaches, kubeflow.root.",
        )
    return RunFolder.load(path)


def shared_root(settings: Settings) -> SharedRoot | None:
    """Where the files below output_dir are kept; None where that is a folder that all tasks share."""
    url = settings.kubeflow.root
    return None if url is None else SharedRoot(root(settings), url)


def holder(task: str) -> str:
    """Who holds a lock, for the message of the next one."""
    return f"the task {task} of a run on Kubeflow, in {socket.gethostname()}"
