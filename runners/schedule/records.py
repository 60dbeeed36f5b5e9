"""The runs of a pipeline in this output_dir, as a schedule sees them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from ml_metadata.proto import metadata_store_pb2

from configs.settings import Settings
from pipeline.pipeline import root
from runners.finished_nodes import close_executions
from runners.history.liveness import State, states
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.store_backend import store_backend
from runners.metadata_store import metadata_connection
from runners.run_record import RunRecord, run_records
from runners.schedule.lost_runs import lost_runs


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
    lost: dict[str, str] = field(default_factory=dict)

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
        now = datetime.now(timezone.utc)
        lost = lost_runs(runs, settings.schedule.run_seconds, now, _asking(settings))
        known: dict[str, State] = {**states(runs), **dict.fromkeys(lost, "died")}
        return cls(tuple(replace(run, message=lost.get(run.run_id, run.message)) for run in runs), known, lost)

    def newest(self, span: int) -> RunRecord | None:
        """The newest training run of a span."""
        return next((run for run in self.runs if run.span == span and run.purpose == "training"), None)


def _asking(settings: Settings) -> Callable[[str], str] | None:
    host = settings.kubeflow.host
    if host is None:
        return None
    from runners.kubeflow.service.state_of_run import state_of_run  # with its client of the API

    return lambda run_id: state_of_run(host, run_id, os.environ)


def mark_failed(settings: Settings, run: RunRecord, message: str) -> None:
    """Writes of a run that did not come to its end, and could not say so itself, that it failed.

    Raises:
        RunError: the store cannot be reached.
    """
    with metadata_connection(settings) as metadata:
        close_executions(metadata, run.run_id, metadata_store_pb2.Execution.FAILED)
        run.end(metadata, "failed", message, error="RunError")
