"""Connection to the ML Metadata store that the settings name, shared safely by the processes of a run."""

from __future__ import annotations

import fcntl
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import Metadata

from configs.settings import Settings
from pipeline.pipeline import root
from schemas.errors import ScalableTFError, SettingsError
from schemas.storage_error import storage_error


class SqliteMetadata(Metadata):
    """A SQLite store in which nodes that run side by side take turns.

    SQLite refuses a second writer ("database is locked") instead of queueing it. The file lock is held for the short
    reads and writes before and after an executor, never while it works, and it dies with its holder.
    """

    def __init__(self, path: Path) -> None:
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(path)
        config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        super().__init__(config)
        self._lock_path = path.with_name(path.name + ".lock")
        self._lock: IO[str] | None = None
        self._depth = 0

    def __enter__(self) -> Any:
        if self._depth == 0:
            self._lock = self._lock_path.open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._depth += 1
        try:
            return super().__enter__()
        except Exception as error:
            self._check_disk(error)
            raise

    def __exit__(
        self,
        exc_type: type[Exception] | None = None,
        exc_value: Exception | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        super().__exit__(exc_type, exc_value, exc_tb)
        self._depth -= 1
        if self._depth == 0 and self._lock is not None:
            self._lock.close()
        if exc_value is not None:
            self._check_disk(exc_value)

    def _check_disk(self, error: Exception) -> None:
        """SQLite says that a disk is full, but not which one.

        Raises:
            RunError: it is this one.
        """
        refused = None if isinstance(error, ScalableTFError) else storage_error(error, self._lock_path.parent)
        if refused is not None:
            raise refused from error


def metadata_connection(settings: Settings) -> Metadata:
    """The store of these settings: SQLite under `output_dir` unless `metadata.url` says otherwise.

    Raises:
        SettingsError: the URL is of a kind that is not supported.
    """
    if settings.metadata.url is None:
        path = root(settings) / "metadata" / "metadata.sqlite"
    elif settings.metadata.url.startswith("sqlite:///"):
        path = Path(settings.metadata.url.removeprefix("sqlite:///"))
    else:
        raise SettingsError(
            "The metadata store is of a kind that is not supported.",
            where="metadata.url",
            received=settings.metadata.url.split("://")[0] + "://...",
            fix="Use sqlite:////absolute/path.sqlite, or leave it out for SQLite under output_dir.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteMetadata(path)
