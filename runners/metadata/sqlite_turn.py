"""Turns at an SQLite store."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import RunError


@contextlib.contextmanager
def sqlite_turn(path: Path) -> Iterator[None]:
    """Holds `<path>.lock`, so that our processes queue for a store in which SQLite refuses a second writer.

    It is held for short reads and writes, never while an executor works, and it dies with its holder.

    Raises:
        RunError: the folder, which is made where it is not there, cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(path.name + ".lock").open("a")
    except OSError as error:
        raise RunError(
            "The folder of the metadata store cannot be written to.",
            where=str(path.parent),
            received=error.strerror,
            fix="Choose another in output_dir or metadata.url.",
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
