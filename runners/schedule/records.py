"""The runs of a pipeline in this output_dir, as a schedule sees them."""

from __future__ import annotations

import functools
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from ml_metadata.proto import metadata_store_pb2

from configs.fingerprint import settings_fingerprint
from configs.kubeflow import DRY_RUN_VARIABLE
from configs.settings import Settings
from pipeline.pipeline import root
from runners.data_rules import data_rules
from runners.finished_nodes import close_executions
from runners.history.liveness import State, states
from runners.job import Job
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.store_backend import store_backend
from runners.metadata_store import metadata_connection
from runners.run_record import RunRecord, now, run_records
from runners.schedule.lost_runs import LostRun, lost_runs

_NOT_ASKED = "NOT_ASKED"
"""Of runs on a Kubeflow that a dry run does not ask: that they are over nobody has said, however long they take."""


@dataclass(frozen=True)
class Records:
    """The runs of a pipeline in an output_dir.

    Attributes:
        runs: all of them, newest first.
        states: of each, by its id.
        lost: why those on an orchestrator that have not ended never will, by their ids; they count as died.
    """

    runs: tuple[RunRecord, ...]
    states: dict[str, State]
    lost: dict[str, LostRun] = field(default_factory=dict)

    @classmethod
    def read(cls, settings: Settings) -> Records:
        """Reads them, in two calls to the store.

        Raises:
            SettingsError: the password, or a file that the URL names, cannot be read.
            RunError: the store cannot be reached.
        """
        backend = store_backend(settings)
        if isinstance(backend, SqliteBackend) and not backend.path.is_file():
            return cls((), {})
        with metadata_connection(settings) as metadata:
            found = run_records(metadata, settings.name)
        real = functools.cache(os.path.realpath)
        runs = tuple(record for record in found if real(record.output_dir) == real(root(settings)))
        moment = datetime.now(timezone.utc)
        lost = lost_runs(runs, settings.schedule.run_seconds, moment, _asking(settings))
        known: dict[str, State] = {**states(runs), **dict.fromkeys(lost, "died")}
        told = tuple(replace(run, message=lost[run.run_id].why) if run.run_id in lost else run for run in runs)
        return cls(told, known, lost)

    def newest(self, span: int) -> RunRecord | None:
        """The newest training run of a span."""
        return next((run for run in self.runs if run.span == span and run.purpose == "training"), None)

    def of(self, job: Job) -> RunRecord | None:
        """The run that carries out an order; None: it has not begun."""
        return next((run for run in self.runs if run.order == job.order), None)


def _asking(settings: Settings) -> Callable[[str], str] | None:
    host = settings.kubeflow.host
    if host is None:
        return None
    if DRY_RUN_VARIABLE in os.environ:
        return lambda _: _NOT_ASKED
    from runners.kubeflow.service.state_of_run import state_of_run  # with its client of the API

    return lambda run_id: state_of_run(host, run_id, os.environ)


def mark_ended(settings: Settings, run: RunRecord, message: str, *, canceled: bool = False) -> None:
    """Writes of a run that did not come to its end, and could not say so itself, that it failed, or was interrupted.

    Args:
        settings: of the pipeline.
        run: which one.
        message: what is known of its end.
        canceled: whether somebody has terminated it.

    Raises:
        RunError: the store cannot be reached.
    """
    states = metadata_store_pb2.Execution
    with metadata_connection(settings) as metadata:
        close_executions(metadata, run.run_id, states.CANCELED if canceled else states.FAILED)
        if canceled:
            run.end(metadata, "interrupted", message)
        else:
            run.end(metadata, "failed", message, error="RunError")


def record_not_begun(settings: Settings, job: Job, command: str, message: str) -> None:
    """Writes of a job whose process has ended without a record of its own that it failed: one more attempt.

    It is a run that no node ran in. What it was to go on with stays as it is.

    Args:
        settings: with the span.
        job: the order.
        command: how a user would start the same.
        message: what ended the process.

    Raises:
        RunError: the store cannot be reached.
    """
    record = RunRecord(
        run_id=f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(3)}",
        pipeline=settings.name,
        state="failed",
        started=now(),
        host=os.uname().nodename,
        command=command,
        output_dir=str(root(settings)),
        settings=settings_fingerprint(settings),
        purpose=settings.purpose,
        span=job.span,
        last=job.last,
        trigger=job.trigger,
        tick=job.tick,
        attempt=job.attempt,
        rules=data_rules(settings),
        order=job.order,
    )
    with metadata_connection(settings) as metadata:
        record.end(metadata, "failed", message, error="RunError")
