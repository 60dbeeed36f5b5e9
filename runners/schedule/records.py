"""The runs of a pipeline in this output_dir, as a schedule sees them."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from ml_metadata.proto import metadata_store_pb2

from configs.settings import Settings
from pipeline.pipeline import root
from runners.finished_nodes import close_executions
from runners.history.liveness import State, states
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.store_backend import store_backend
from runners.metadata_store import metadata_connection
from runners.run_record import RunRecord, run_records


@dataclass(frozen=True)
class Records:
    """All of them, newest first, and the state of each by its id."""

    runs: tuple[RunRecord, ...]
    states: dict[str, State]

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
        return cls(runs, states(runs))

    def newest(self, span: int) -> RunRecord | None:
        """The newest training run of a span."""
        return next((run for run in self.runs if run.span == span and run.purpose == "training"), None)


def mark_failed(settings: Settings, run: RunRecord, message: str) -> None:
    """Writes of a run that did not come to its end, and could not say so itself, that it failed.

    Raises:
        RunError: the store cannot be reached.
    """
    with metadata_connection(settings) as metadata:
        close_executions(metadata, run.run_id, metadata_store_pb2.Execution.FAILED)
        run.end(metadata, "failed", message, error="RunError")
