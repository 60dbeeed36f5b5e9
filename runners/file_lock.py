"""A lock on a file, which dies with its holder, whatever it dies of."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path

from schemas.errors import RunError


@contextlib.contextmanager
def file_lock(file: Path, holder: str, taken: Callable[[str], RunError]) -> Iterator[None]:
    """Holds the lock of a file, which is made where it is not there, as is its folder.

    Args:
        file: which one; it says who holds it.
        holder: who does.
        taken: makes the error, when somebody else holds it, of who that is.

    Raises:
        OSError: the file cannot be made.
        RunError: what `taken` made.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise taken(lock.read().strip()) from error
        lock.truncate(0)
        lock.write(holder + "\n")
        lock.flush()
        yield
