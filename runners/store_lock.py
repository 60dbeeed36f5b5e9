"""One run at a time of a pipeline in a metadata store: a lock that dies with its holder, whatever it dies of."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from configs.settings import Settings
from runners.database_lock import database_lock
from runners.file_lock import file_lock
from runners.metadata.backend import Backend, LockingBackend
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.store_backend import store_backend
from runners.runtime_folder import runtime_folder
from schemas.errors import RunError


@contextlib.contextmanager
def store_lock(settings: Settings, holder: str) -> Iterator[None]:
    """Holds the lock of this pipeline in its metadata store.

    | store      | lock                                                                | reaches            |
    |------------|---------------------------------------------------------------------|--------------------|
    | SQLite     | the file `<store>.<pipeline>.lock`                                  | who sees the file  |
    | MySQL      | GET_LOCK, on a connection that is held open                         | the whole server   |
    | PostgreSQL | pg_try_advisory_lock, on a connection that is held open             | the whole database |
    | gRPC       | a file in this user's runtime folder: the service knows no locks    | this machine       |

    When the connection that holds it breaks, the run goes on, and at its end a warning is logged: the lock is there so
    that two runs do not start on the same work; the work of a run that has started is worth more than that, and every
    write to the store is a transaction of its own, so that a second run could waste time but not corrupt anything.

    Args:
        settings: whose store, and whose pipeline.
        holder: who holds it, for the message of the next one: run id, host and process.

    Raises:
        SettingsError: the password cannot be read.
        RunError: another run holds it, or the store cannot be reached.
    """
    backend = store_backend(settings)
    with contextlib.ExitStack() as held:
        if isinstance(backend, LockingBackend):
            held.enter_context(database_lock(backend, settings.name, holder, settings.metadata.retry_seconds))
        else:
            try:
                held.enter_context(file_lock(_file(backend, settings.name), holder, backend.taken))
            except OSError as error:
                raise RunError(
                    "The lock of the metadata store cannot be made.",
                    where=str(error.filename or backend.place),
                    received=error.strerror,
                    fix="See that its folder can be written to.",
                ) from error
        yield


def _file(backend: Backend, pipeline: str) -> Path:
    if isinstance(backend, SqliteBackend):
        return backend.path.with_name(f"{backend.path.name}.{pipeline}.lock")
    digest = hashlib.sha256(f"{backend.place}\0{pipeline}".encode()).hexdigest()[:16]
    return runtime_folder() / f"{digest}.lock"
