"""Connection to the ML Metadata store that the settings name, shared safely by the processes of a run."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any

from tfx.orchestration.metadata import Metadata

from configs.settings import Settings
from runners.metadata.backend import Backend
from runners.metadata.retrying_store import RetryingStore
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.sqlite_turn import sqlite_turn
from runners.metadata.store_backend import store_backend


class StoreMetadata(Metadata):
    """TFX's handle on a store: each outermost `with` is one connection, and none is open while an executor works.

    Args:
        backend: the store.
        retry_seconds: see `RetryingStore`.
    """

    def __init__(self, backend: Backend, retry_seconds: float) -> None:
        super().__init__(backend.config())
        self._backend, self._retry_seconds = backend, retry_seconds

    def __enter__(self) -> Any:
        # TFX's own connects in an inner `with` too, tries ten times whatever the reason, and hides it.
        if self._users == 0:
            self._store = RetryingStore(self._backend, self._retry_seconds)
        self._users += 1
        return self


class SqliteMetadata(StoreMetadata):
    """A SQLite store in which nodes that run side by side take turns.

    Args:
        path: the file.
        retry_seconds: how long a lock of another program is waited for.
    """

    def __init__(self, path: Path, retry_seconds: float = 0.0) -> None:
        super().__init__(SqliteBackend(path), retry_seconds)
        self._path = path
        self._turn = contextlib.ExitStack()

    def __enter__(self) -> Any:
        if self._users:
            return super().__enter__()
        with contextlib.ExitStack() as turn:
            turn.enter_context(sqlite_turn(self._path))
            super().__enter__()
            self._turn = turn.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[Exception] | None = None,
        exc_value: Exception | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        super().__exit__(exc_type, exc_value, exc_tb)
        if self._users == 0:
            self._turn.close()


def metadata_connection(settings: Settings) -> StoreMetadata:
    """The store of these settings: SQLite under `output_dir` unless `metadata.url` says otherwise.

    Raises:
        SettingsError: the password, or a file that the URL names, cannot be read.
    """
    backend = store_backend(settings)
    if isinstance(backend, SqliteBackend):
        return SqliteMetadata(backend.path, settings.metadata.retry_seconds)
    return StoreMetadata(backend, settings.metadata.retry_seconds)
