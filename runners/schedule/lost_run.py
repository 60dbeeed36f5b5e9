"""Closes the record of a run that its orchestrator will not end any more."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Literal

from configs.settings import Settings
from runners.metadata_store import metadata_connection
from runners.run_folder import RunFolder
from runners.run_record import run_record
from runners.schedule.lost_runs import LostRun
from runners.schedule.records import mark_ended
from schemas.errors import ScalableTFError


def close_lost_run(
    settings: Settings, run_id: str, end: LostRun, environment: Mapping[str, str], *, again: bool = False
) -> bool:
    """Writes how it ended, by what its nodes have recorded, and tells its webhook; as its task `end` would have done.

    Args:
        settings: of the schedule.
        run_id: the run.
        end: what is known of it.
        environment: where the secrets of the webhook's address are.
        again: whether another process had begun to, and was killed: then its webhook is told, where it was not.

    Returns:
        Whether it was still open, or is closed `again`; else its own end has come meanwhile.

    Raises:
        ScalableTFError: the store, or where the run's files are, cannot be reached.
    """
    with metadata_connection(settings) as metadata:
        record = run_record(metadata, settings.name, run_id)
    if record.state != "running" and not again:
        return False
    from runners.kubeflow.end_task import close_run, run_files
    from runners.kubeflow.orchestrated_run import begun_run
    from runners.kubeflow.run_outcome import RunOutcome, recorded_outcome, tell_outcome

    with run_files(settings, run_id):
        run: RunFolder | None = None
        with contextlib.suppress(
            ScalableTFError, FileNotFoundError
        ):  # cleared away, or an older version has written it
            run = begun_run(settings, run_id)
        state: Literal["failed", "interrupted"] = "interrupted" if end.canceled else "failed"
        outcome = RunOutcome(settings.name, run_id, state, message=end.why)
        if record.state != "running":
            outcome = recorded_outcome(record)
        elif run is None:
            mark_ended(settings, record, end.why, canceled=end.canceled)
        else:
            outcome = close_run(settings, run_id, canceled=end.canceled, why=end.why)
    tell_outcome(settings if run is None else run.settings, outcome, environment)
    return True
