"""A lock in the database of a metadata store, for as long as a run takes."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from runners.metadata.backend import LockingBackend
from runners.metadata.retry import retry


@contextlib.contextmanager
def database_lock(backend: LockingBackend, pipeline: str, holder: str, retry_seconds: float) -> Iterator[None]:
    """Holds the lock of a pipeline; says so at the end when it was lost on the way.

    Args:
        backend: the store.
        pipeline: its name.
        holder: who holds it, for others to see where the server can show it.
        retry_seconds: how long it is tried while the server cannot be reached, or breaks off before the lock is held.

    Raises:
        StoreUnreachableError: the server did not answer for `retry_seconds`.
        RunError: somebody else holds it, or the server does not let us in.
    """
    with contextlib.closing(retry(lambda: backend.lock(pipeline, holder), retry_seconds)) as lock:
        yield
        if not lock.is_held():
            logging.warning("The lock in %s was lost during the run: its connection broke.", backend.place)
