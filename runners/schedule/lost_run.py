"""Closes the record of a run that its orchestrator will not end any more."""

from __future__ import annotations

from collections.abc import Mapping

from configs.settings import Settings
from runners.metadata_store import metadata_connection
from runners.run_folder import run_folder
from runners.run_record import run_record
from runners.schedule.records import mark_failed


def close_lost_run(settings: Settings, run_id: str, why: str, environment: Mapping[str, str]) -> bool:
    """Writes how it ended, by what its nodes have recorded, and tells its webhook; as its task `end` would have done.

    Args:
        settings: of the schedule.
        run_id: the run.
        why: what is known of its end.
        environment: where the secrets of the webhook's address are.

    Returns:
        Whether it was still open; else its own end has come meanwhile.

    Raises:
        ScalableTFError: the store cannot be reached, or what is in the run's folder not be read.
    """
    with metadata_connection(settings) as metadata:
        record = run_record(metadata, settings.name, run_id)
    if record.state != "running":
        return False
    if not run_folder(settings, run_id).is_dir():  # it was cleared away
        mark_failed(settings, record, why)
        return True
    from runners.kubeflow.end_task import close_run
    from runners.kubeflow.orchestrated_run import begun_run
    from runners.kubeflow.run_outcome import tell_outcome

    outcome = close_run(settings, run_id, canceled=False, why=why)
    tell_outcome(begun_run(settings, run_id).settings, outcome, environment)
    return True
