"""A lock on a file, which dies with its holder, whatever it dies of."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from schemas.errors import RunError

_PATIENCE = 1.0


@contextlib.contextmanager
def file_lock(file: Path, holder: str, taken: Callable[[str], RunError], *, shared: bool = False) -> Iterator[None]:
    """Holds the lock of a file, which is made where it is not there, as is its folder.

    Args:
        file: which one; it says who holds it.
        holder: who does.
        taken: makes the error, when somebody else holds it, of who that is.
        shared: beside others who share it; only they are let in meanwhile, and it does not say who they are.

    Raises:
        OSError: the file cannot be made.
        RunError: what `taken` made.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            _acquire(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        except BlockingIOError as error:
            lock.seek(0)
            raise taken(lock.read().strip()) from error
        if shared:
            yield
            return
        lock.truncate(0)
        lock.write(holder + "\n")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _acquire(lock: IO[str], kind: int) -> None:
    """Tries for a moment: whoever only looks at a lock holds it for as long as that takes."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
