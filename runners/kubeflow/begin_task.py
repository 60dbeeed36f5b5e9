"""The first task of a run on Kubeflow: compiles the pipeline for it, and opens its record."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from configs.kubeflow import BEGIN
from configs.secret import check_secrets
from configs.settings import Settings
from pipeline.pipeline import root
from pipeline.span_window import has_spans
from runners.books import Books
from runners.compiled import changed_nodes, compile_pipeline, with_run_id
from runners.interrupt import interruptible
from runners.job import Job
from runners.kubeflow.compiled_in import check_compiled, graph
from runners.kubeflow.orchestrated_run import ORCHESTRATOR, check_run_id, holder, shared_root
from runners.kubeflow.planned_training import planned_training
from runners.kubeflow.root.run_files import RunFiles
from runners.local import check_artifacts
from runners.output_lock import output_lock
from runners.run_folder import JOB_FILE, RunFolder, run_folder
from runners.store_lock import store_lock
from schemas.artifact_contents import kept_elsewhere
from schemas.errors import RunError


def begin_run(settings: Settings, run_id: str, environment: Mapping[str, str], compiled: str = "") -> RunFolder:
    """Makes the run's folder and record; once more it finds them, so that Kubeflow may repeat the task.

    Local runs in the same output_dir, and beginnings of others, are kept out meanwhile, not for the whole run: nothing
    lives that long. Those that begin later leave this run's record alone.

    Where the data come in spans and no span is named, the run is for the one that the plan of the schedule asks for.

    Args:
        settings: of the run.
        run_id: Kubeflow's.
        environment: where secrets are.
        compiled: what the pipeline was compiled with, as `compiled_text` gives it; empty: it is not looked at.

    Raises:
        SettingsError: the settings cannot be used here, or are for other tasks than those that were compiled.
        RunError: a local run holds output_dir or the store, the run was begun with other settings, or nothing is to be
            trained on.
    """
    check_run_id(run_id)
    check_compiled(settings, None, compiled)
    check_secrets(settings, environment, leave_out=("schedule", "inference"))
    with contextlib.ExitStack() as held:
        held.enter_context(interruptible())
        held.enter_context(output_lock(root(settings), holder(BEGIN), shared=True))
        check_artifacts(settings)
        held.enter_context(store_lock(settings, holder(BEGIN)))
        shared = shared_root(settings)
        files = None if shared is None else RunFiles(shared, run_id)
        if shared is not None and files is not None:
            held.enter_context(kept_elsewhere(shared.is_altered))
            files.bring([JOB_FILE])
        job: Job | None = None
        if has_spans(settings.data) and settings.data.span is None:
            settings, job = _with_span(settings, run_id, environment)
        run = _folder(settings, run_id, compiled, job)
        if files is not None:
            files.take()  # before the record, which says that the run is there
        Books(settings, f"Kubeflow run {run_id}", job, ORCHESTRATOR).begin(run)
    return run


def _with_span(settings: Settings, run_id: str, environment: Mapping[str, str]) -> tuple[Settings, Job | None]:
    """The settings with the span that the run is for, and what the plan says of it.

    Its folder keeps both: where this process is killed before the record is written, the next one writes the same.
    """
    path = run_folder(settings, run_id)
    if path.is_dir():
        run = RunFolder.load(path)
        span, job = run.settings.data.span, run.job()
    else:
        job = planned_training(settings, environment)
        span = job.span
    return settings.model_copy(update={"data": settings.data.model_copy(update={"span": span})}), job


def _folder(settings: Settings, run_id: str, compiled: str, job: Job | None) -> RunFolder:
    run = RunFolder(run_folder(settings, run_id), with_run_id(compile_pipeline(settings), run_id), settings)
    check_compiled(settings, graph(run.pipeline), compiled)
    if not run.path.exists():
        run.save(job)
        return run
    before = RunFolder.load(run.path)
    changed = changed_nodes(before.pipeline, run.pipeline)
    if changed:
        raise RunError(
            "The run was begun before, with other settings or another image.",
            where=str(run.path),
            received=f"changed: {', '.join(changed)}",
            fix="Start a new run.",
        )
    return before
