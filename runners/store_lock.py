"""One run at a time of a pipeline in a metadata store: a lock that dies with its holder, whatever it dies of."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from configs.settings import Settings
from runners.metadata.backend import Backend, LockingBackend
from runners.metadata.retry import retry
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.store_backend import store_backend
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
        if isinstance(backend, SqliteBackend):
            file = backend.path.with_name(f"{backend.path.name}.{settings.name}.lock")
            held.enter_context(_file_lock(file, holder, backend))
        elif isinstance(backend, LockingBackend):
            held.enter_context(_database_lock(settings, holder, backend))
        else:
            file = _runtime_folder() / f"{_digest(backend.place, settings.name)}.lock"
            held.enter_context(_file_lock(file, holder, backend))
        yield


@contextlib.contextmanager
def _file_lock(file: Path, holder: str, backend: Backend) -> Iterator[None]:
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = file.open("a+")
    except OSError as error:
        raise RunError(
            "The lock of the metadata store cannot be made.",
            where=str(file),
            received=error.strerror,
            fix="See that its folder can be written to.",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise _taken(backend, lock.read().strip()) from error
        lock.truncate(0)
        lock.write(holder + "\n")
        lock.flush()
        yield


@contextlib.contextmanager
def _database_lock(settings: Settings, holder: str, backend: LockingBackend) -> Iterator[None]:
    lock = retry(lambda: backend.lock(settings.name, holder), settings.metadata.retry_seconds)
    with contextlib.closing(lock):
        if not lock.acquire():
            raise _taken(backend, lock.holder())
        yield
        if not lock.is_held():
            logging.warning("The lock in %s was lost during the run: its connection broke.", backend.place)


def _taken(backend: Backend, holder: str) -> RunError:
    return RunError(
        "Another run of this pipeline is using this metadata store.",
        where=backend.place,
        received=holder or None,
        fix="Wait until it ends, or give this pipeline another name.",
    )


def _runtime_folder() -> Path:
    """A folder of this user, on this machine."""
    user = os.getuid()
    runtime = Path(f"/run/user/{user}")
    if runtime.is_dir() and os.access(runtime, os.W_OK):
        return runtime / "scalable-tf"
    folder = Path(tempfile.gettempdir(), f"scalable-tf-{user}")
    if folder.exists() and folder.stat().st_uid != user:
        raise RunError(
            "The folder of locks belongs to somebody else.",
            where=str(folder),
            fix="Remove it, or set TMPDIR to another.",
        )
    return folder


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
