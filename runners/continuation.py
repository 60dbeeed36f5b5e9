"""Which earlier run is to be taken up again, and whether it can be."""

from __future__ import annotations

from collections.abc import Sequence

from configs.changed_settings import changed_settings
from configs.settings import Settings
from pipeline.pipeline import root
from runners.compiled import changed_nodes, compile_pipeline, run_id_of, with_run_id
from runners.run_folder import RunFolder, run_folder
from runners.run_record import RunRecord
from schemas.errors import RunError


class NotContinuableError(RunError):
    """A run that cannot be taken up again: what it would have done is for a new one."""


def run_to_continue(settings: Settings, here: Sequence[RunRecord], run_id: str) -> RunRecord:
    """The record of the run that is to be taken up again.

    Args:
        settings: of the pipeline.
        here: the runs in its output_dir, newest first.
        run_id: which; empty: the newest.

    Raises:
        RunError: somebody else is at it.
        NotContinuableError: there is no such run, or it is not one of this runner, or a newer one is complete.
    """
    records = [one for one in here if one.purpose == settings.purpose]
    for place, record in enumerate(records):
        if record.run_id == run_id or not run_id:
            if record.state == "running" and record.orchestrator:
                raise RunError(
                    "The run is not over: somebody else walks its graph.",
                    where=f"run {record.run_id}",
                    received=f"orchestrator: {record.orchestrator}",
                    fix="Wait for it, or terminate it there. One that was deleted there is closed by: scalable-tf "
                    f"kubeflow task end --run-id {record.run_id} --settings "
                    f'"$(cat {run_folder(settings, record.run_id)}/settings.json)"',
                )
            if record.orchestrator and record.state != "complete":
                raise NotContinuableError(
                    "The run is not one of this runner: who walks its graph may still repeat its tasks.",
                    where=f"run {record.run_id}",
                    received=f"orchestrator: {record.orchestrator}",
                    fix="Repeat it there, or start a new run, without --resume: what is unchanged is cached.",
                )
            newer = [one.run_id for one in records[:place] if one.state == "complete"]
            if newer and record.state != "complete" and record.purpose == "training":
                raise NotContinuableError(
                    "A newer run is complete: the baseline of this one is outdated, and its model the older one.",
                    where=f"run {record.run_id}",
                    received=f"newer: {', '.join(newer[:5])}",
                    fix="Start a new run, without --resume: what is unchanged comes from the cache.",
                )
            return record
    known = ", ".join(record.run_id for record in records[:5])
    raise NotContinuableError(
        "There is no such run to resume." if run_id else "There is no run to resume.",
        where=str(root(settings)),
        received=run_id or None,
        fix=f"The newest runs here: {known}." if known else "Start one: leave --resume out.",
    )


def check_unchanged(settings: Settings, run: RunFolder, record: RunRecord, force_bless: str) -> None:
    """Refuses to go on with a run whose nodes would be others now.

    Args:
        settings: as they are now.
        run: its folder.
        record: its record.
        force_bless: as the run was started with.

    Raises:
        RunError: settings, code or libraries have changed.
    """
    run_id = run_id_of(run.pipeline)
    compiled = with_run_id(compile_pipeline(settings, force_bless=force_bless), run_id)
    changed = changed_nodes(run.pipeline, compiled)
    if changed:
        changes = changed_settings(run.settings, settings)
        why = ", ".join(f"{key} from {old} to {new}" for key, (old, new) in changes.items())
        raise RunError(
            "The run cannot be continued: it would mix what was made before and after a change.",
            where=f"run {run_id}",
            received=f"changed: {', '.join(changed)}; by {why or 'code, libraries or --force-bless'}",
            fix="Start a new run, without --resume: what is unchanged comes from the cache. "
            f"The run was started with: {record.command}",
        )
